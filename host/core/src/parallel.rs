//! Runs one step for each of several values in parallel, each on a thread of its own, with a common
//! deadline. A step that hangs does not delay the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

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

/// Runs the step for each value and returns the outcomes in order. A step receives the time limit
/// and should keep it.
pub(crate) fn each<T: Send + 'static, R: Send + 'static>(
    things: Vec<T>,
    within: Duration,
    step: fn(T, Duration) -> R,
) -> Vec<Outcome<R>> {
    let deadline = Instant::now().checked_add(within.saturating_add(GRACE));
    let (answer, answers) = channel();
    let mut outcomes: Vec<Outcome<R>> = Vec::new();
    let mut open = 0;
    for (place, thing) in things.into_iter().enumerate() {
        let answer = answer.clone();
        let run = move || {
            let done = catch_unwind(AssertUnwindSafe(|| step(thing, within)));
            // After the deadline, no receiver is left.
            let _ = answer.send((place, done.map_err(|panic| panic_message(&*panic))));
        };
        let thread = Builder::new().name("spanmux-step".to_owned()).spawn(run);
        outcomes.push(match thread {
            Ok(_detached) => {
                open += 1;
                Outcome::TimedOut
            }
            Err(error) => Outcome::Failed(format!("there is no thread for it: {error}")),
        });
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
    use std::sync::{Arc, Barrier};

    use super::*;

    #[test]
    fn all_steps_are_under_way_at_once_and_keep_their_order() {
        // No thread passes the barrier before all have reached it.
        let barrier = Arc::new(Barrier::new(4));
        let things = (0..4).map(|number| (number, barrier.clone())).collect();
        let outcomes = each(things, Duration::from_secs(600), |(number, barrier), _| {
            barrier.wait();
            number
        });
        let numbers: Vec<_> = (0..4).map(Outcome::Done).collect();
        assert_eq!(outcomes, numbers);
    }

    #[test]
    fn one_that_hangs_or_panics_keeps_no_other_from_its_outcome() {
        let outcomes = each(vec![0, 1, 2], Duration::from_millis(50), |number, _| {
            match number {
                0 => std::thread::park_timeout(Duration::from_secs(600)),
                1 => std::panic::resume_unwind(Box::new("oh")),
                _ => {}
            }
            number
        });
        let failed = Outcome::Failed("panicked: oh".to_owned());
        assert_eq!(outcomes, [Outcome::TimedOut, failed, Outcome::Done(2)]);
    }
}
