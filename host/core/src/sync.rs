//! The primitives that threads share, named in one place.
//!
//! `--cfg loom` and `--cfg shuttle` replace them with those of a model checker, for
//! `tests/orderings` and `tests/models`. Counters that only count are not among them.

#[cfg(loom)]
mod loom;
#[cfg(loom)]
pub use self::loom::{ArcSwap, ArcSwapOption, Condvar, Guard, Mutex, OnceLock, atomic};

#[cfg(shuttle)]
mod shuttle;
#[cfg(shuttle)]
pub use self::shuttle::{ArcSwap, ArcSwapOption, Condvar, Guard, Mutex, OnceLock, atomic};

#[cfg(not(any(loom, shuttle)))]
pub use arc_swap::{ArcSwap, ArcSwapOption, Guard};
#[cfg(not(any(loom, shuttle)))]
pub use parking_lot::{Condvar, Mutex};
#[cfg(not(any(loom, shuttle)))]
pub use std::sync::{OnceLock, atomic};
