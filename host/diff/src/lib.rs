//! Explores selectors and compares two policies.
//!
//! A compiled selector does not show its rules, but its questions can be observed. Exploration
//! asks a selector with made-up contexts, sees which questions it asks, and answers them
//! differently, until every question has been answered in every way that the constants of its file
//! suggest. [`Comparison::of`] does so with an old and a new policy together, asks both about the
//! same contexts, and reports each difference with a smallest context that shows it.
//!
//! The reported decisions are observed. The contexts are guesses, so a comparison can miss a rule
//! but never invents a difference; [`Comparison`] states its limits.
//!
//! Reading order: the constants of a file (`words`) and the `variants` of a context that they
//! suggest; exploring one selector (`explore`, `walk`); `observe`, several selectors together
//! (`joint`), the whole chains (`policy`, `compare`), the smallest context of a difference
//! (`smallest`) and its `condition`; the result (`comparison`) and its formats (`render`).

mod compare;
mod comparison;
mod condition;
mod explore;
mod joint;
mod observe;
mod policy;
mod render;
mod smallest;
#[cfg(test)]
mod tests;
mod variants;
mod walk;
mod words;

pub use compare::{Given, Settings};
pub use comparison::{
    Allowed, Change, Comparison, Difference, ExploredGroup, GivenDifference, Status, Verdict,
};
pub use condition::Condition;
pub use explore::{Explored, ask_around, explore, leave_out, unknown_last};
pub use policy::{Member, Policy};
pub use walk::{Walk, whole_path};
pub use words::{Constants, words};
