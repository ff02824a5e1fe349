//! The end of the time of an exporter, and waits that respect it.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Tells the threads of one exporter that it is being closed. A wait that cannot end before
/// the deadline of the shutdown returns at once, so no thread outlives its exporter asleep.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    deadline: Mutex<Option<Instant>>,
    set: Condvar,
}

impl Stop {
    /// Sets the deadline. A second call can only make it earlier.
    pub(crate) fn at(&self, deadline: Instant) {
        let mut current = self.deadline.lock();
        *current = Some(current.unwrap_or(deadline).min(deadline));
        self.set.notify_all();
    }

    /// Returns the time until the deadline, or `Duration::MAX` while none is set.
    #[cfg_attr(not(any(feature = "otlp", test)), expect(dead_code))]
    pub(crate) fn left(&self) -> Duration {
        self.deadline.lock().map_or(Duration::MAX, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        })
    }

    /// Waits for this time. Returns `false` at once if the deadline is or becomes earlier.
    #[cfg_attr(not(any(feature = "otlp", test)), expect(dead_code))]
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let end = super::after(time);
        let mut deadline = self.deadline.lock();
        loop {
            if deadline.is_some_and(|deadline| deadline <= end) {
                return false;
            }
            if Instant::now() >= end {
                return true;
            }
            self.set.wait_until(&mut deadline, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::delivery::after;

    #[test]
    fn wait_ends_at_once_when_deadline_is_earlier() {
        const LONG: Duration = Duration::from_secs(3600);
        let stop = Arc::new(Stop::default());
        assert!(stop.wait(Duration::from_millis(1)));
        assert_eq!(stop.left(), Duration::MAX);
        let waiting = stop.clone();
        let thread = std::thread::Builder::new();
        let waiter = thread.spawn(move || waiting.wait(LONG)).unwrap();
        stop.at(after(Duration::from_secs(60)));
        assert!(!waiter.join().unwrap());
        assert!(!stop.wait(Duration::MAX));
        assert!(stop.wait(Duration::ZERO));
    }
}
