//! Renders a selector's cached decisions: the questions that it asked, the answers that it
//! received, and the outcome of each path.
//!
//! An [`Explanation`] is the decision tree as plain data. [`Rules::new`] groups it into the rules
//! that an author would recognise, which are rendered as [text](Rules::text),
//! [JSON](Rules::to_json), [Mermaid](Rules::to_mermaid) and [SVG](Rules::to_svg).
//!
//! Reading order: equality without counts (`shapes`, `merge_failures`), grouping (`rules`) and the
//! text of a branch (`label`); then the part that fits on a page (`prune`), and one file per
//! format.

mod colours;
mod json;
mod label;
mod merge_failures;
mod mermaid;
mod prune;
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

pub use spanmux_core::explanation::{Answer, Edge, Explanation, Hits, Outcome, Question, Step};
