//! Admission: no more decisions at once than there are sandboxes, and no waiting
//! without end.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// A number of places, each for one decision.
pub(super) struct Admission {
    free: Mutex<usize>,
    came_free: Condvar,
}

impl Admission {
    pub(super) fn new(places: usize) -> Self {
        Self {
            free: Mutex::new(places),
            came_free: Condvar::new(),
        }
    }

    /// A place, or none if none came free in time.
    pub(super) fn enter(&self, wait: Duration) -> Option<Place<'_>> {
        let mut free = self.free.lock();
        if *free == 0 {
            // None is a wait longer than a clock can tell: without end.
            let until = Instant::now().checked_add(wait);
            while *free == 0 {
                let Some(until) = until else {
                    self.came_free.wait(&mut free);
                    continue;
                };
                if self.came_free.wait_until(&mut free, until).timed_out() && *free == 0 {
                    return None;
                }
            }
        }
        *free -= 1;
        Some(Place(self))
    }
}

/// A place that is taken until this is dropped.
pub(super) struct Place<'a>(&'a Admission);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.came_free.notify_one();
    }
}
