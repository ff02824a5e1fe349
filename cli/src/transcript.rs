//! The transcript of one selection: the selectors in order, with their questions, the answers and
//! the decision of each.

use spanmux::explain::{Answer, Question};
use spanmux::{Choice, ContextView, Decision, LoadedFile, TracerNames};
use spanmux_diff::whole_path;

/// The part of one selector in a selection.
pub(crate) struct Asked {
    /// The selector's name.
    pub(crate) selector: String,
    /// Its index in the list of files.
    pub(crate) place: usize,
    /// The questions and answers in order. `None` for a decision that is not cached because it
    /// depends on anything else, such as one that ran out of time.
    pub(crate) questions: Option<Vec<(Question, Answer)>>,
    pub(crate) decision: Decision,
}

impl Asked {
    /// Returns the questions with their answers, or the reason why they are unknown.
    pub(crate) fn lines(&self) -> Vec<String> {
        let told = |(question, answer): &(Question, Answer)| format!("{question}? {answer}");
        match self.questions.as_deref() {
            Some([]) => vec!["nothing".to_owned()],
            Some(questions) => questions.iter().map(told).collect(),
            None => vec!["unknown questions, because the decision was not cached".to_owned()],
        }
    }

    /// Returns the questions with their answers on one line.
    pub(crate) fn line(&self) -> String {
        self.lines().join(", ")
    }

    /// Returns its decision as text.
    pub(crate) fn answer(&self, tracers: &TracerNames) -> String {
        answer(&self.decision, tracers)
    }
}

/// Formats a decision as text.
pub(crate) fn answer(decision: &Decision, tracers: &TracerNames) -> String {
    match &decision.choice {
        Choice::Tracer(index) => format!("chooses {}", tracers.name(*index).unwrap_or_default()),
        Choice::Abstain => "abstains".to_owned(),
        Choice::Fallback(fallback) => fallback.to_string(),
    }
}

/// Runs the selectors in order until one does not abstain, as a chain does.
pub(crate) fn ask(
    files: &[LoadedFile],
    view: &ContextView<'_>,
    tracers: &TracerNames,
) -> Vec<Asked> {
    let mut asked = Vec::new();
    for (place, file) in files.iter().enumerate() {
        let decision = file.selector().decision(view, tracers);
        let abstains = decision.choice == Choice::Abstain;
        let questions = match &file.outcome {
            Ok(selector) => selector
                .explain(tracers)
                .tree
                .and_then(|tree| whole_path(&tree, view)),
            Err(_) => Some(Vec::new()),
        };
        asked.push(Asked {
            selector: file.name(),
            place,
            questions,
            decision,
        });
        if !abstains {
            break;
        }
    }
    asked
}
