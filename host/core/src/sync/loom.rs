//! The primitives under loom. Every step of them is a point at which loom may switch threads.
#![allow(missing_docs, clippy::expect_used, clippy::panic)]

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;

use ::loom::cell::Cell;
use atomic::{AtomicBool, Ordering};

pub use ::loom::sync::atomic;

/// Like the standard `OnceLock`: a flag that is set after the value. The cell lets loom detect a
/// reader that is not ordered after the writer.
pub struct OnceLock<T> {
    is_set: AtomicBool,
    written: Cell<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> OnceLock<T> {
    pub fn new() -> Self {
        Self {
            is_set: AtomicBool::new(false),
            written: Cell::new(()),
            value: std::sync::OnceLock::new(),
        }
    }

    pub fn get(&self) -> Option<&T> {
        if !self.is_set.load(Ordering::Acquire) {
            return None;
        }
        self.written.get();
        self.value.get()
    }

    pub fn set(&self, value: T) -> Result<(), T> {
        self.value.set(value)?;
        self.written.set(());
        self.is_set.store(true, Ordering::Release);
        Ok(())
    }

    /// The host calls it where only one thread may be, so no thread has to wait.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if self.get().is_none() && self.set(make()).is_err() {
            panic!("two threads made one value");
        }
        self.get().expect("it was set just now")
    }
}

#[derive(Default)]
pub struct Mutex<T>(::loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(::loom::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().expect("nobody panicked")))
    }

    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok().map(|held| MutexGuard(Some(held)))
    }
}

/// `None` while waiting.
pub struct MutexGuard<'a, T>(Option<::loom::sync::MutexGuard<'a, T>>);

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it does not wait")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it does not wait")
    }
}

#[derive(Default)]
pub struct Condvar(::loom::sync::Condvar);

impl Condvar {
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect("it waits once");
        guard.0 = Some(self.0.wait(held).expect("nobody panicked"));
    }

    /// No time passes in a model. A thread that is never woken waits forever, which loom reports.
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _until: Instant) -> InTime {
        self.wait(guard);
        InTime
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

pub struct InTime;

impl InTime {
    pub fn timed_out(&self) -> bool {
        false
    }
}

/// A pointer that is loaded and swapped as a whole. The lock-free implementation is tested in its
/// own crate.
pub struct ArcSwapOption<T>(Mutex<Option<Arc<T>>>);

impl<T> ArcSwapOption<T> {
    pub fn empty() -> Self {
        Self(Mutex::new(None))
    }

    pub fn load(&self) -> Guard<Option<Arc<T>>> {
        Guard(self.0.lock().clone())
    }

    pub fn store(&self, value: Option<Arc<T>>) {
        let before = std::mem::replace(&mut *self.0.lock(), value);
        drop(before);
    }
}

#[derive(Default)]
pub struct ArcSwap<T>(Mutex<Arc<T>>);

impl<T> ArcSwap<T> {
    pub fn load(&self) -> Guard<Arc<T>> {
        Guard(self.0.lock().clone())
    }

    pub fn swap(&self, value: Arc<T>) -> Arc<T> {
        std::mem::replace(&mut *self.0.lock(), value)
    }

    pub fn store(&self, value: Arc<T>) {
        drop(self.swap(value));
    }
}

pub struct Guard<T>(T);

impl<T> Deref for Guard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
