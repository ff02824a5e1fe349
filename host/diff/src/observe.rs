//! A selector whose runs are remembered.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use spanmux_core::explanation::{Answer, Outcome, Question};
use spanmux_core::{ContextView, Selector, TracerNames};

/// Maximum number of remembered steps of one selector.
const MOST_STEPS: usize = 1 << 20;

/// A selector with its observed runs, as a tree without the limits of the decision cache. A known
/// path is followed without running the selector.
pub(crate) struct Observed {
    selector: Arc<dyn Selector>,
    names: TracerNames,
    steps: Vec<Step>,
}

enum Step {
    Asks(Question, HashMap<Key, usize>),
    Decides(Outcome),
}

/// The questions, answers and outcome of one selector for one context.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) path: Vec<(Question, Answer)>,
    pub(crate) outcome: Outcome,
}

/// An answer as a key: floats are equal if their bits are equal.
#[derive(Clone)]
struct Key(Answer);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(&other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_answer(&self.0, state);
    }
}

/// Hashes an answer, consistent with [`Answer::is`].
pub(crate) fn hash_answer(answer: &Answer, state: &mut impl Hasher) {
    std::mem::discriminant(answer).hash(state);
    match answer {
        Answer::Absent | Answer::Null => {}
        Answer::Boolean(boolean) | Answer::Has(boolean) => boolean.hash(state),
        Answer::Integer(integer) => integer.hash(state),
        Answer::Float(float) => float.to_bits().hash(state),
        Answer::Text(text) | Answer::Json(text) => text.hash(state),
        Answer::Keys(keys) => keys.hash(state),
        Answer::Share(share) => share.hash(state),
    }
}

impl Observed {
    pub(crate) fn new(selector: Arc<dyn Selector>, names: TracerNames) -> Self {
        Self {
            selector,
            names,
            steps: Vec::new(),
        }
    }

    /// Returns the outcome for a context, with the questions that led to it. Native code, and a run
    /// that depended on anything but the answers, has no questions.
    pub(crate) fn ask(&mut self, view: &ContextView<'_>) -> Asked {
        if let Some(asked) = self.follow(view) {
            return asked;
        }
        let Some(transcript) = self.selector.transcript(view, &self.names) else {
            let choice = self.selector.decision(view, &self.names).choice;
            return Asked {
                path: Vec::new(),
                outcome: Outcome::of(&choice, &self.names),
            };
        };
        let outcome = transcript.outcome(&self.names);
        let path = match transcript.questions {
            Some(path) => {
                self.remember(&path, &outcome);
                path
            }
            None => Vec::new(),
        };
        Asked { path, outcome }
    }

    fn follow(&self, view: &ContextView<'_>) -> Option<Asked> {
        let mut path = Vec::new();
        let mut step = self.steps.first()?;
        loop {
            match step {
                Step::Decides(outcome) => {
                    let outcome = outcome.clone();
                    return Some(Asked { path, outcome });
                }
                Step::Asks(question, edges) => {
                    let answer = Key(question.answer(view));
                    let next = edges.get(&answer)?;
                    path.push((question.clone(), answer.0));
                    step = self.steps.get(*next)?;
                }
            }
        }
    }

    fn remember(&mut self, path: &[(Question, Answer)], outcome: &Outcome) {
        if self.steps.len() + path.len() > MOST_STEPS {
            return;
        }
        let end = |steps: &mut Vec<Step>, place: usize| {
            let step = match path.get(place) {
                Some((question, _)) => Step::Asks(question.clone(), HashMap::new()),
                None => Step::Decides(outcome.clone()),
            };
            steps.push(step);
            steps.len() - 1
        };
        let mut at = 0;
        if self.steps.is_empty() {
            end(&mut self.steps, 0);
        }
        for (place, (_, answer)) in path.iter().enumerate() {
            let Step::Asks(_, edges) = &self.steps[at] else {
                return;
            };
            at = match edges.get(&Key(answer.clone())) {
                Some(next) => *next,
                None => {
                    let next = end(&mut self.steps, place + 1);
                    if let Step::Asks(_, edges) = &mut self.steps[at] {
                        edges.insert(Key(answer.clone()), next);
                    }
                    next
                }
            };
        }
    }
}
