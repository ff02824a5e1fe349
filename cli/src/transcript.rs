//! One decision as it went: which selector was asked, what it asked in turn, and what
//! it answered.

use spanway::explanation::{Answer, Question};
use spanway::{Choice, ContextView, Decision, LoadedFile, TracerNames};

use crate::walk::path;

/// One selector's part in a decision.
pub(crate) struct Asked {
    /// The selector's name.
    pub(crate) selector: String,
    /// Its place among the files.
    pub(crate) place: usize,
    /// What it asked and what it was told, in order. Nothing of a decision that depends on
    /// more than that, such as one that ran out of time.
    pub(crate) questions: Vec<(Question, Answer)>,
    pub(crate) decision: Decision,
}

impl Asked {
    /// The questions on one line.
    pub(crate) fn line(&self) -> String {
        let told = |(question, answer): &(Question, Answer)| format!("{question}? {answer}");
        let told: Vec<String> = self.questions.iter().map(told).collect();
        match told.is_empty() {
            true => "nothing".to_owned(),
            false => told.join(", "),
        }
    }

    /// What it answered.
    pub(crate) fn answer(&self, tracers: &TracerNames) -> String {
        match &self.decision.choice {
            Choice::Tracer(index) => {
                format!("chooses {}", tracers.name(*index).unwrap_or_default())
            }
            Choice::Abstain => "abstains".to_owned(),
            Choice::Fallback(fallback) => fallback.to_string(),
        }
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
        let tree = file.outcome.as_ref().ok();
        let tree = tree.and_then(|selector| selector.explain(tracers).tree);
        asked.push(Asked {
            selector: file.name(),
            place,
            questions: tree.map_or(Vec::new(), |tree| path(&tree, view)),
            decision,
        });
        if !abstains {
            break;
        }
    }
    asked
}
