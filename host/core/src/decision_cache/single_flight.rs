//! Identical concurrent misses share one run: a thread that reaches a position of the tree where a
//! run is already under way waits for its result.

use crate::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::sync::{Condvar, Mutex};

/// After this many waits in a row that produced no cached decision, threads stop waiting until a
/// run without waiters is cached.
const MAX_FUTILE: u32 = 8;

/// A position at which the cached tree ends: a node and the hash of an answer.
pub(super) type Frontier = (u64, u64);

#[derive(Default)]
struct UnderWay {
    frontiers: Vec<Frontier>,
    waiting: usize,
}

#[derive(Default)]
pub(super) struct SingleFlight {
    under_way: Mutex<UnderWay>,
    landed: Condvar,
    futile: AtomicU32,
}

/// A run under way. It ends when this value is dropped.
pub(super) struct Flight<'a> {
    single_flight: &'a SingleFlight,
    frontier: Frontier,
}

impl SingleFlight {
    /// Starts a run at this position. Returns `None` if another run of this position finished
    /// meanwhile, or took longer than a decision may wait.
    pub(super) fn begin(&self, frontier: Frontier, wait: Duration) -> Option<Flight<'_>> {
        let mut under_way = self.under_way.lock();
        let futile = self.futile.load(Ordering::Relaxed) >= MAX_FUTILE;
        if futile || !under_way.frontiers.contains(&frontier) {
            under_way.frontiers.push(frontier);
            return Some(Flight {
                single_flight: self,
                frontier,
            });
        }
        under_way.waiting += 1;
        // `None` means that the clock cannot represent the deadline: wait without limit.
        let until = Instant::now().checked_add(wait);
        let mut timed_out = false;
        while !timed_out && under_way.frontiers.contains(&frontier) {
            match until {
                Some(until) => {
                    timed_out = self.landed.wait_until(&mut under_way, until).timed_out();
                }
                None => self.landed.wait(&mut under_way),
            }
        }
        under_way.waiting -= 1;
        None
    }

    /// Returns the number of waiting threads.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.under_way.lock().waiting
    }

    /// Records whether a wait was worthwhile.
    pub(super) fn waited(&self, cached: bool) {
        if cached {
            self.futile.store(0, Ordering::Relaxed);
        } else {
            self.futile.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut under_way = self.single_flight.under_way.lock();
        let mut frontiers = under_way.frontiers.iter();
        if let Some(place) = frontiers.position(|other| *other == self.frontier) {
            under_way.frontiers.swap_remove(place);
        }
        if under_way.waiting > 0 {
            self.single_flight.landed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_for_the_first() {
        let single_flight = SingleFlight::default();
        let first = single_flight.begin((1, 1), Duration::ZERO).unwrap();
        assert!(single_flight.begin((1, 2), Duration::ZERO).is_some());
        assert!(single_flight.begin((1, 1), Duration::ZERO).is_none());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                single_flight
                    .begin((1, 1), Duration::from_secs(600))
                    .is_none()
            });
            while single_flight.waiting() == 0 {
                std::thread::yield_now();
            }
            drop(first);
            assert!(second.join().unwrap());
        });
        assert!(single_flight.begin((1, 1), Duration::ZERO).is_some());
    }

    #[test]
    fn nobody_waits_where_nothing_is_learned() {
        let single_flight = SingleFlight::default();
        let _first = single_flight.begin((1, 1), Duration::ZERO).unwrap();
        for _ in 0..MAX_FUTILE {
            assert!(single_flight.begin((1, 1), Duration::ZERO).is_none());
            single_flight.waited(false);
        }
        assert!(single_flight.begin((1, 1), Duration::ZERO).is_some());
        single_flight.waited(true);
        assert!(single_flight.begin((1, 1), Duration::ZERO).is_none());
    }
}
