//! The modes of a selector.

use spanway::{ComponentSelector, Decision, Limits};

/// The same selector, which never learns.
pub fn fresh(selector: &ComponentSelector) -> ComponentSelector {
    selector.clone()
}

/// The same selector, which has learned nothing yet.
pub fn learner(selector: &ComponentSelector) -> ComponentSelector {
    selector.clone()
}

/// Whether no component ran for it.
pub fn is_learned(_decision: &Decision) -> bool {
    false
}

/// Limits with room for so many answers and bytes of what is learned.
pub fn with_room(limits: Limits, _answers: usize, _bytes: usize) -> Limits {
    limits
}
