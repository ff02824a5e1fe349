//! One decision as it went: which selector was asked, what it asked in turn, and what
//! it answered.

use spanmux::explain::{Answer, Question};
use spanmux::{Choice, ContextView, Decision, LoadedFile, TracerNames};

use crate::walk::whole_path;

/// One selector's part in a decision.
pub(crate) struct Asked {
    /// The selector's name.
    pub(crate) selector: String,
    /// Its place among the files.
    pub(crate) place: usize,
    /// What it asked and what it was told, in order. None for a decision that depends on
    /// more than that, such as one that ran out of time: only what is learned is kept.
    pub(crate) questions: Option<Vec<(Question, Answer)>>,
    pub(crate) decision: Decision,
}

impl Asked {
    /// The questions, each with its answer, or why there is none.
    pub(crate) fn lines(&self) -> Vec<String> {
        let told = |(question, answer): &(Question, Answer)| format!("{question}? {answer}");
        match self.questions.as_deref() {
            Some([]) => vec!["nothing".to_owned()],
            Some(questions) => questions.iter().map(told).collect(),
            None => vec!["what is not known, for it cannot be learned".to_owned()],
        }
    }

    /// The same on one line.
    pub(crate) fn line(&self) -> String {
        self.lines().join(", ")
    }

    /// What it answered.
    pub(crate) fn answer(&self, tracers: &TracerNames) -> String {
        answer(&self.decision, tracers)
    }
}

/// A selector's answer in words.
pub(crate) fn answer(decision: &Decision, tracers: &TracerNames) -> String {
    match &decision.choice {
        Choice::Tracer(index) => format!("chooses {}", tracers.name(*index).unwrap_or_default()),
        Choice::Abstain => "abstains".to_owned(),
        Choice::Fallback(fallback) => fallback.to_string(),
    }
}

/// Asks one selector after the other, as a chain does: until one does not abstain.
pub(crate) fn ask(
    files: &[LoadedFile],
    view: &ContextView<'_>,
    tracers: &TracerNames,
) -> Vec<Asked> {
    let mut asked = Vec::new();
    for (place, file) in files.iter().enumerate() {
        let decision = file.selector().decide(view, tracers);
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
