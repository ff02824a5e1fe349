//! What a selector was seen to decide: the questions that it asked, the answers that
//! it was given, and where each way ended.
//!
//! An [`Explanation`] is the tree as it was learned, as plain data.
//! [`Rules::new`] groups it into [`Rules`], which are what an author would
//! recognise, and those are shown as [text](Rules::text), [JSON](Rules::to_json),
//! [Mermaid](Rules::to_mermaid) and [SVG](Rules::to_svg).
//!
//! In reading order: what is equal but for its counts (`shapes`, `alike`), the
//! grouping (`rules`) and the words on a branch (`label`); then what fits on a page
//! (`excerpt`), and one file for each way to show it.

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
