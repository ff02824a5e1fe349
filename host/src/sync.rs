//! What threads share is made of these, named in one place so that a model checker can
//! put its own in their place (`tests/models`, `tests/orderings`). What only counts is not
//! among them.

pub(crate) use arc_swap::{ArcSwap, Guard};
pub(crate) use parking_lot::Mutex;

#[cfg(feature = "components")]
pub(crate) use arc_swap::ArcSwapOption;
#[cfg(feature = "components")]
pub(crate) use parking_lot::Condvar;
#[cfg(feature = "components")]
pub(crate) use std::sync::OnceLock;
#[cfg(feature = "components")]
pub(crate) use std::sync::atomic;
