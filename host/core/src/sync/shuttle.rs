//! The primitives under shuttle, each with a point before it at which the checker may switch
//! threads. One thread runs at a time, so the real primitives inside never block.
#![allow(missing_docs, clippy::expect_used)]

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;

use ::shuttle::thread::yield_now;

/// The atomics of the checker.
pub mod atomic {
    pub use ::shuttle::sync::atomic::*;
}

/// A cell that is written once.
pub struct OnceLock<T> {
    cell: std::sync::OnceLock<T>,
    /// Held by the thread that creates the value.
    making: std::sync::atomic::AtomicBool,
}

impl<T> OnceLock<T> {
    pub const fn new() -> Self {
        Self {
            cell: std::sync::OnceLock::new(),
            making: std::sync::atomic::AtomicBool::new(false),
        }
    }

    pub fn get(&self) -> Option<&T> {
        yield_now();
        self.cell.get()
    }

    pub fn set(&self, value: T) -> Result<(), T> {
        yield_now();
        self.cell.set(value)
    }

    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        use std::sync::atomic::Ordering::SeqCst;
        loop {
            if let Some(value) = self.get() {
                return value;
            }
            if !self.making.swap(true, SeqCst) {
                break;
            }
        }
        // Creating the value may yield to other threads, which wait above.
        let value = make();
        self.cell.get_or_init(|| value)
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A mutex like that of `parking_lot`: never poisoned.
#[derive(Default)]
pub struct Mutex<T>(::shuttle::sync::Mutex<T>);

pub struct MutexGuard<'a, T>(Option<::shuttle::sync::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(::shuttle::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().expect("a lock")))
    }

    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is held")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it is held")
    }
}

/// Timeouts never occur: every waiting thread is woken.
#[derive(Default)]
pub struct Condvar(::shuttle::sync::Condvar);

pub struct WaitTimeoutResult;

impl WaitTimeoutResult {
    pub fn timed_out(&self) -> bool {
        false
    }
}

impl Condvar {
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect("it is held");
        guard.0 = Some(self.0.wait(held).expect("a lock"));
    }

    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _: Instant) -> WaitTimeoutResult {
        self.wait(guard);
        WaitTimeoutResult
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

pub use arc_swap::Guard;

/// An atomic pointer.
pub struct ArcSwap<T>(arc_swap::ArcSwap<T>);

impl<T> ArcSwap<T> {
    pub fn load(&self) -> arc_swap::Guard<Arc<T>> {
        yield_now();
        self.0.load()
    }

    pub fn store(&self, value: Arc<T>) {
        yield_now();
        self.0.store(value);
    }

    pub fn swap(&self, value: Arc<T>) -> Arc<T> {
        yield_now();
        self.0.swap(value)
    }
}

impl<T: Default> Default for ArcSwap<T> {
    fn default() -> Self {
        Self(arc_swap::ArcSwap::default())
    }
}

/// An atomic pointer that may be empty.
pub struct ArcSwapOption<T>(arc_swap::ArcSwapOption<T>);

impl<T> ArcSwapOption<T> {
    pub fn empty() -> Self {
        Self(arc_swap::ArcSwapOption::empty())
    }

    pub fn load(&self) -> arc_swap::Guard<Option<Arc<T>>> {
        yield_now();
        self.0.load()
    }

    pub fn store(&self, value: Option<Arc<T>>) {
        yield_now();
        self.0.store(value);
    }
}

impl<T> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceLock")
    }
}
