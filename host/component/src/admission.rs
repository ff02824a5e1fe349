//! Admission: at most as many concurrent decisions as there are sandbox slots, with a bounded wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// A number of slots, each for one decision.
///
/// While slots are free, entering and leaving take one atomic step each. Only waiting threads use
/// the mutex.
pub(super) struct Admission {
    places: usize,
    taken: AtomicUsize,
    waiting: AtomicUsize,
    waiters: Mutex<()>,
    came_free: Condvar,
}

impl Admission {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places,
            taken: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            waiters: Mutex::new(()),
            came_free: Condvar::new(),
        }
    }

    /// Returns a slot, or `None` if none becomes free in time.
    pub(super) fn enter(&self, wait: Duration) -> Option<Place<'_>> {
        self.take().or_else(|| self.wait(wait))
    }

    /// Returns `true` while a decision is running.
    pub(super) fn is_busy(&self) -> bool {
        self.taken.load(Ordering::SeqCst) > 0
    }

    fn take(&self) -> Option<Place<'_>> {
        let more = |taken: usize| (taken < self.places).then_some(taken + 1);
        self.taken
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
            .ok()
            .map(|_| Place(self))
    }

    #[cold]
    fn wait(&self, wait: Duration) -> Option<Place<'_>> {
        // `None` means that the clock cannot represent the deadline: wait without limit.
        let until = Instant::now().checked_add(wait);
        let mut waiters = self.waiters.lock();
        // Announces the wait before the last check: either this thread sees the slot that becomes
        // free, or the leaving thread sees the waiter.
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut place = self.take();
        let mut in_time = true;
        while place.is_none() && in_time {
            match until {
                Some(until) => {
                    in_time = !self.came_free.wait_until(&mut waiters, until).timed_out();
                }
                None => self.came_free.wait(&mut waiters),
            }
            place = self.take();
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        place
    }
}

/// A slot that is occupied until this value is dropped.
pub(super) struct Place<'a>(&'a Admission);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::SeqCst);
        if self.0.waiting.load(Ordering::SeqCst) > 0 {
            let _waiters = self.0.waiters.lock();
            self.0.came_free.notify_one();
        }
    }
}
