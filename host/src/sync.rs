//! What threads share is made of these, named in one place so that a model checker can
//! put its own in their place (`tests/models`).

pub(crate) use arc_swap::{ArcSwap, ArcSwapOption};
pub(crate) use parking_lot::{Condvar, Mutex};
pub(crate) use std::sync::OnceLock;
pub(crate) use std::sync::atomic;
