//! Runs one step for each of several values in parallel, each on a thread of its own, with a common
//! deadline. A step that hangs does not delay the others, and its value gets no second thread.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::selector::panic_message;

/// The outcome of one step.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome<R> {
    Done(R),
    /// The step panicked, or its thread could not be started.
    Failed(String),
    /// The step is still running. Its outcome is unknown.
    TimedOut,
}

/// Extra time for a step that ends at its own deadline and reports it.
const GRACE: Duration = Duration::from_millis(250);

/// The values whose step has not returned, by address. A step holds its value, so no other value
/// has the same address meanwhile.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    addresses: Mutex<HashSet<usize>>,
    returned: Condvar,
}

/// The entry of one value. It is removed when its step returns.
struct Entry {
    under_way: Arc<UnderWay>,
    address: usize,
}

impl UnderWay {
    /// Returns an entry for a value, or `None` if its step has not returned.
    fn enter(self: &Arc<Self>, address: usize) -> Option<Entry> {
        let entered = self.addresses.lock().insert(address);
        entered.then(|| Entry {
            under_way: self.clone(),
            address,
        })
    }

    /// Waits until a step of one of these values returns. Returns `false` at the deadline.
    fn wait(&self, busy: &[usize], deadline: Option<Instant>) -> bool {
        let mut addresses = self.addresses.lock();
        let mut in_time = true;
        while in_time && busy.iter().all(|address| addresses.contains(address)) {
            match deadline {
                Some(deadline) => {
                    in_time = !self
                        .returned
                        .wait_until(&mut addresses, deadline)
                        .timed_out();
                }
                None => self.returned.wait(&mut addresses),
            }
        }
        in_time
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.under_way.addresses.lock().remove(&self.address);
        self.under_way.returned.notify_all();
    }
}

type Answer<R> = (usize, Result<R, String>);

/// Starts the step of one value. Returns an error if the thread cannot be started.
fn start<T: Send + Sync + 'static, R: Send + 'static>(
    (place, value, entry): (usize, Arc<T>, Entry),
    within: Duration,
    answer: Sender<Answer<R>>,
    step: fn(Arc<T>, Duration) -> R,
) -> Result<(), String> {
    let run = move || {
        let done = catch_unwind(AssertUnwindSafe(|| step(value, within)));
        drop(entry);
        // After the deadline, no receiver is left.
        let _ = answer.send((place, done.map_err(|panic| panic_message(&*panic))));
    };
    let thread = Builder::new().name("spanmux-step".to_owned()).spawn(run);
    let failed = |error| format!("failed to start a thread: {error}");
    thread.map(|_detached| ()).map_err(failed)
}

/// Runs the step for each value and returns the outcomes in order. A step receives the time limit
/// and should keep it. A value whose previous step has not returned waits for that, within the same
/// limit.
pub(crate) fn each<T: Send + Sync + 'static, R: Send + 'static>(
    values: Vec<Arc<T>>,
    within: Duration,
    under_way: &Arc<UnderWay>,
    step: fn(Arc<T>, Duration) -> R,
) -> Vec<Outcome<R>> {
    let deadline = Instant::now().checked_add(within.saturating_add(GRACE));
    let (answer, answers) = channel();
    let mut outcomes: Vec<Outcome<R>> = values.iter().map(|_| Outcome::TimedOut).collect();
    let mut open = 0;
    let mut waiting: Vec<_> = values.into_iter().enumerate().collect();
    loop {
        let mut busy = Vec::new();
        for (place, value) in waiting {
            let Some(entry) = under_way.enter(Arc::as_ptr(&value).addr()) else {
                busy.push((place, value));
                continue;
            };
            match start((place, value, entry), within, answer.clone(), step) {
                Ok(()) => open += 1,
                Err(message) => outcomes[place] = Outcome::Failed(message),
            }
        }
        let addresses: Vec<_> = busy
            .iter()
            .map(|(_, value)| Arc::as_ptr(value).addr())
            .collect();
        if busy.is_empty() || !under_way.wait(&addresses, deadline) {
            break;
        }
        waiting = busy;
    }
    while open > 0 {
        let answered = match deadline {
            Some(deadline) => answers.recv_timeout(deadline - Instant::now().min(deadline)),
            None => answers.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let Ok((place, done)) = answered else { break };
        outcomes[place] = done.map_or_else(Outcome::Failed, Outcome::Done);
        open -= 1;
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn all_steps_are_under_way_at_once_and_keep_their_order() {
        // No thread passes the barrier before all have reached it.
        let barrier = Arc::new(Barrier::new(4));
        let values = (0..4).map(|number| Arc::new((number, barrier.clone())));
        let limit = Duration::from_secs(600);
        let outcomes = each(values.collect(), limit, &Arc::default(), |value, _| {
            value.1.wait();
            value.0
        });
        let numbers: Vec<_> = (0..4).map(Outcome::Done).collect();
        assert_eq!(outcomes, numbers);
    }

    #[test]
    fn one_that_hangs_or_panics_keeps_no_other_from_its_outcome() {
        let values = [0, 1, 2].map(Arc::new).to_vec();
        let limit = Duration::from_millis(50);
        let outcomes = each(values, limit, &Arc::default(), |number, _| {
            match *number {
                0 => std::thread::park_timeout(Duration::from_secs(600)),
                1 => std::panic::resume_unwind(Box::new("oh")),
                _ => {}
            }
            *number
        });
        let failed = Outcome::Failed("panicked: oh".to_owned());
        assert_eq!(outcomes, [Outcome::TimedOut, failed, Outcome::Done(2)]);
    }

    #[test]
    fn second_step_waits_for_the_first_of_the_same_value() {
        let under_way = Arc::default();
        let (value, other) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let step = |value: Arc<Mutex<i32>>, _| *value.lock() += 1;
        // Stops the step of the value until the lock is released.
        let held = value.lock();
        for _ in 0..3 {
            let values = vec![value.clone(), other.clone()];
            let outcomes = each(values, Duration::ZERO, &under_way, step);
            assert_eq!(outcomes, [Outcome::TimedOut, Outcome::Done(())]);
        }
        drop(held);
        let outcomes = each(vec![value.clone()], Duration::MAX, &under_way, step);
        assert_eq!(outcomes, [Outcome::Done(())]);
        // One of the three calls, and the last one.
        assert_eq!((*value.lock(), *other.lock()), (2, 3));
    }
}
