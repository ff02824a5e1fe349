//! What threads share is made of these, named in one place so that a model checker can
//! put its own in their place (`tests/models`, `tests/orderings`). What only counts is not
//! among them.

pub use arc_swap::ArcSwapOption;
pub use arc_swap::{ArcSwap, Guard};
pub use parking_lot::Condvar;
pub use parking_lot::Mutex;
pub use std::sync::OnceLock;
pub use std::sync::atomic;
