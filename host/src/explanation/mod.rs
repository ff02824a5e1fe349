//! What a selector was seen to decide: the questions that it asked, the answers that
//! it was given, and where each way ended.
//!
//! An [`Explanation`] is the tree as it was learned, as plain data.
//! [`Explanation::rules`] groups it into [`Rules`], which are what an author would
//! recognise, and those are shown as [text](Rules::text), [JSON](Rules::to_json),
//! [Mermaid](Rules::to_mermaid) and [SVG](Rules::to_svg).
//!
//! In reading order: what is equal but for its counts (`shapes`, `alike`), the
//! grouping (`rules`) and the words on a branch (`label`); then what fits on a page
//! (`excerpt`), and one file for each way to show it.

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

/// What is known of a selector's decisions for one list of tracers.
///
/// It is a picture of a moment: the selector goes on learning.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The selector's name.
    pub selector: String,
    /// The SHA-256 of its file, in hex.
    pub digest: Option<String>,
    /// The tracers that it may name, in the order of their registration.
    pub tracers: Vec<String>,
    /// What was learned; none if nothing was yet.
    pub tree: Option<Step>,
    /// Decisions that were answered from the tree, as far as they were counted: a
    /// sample, scaled up.
    pub hits: u64,
    /// Decisions for which the component ran.
    pub runs: u64,
    /// Answers that the tree holds, over all of its questions.
    pub edges: usize,
    /// Memory that the tree takes, in bytes.
    pub bytes: usize,
}

impl Explanation {
    /// That nothing is known, for these tracers.
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

/// What happens next on one way through the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The selector asks.
    Asks(Question, Vec<Way>),
    /// The selector has decided.
    Decides(Outcome, Hits),
}

/// How often a decision was answered from the tree: a sample, scaled up.
pub type Hits = u64;

/// One answer to a question and what comes after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// What the context answered.
    pub answer: Answer,
    /// What the selector did then.
    pub then: Step,
}

/// One of the questions of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// `get`: the value of a key.
    Get {
        /// The key.
        key: String,
    },
    /// `has`: whether there is a value.
    Has {
        /// The key.
        key: String,
    },
    /// `keys`: which keys there are.
    Keys,
    /// `bucket`: the share that the value of a key falls in.
    Bucket {
        /// The key.
        key: String,
        /// The salt that the share is drawn with.
        salt: String,
        /// How many shares there are.
        buckets: u32,
    },
}

/// What the context answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To `get` and `bucket`: the key is absent.
    Absent,
    /// To `get`: null.
    Null,
    /// To `get`: true or false.
    Boolean(bool),
    /// To `get`: an integer.
    Integer(i64),
    /// To `get`: a float.
    Float(f64),
    /// To `get`: text.
    Text(String),
    /// To `get`: JSON text.
    Json(String),
    /// To `has`.
    Has(bool),
    /// To `keys`: each key once, sorted by bytes.
    Keys(Vec<String>),
    /// To `bucket`: the share.
    Share(u32),
}

/// How one way through the tree ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// This tracer was chosen.
    Tracer(String),
    /// The selector had no say.
    Abstains,
    /// The decision went wrong.
    Fallback {
        /// The cause in one word, as
        /// [`FallbackKind::as_str`](crate::FallbackKind::as_str).
        cause: String,
        /// The same for a person to read.
        reason: String,
    },
}
