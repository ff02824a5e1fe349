//! The observed decisions of a selector: its questions, the answers of the context, and the
//! outcomes.
//!
//! An [`Explanation`] is the decision tree as plain data. [`Explanation::rules`] groups it
//! into [`Rules`], which resemble the selector's source. Rules are rendered as
//! [text](Rules::text), [JSON](Rules::to_json), [Mermaid](Rules::to_mermaid) and
//! [SVG](Rules::to_svg).
//!
//! Reading order: equality of rules apart from their counts (`shapes`, `alike`), grouping
//! (`rules`), labels of branches (`label`), selection of the part that fits on a page
//! (`excerpt`), then one file for each format.

mod alike;
mod colours;
mod excerpt;
mod json;
mod label;
mod mermaid;
mod rules;
#[cfg(test)]
mod samples;
mod shapes;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod words;

pub use label::Label;
pub use rules::{Branch, Rule, Rules, Seen};
pub use text::{Part, Role, Text};

/// The cached decisions of a selector for one list of tracers.
///
/// This is a snapshot: the cache continues to grow.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The selector's name.
    pub selector: String,
    /// The SHA-256 of its file, in hex.
    pub digest: Option<String>,
    /// The names of the registered tracers, in the order of registration.
    pub tracers: Vec<String>,
    /// The decision tree. `None` while it is empty.
    pub tree: Option<Step>,
    /// Decisions that the tree answered. The number is an estimate, scaled up from a sample.
    pub hits: u64,
    /// Decisions for which the component ran.
    pub runs: u64,
    /// Number of answers in the tree, over all questions.
    pub edges: usize,
    /// Memory of the tree, in bytes.
    pub bytes: usize,
}

impl Explanation {
    /// Creates an explanation without decisions for these tracers.
    #[cfg(feature = "components")]
    pub(crate) fn nothing(tracers: &[String]) -> Self {
        Self {
            selector: String::new(),
            digest: None,
            tracers: tracers.to_vec(),
            tree: None,
            hits: 0,
            runs: 0,
            edges: 0,
            bytes: 0,
        }
    }
}

/// One step on a path through the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The selector asks a question.
    Asks(Question, Vec<Way>),
    /// The selector has decided.
    Decides(Outcome, Hits),
}

/// Number of decisions that the tree answered: an estimate, scaled up from a sample.
pub type Hits = u64;

/// An answer to a question, and the step that follows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// The answer of the context.
    pub answer: Answer,
    /// The selector's next step.
    pub then: Step,
}

/// One of the questions that a selector can ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// `get`: the value of a key.
    Get {
        /// The key.
        key: String,
    },
    /// `has`: tests whether a key has a value.
    Has {
        /// The key.
        key: String,
    },
    /// `keys`: the list of all keys.
    Keys,
    /// `bucket`: the share into which the value of a key falls.
    Bucket {
        /// The key.
        key: String,
        /// The salt of the hash that determines the share.
        salt: String,
        /// The number of shares.
        buckets: u32,
    },
}

/// An answer of the context.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// For `get` and `bucket`: the key is absent.
    Absent,
    /// For `get`: null.
    Null,
    /// For `get`: true or false.
    Boolean(bool),
    /// For `get`: an integer.
    Integer(i64),
    /// For `get`: a float.
    Float(f64),
    /// For `get`: text.
    Text(String),
    /// For `get`: JSON text.
    Json(String),
    /// For `has`: `true` if there is a value.
    Has(bool),
    /// For `keys`: each key once, sorted by bytes.
    Keys(Vec<String>),
    /// For `bucket`: the share.
    Share(u32),
}

/// The outcome of one path through the tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The selector chose this tracer.
    Tracer(String),
    /// The selector abstained.
    Abstains,
    /// The decision failed.
    Fallback {
        /// The cause as a single word, see
        /// [`Cause::as_str`](crate::Cause::as_str).
        cause: String,
        /// The reason in readable form.
        reason: String,
    },
}
