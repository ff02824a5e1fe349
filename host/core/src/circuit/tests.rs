//! The circuit breaker with a clock that the tests control.

use super::*;
use crate::decision::Budget;

const SECOND: Duration = Duration::from_secs(1);

fn trap() -> Fallback {
    Fallback::Trapped("unreachable".to_owned())
}

/// A circuit and the current time.
struct Clocked {
    state: State,
    now: Instant,
}

impl Clocked {
    /// Three consecutive failures, with a back-off of one second at first and ten at most.
    fn new() -> Self {
        Self::with(3, SECOND, 10 * SECOND)
    }

    fn with(after: u32, first: Duration, longest: Duration) -> Self {
        let patience = Patience {
            after,
            first,
            longest,
        };
        Self {
            state: State::new(patience),
            now: Instant::now(),
        }
    }

    fn later(&mut self, time: Duration) {
        self.now += time;
    }

    /// Returns `None` if a run is refused, or whether it is the probe.
    fn admit(&mut self) -> Option<bool> {
        self.state.admit(self.now).ok()
    }

    /// A complete run that fails, like every control run. Returns the back-off.
    fn broken(&mut self) -> Option<Duration> {
        let probe = self.admit().expect("a run");
        let due = self.state.broke(probe, self.now);
        let suspended = due.then(|| self.state.open(probe, &trap(), self.now));
        self.state.probing = false;
        self.state.checking = false;
        suspended.flatten()
    }

    /// A complete run that fails while control runs succeed. Returns `true` if one was made.
    fn broken_by_the_caller(&mut self) -> bool {
        let probe = self.admit().expect("a run");
        let due = self.state.broke(probe, self.now);
        if due {
            self.state.worked(probe, self.now);
        }
        self.state.probing = false;
        self.state.checking = false;
        due
    }

    /// A complete run that succeeds. Returns `true` if it closes the circuit.
    fn well(&mut self) -> bool {
        let probe = self.admit().expect("a run");
        let restored = self.state.worked(probe, self.now);
        self.state.probing = false;
        restored
    }

    /// Fails until a closed circuit opens.
    fn suspend(&mut self) -> Duration {
        let all: Vec<_> = (0..self.state.patience.after)
            .map(|_| self.broken())
            .collect();
        all.last().copied().flatten().expect("a suspension")
    }
}

#[test]
fn so_many_runs_in_a_row_suspend_it() {
    let mut circuit = Clocked::new();
    assert_eq!(circuit.broken(), None);
    assert_eq!(circuit.broken(), None);
    assert_eq!(circuit.broken(), Some(SECOND));
    assert_eq!(circuit.admit(), None);
    let suspension = circuit.state.suspension.clone().unwrap();
    assert_eq!(
        (suspension.times, &*suspension.reason),
        (1, "the selector trapped: unreachable")
    );
    assert_eq!(
        circuit.state.admit(circuit.now),
        Err(Fallback::Suspended(suspension.reason))
    );
}

#[test]
fn a_run_that_works_begins_the_row_anew() {
    let mut circuit = Clocked::new();
    for _ in 0..100 {
        assert_eq!(circuit.broken(), None);
        assert_eq!(circuit.broken(), None);
        assert!(!circuit.well());
    }
    assert_eq!(circuit.state.suspension, None);
}

#[test]
fn when_the_time_is_up_one_run_is_tried_and_no_more() {
    let mut circuit = Clocked::new();
    circuit.suspend();
    circuit.later(SECOND - Duration::from_nanos(1));
    assert_eq!(circuit.admit(), None);
    circuit.later(Duration::from_nanos(1));
    assert_eq!(circuit.admit(), Some(true));
    assert_eq!(circuit.admit(), None);
    assert!(circuit.state.worked(true, circuit.now));
    circuit.state.probing = false;
    assert_eq!(circuit.admit(), Some(false));
    assert_eq!(circuit.state.suspension, None);
}

#[test]
fn each_probe_that_breaks_doubles_the_time_up_to_the_longest() {
    let mut circuit = Clocked::new();
    let mut lasts = circuit.suspend();
    let since = circuit.state.suspension.clone().unwrap().since;
    for expected in [2, 4, 8, 10, 10] {
        circuit.later(lasts);
        lasts = circuit.broken().expect("one is enough");
        assert_eq!(lasts, expected * SECOND);
    }
    let suspension = circuit.state.suspension.clone().unwrap();
    assert_eq!((suspension.since, suspension.times), (since, 6));
}

#[test]
fn one_that_works_only_for_a_while_is_not_begun_with_again() {
    let mut circuit = Clocked::new();
    let first = circuit.suspend();
    circuit.later(first);
    assert!(circuit.well());
    // The healthy period was shorter than the suspension.
    circuit.later(SECOND / 2);
    assert_eq!(circuit.suspend(), 2 * SECOND);
    circuit.later(2 * SECOND);
    assert!(circuit.well());
    // Two healthy seconds halve a back-off of two seconds.
    circuit.later(2 * SECOND);
    assert_eq!(circuit.suspend(), 2 * SECOND);
    circuit.later(2 * SECOND);
    assert!(circuit.well());
    // An hour resets the back-off.
    circuit.later(3600 * SECOND);
    assert_eq!(circuit.suspend(), SECOND);
}

#[test]
fn what_began_before_the_suspension_adds_nothing() {
    let mut circuit = Clocked::new();
    assert_eq!(circuit.admit(), Some(false));
    circuit.suspend();
    assert!(!circuit.state.worked(false, circuit.now));
    assert!(!circuit.state.broke(false, circuit.now));
    assert_eq!(circuit.state.open(false, &trap(), circuit.now), None);
    assert_eq!(circuit.admit(), None);
    assert_eq!(circuit.state.suspension.as_ref().unwrap().times, 1);
}

#[test]
fn selector_is_not_suspended_when_the_control_run_succeeds() {
    let mut circuit = Clocked::new();
    let checked = (0..3000).filter(|_| circuit.broken_by_the_caller()).count();
    // One control run for three failures: hostile contexts cost a third more, and not twice.
    assert_eq!(checked, 1000);
    assert_eq!(circuit.state.suspension, None);
    assert_eq!(circuit.admit(), Some(false));
}

#[test]
fn failed_probe_closes_the_circuit_when_the_control_run_succeeds() {
    let mut circuit = Clocked::new();
    let lasts = circuit.suspend();
    circuit.later(lasts);
    assert!(circuit.broken_by_the_caller());
    assert_eq!(circuit.state.suspension, None);
    assert_eq!(circuit.admit(), Some(false));
}

#[test]
fn failures_do_not_count_together_when_they_are_rare() {
    let mut circuit = Clocked::new();
    for _ in 0..100 {
        assert_eq!(circuit.broken(), None);
        circuit.later(WINDOW / 2 + SECOND);
    }
    for _ in 0..2 {
        assert_eq!(circuit.broken(), None);
        circuit.later(SECOND);
    }
    assert_eq!(circuit.broken(), Some(SECOND));
}

#[test]
fn control_run_has_no_effect_when_another_run_succeeded_meanwhile() {
    let mut circuit = Clocked::with(1, SECOND, SECOND);
    assert!(circuit.state.broke(false, circuit.now));
    // While one thread makes the control run, no other does.
    assert!(!circuit.state.broke(false, circuit.now));
    circuit.state.worked(false, circuit.now);
    assert_eq!(circuit.state.open(false, &trap(), circuit.now), None);
    assert_eq!(circuit.state.suspension, None);
}

#[test]
fn with_no_number_nothing_is_suspended() {
    let mut circuit = Clocked::with(0, SECOND, SECOND);
    for _ in 0..1000 {
        assert_eq!(circuit.broken(), None);
    }
    assert_eq!(circuit.admit(), Some(false));
}

#[test]
fn times_of_nothing_and_without_end_are_no_trouble() {
    let mut circuit = Clocked::with(1, Duration::ZERO, Duration::ZERO);
    for _ in 0..10 {
        assert_eq!(circuit.broken(), Some(Duration::ZERO));
    }
    assert!(circuit.well());
    let mut circuit = Clocked::with(1, Duration::MAX, Duration::MAX);
    assert_eq!(circuit.broken(), Some(Duration::MAX));
    circuit.later(1_000_000 * SECOND);
    assert_eq!(circuit.admit(), None);
    assert_eq!(circuit.state.suspension.unwrap().until, None);
}

#[test]
fn only_what_is_the_selectors_fault_or_the_machines_counts() {
    let text = String::new;
    let counted = [
        Fallback::Trapped(text()),
        Fallback::OutOfBudget(Budget::Fuel),
        Fallback::OutOfBudget(Budget::WallClock),
        Fallback::OutOfBudget(Budget::Stack),
        Fallback::OutOfBudget(Budget::Bytes),
        Fallback::Host(text()),
    ];
    let others = [
        Fallback::Failed(text()),
        Fallback::UnknownTracer(text()),
        Fallback::Overloaded,
        Fallback::Suspended(text()),
        Fallback::Unavailable(text()),
    ];
    let is_counted = |fallback: Fallback| broke(&Choice::Fallback(fallback)).is_some();
    assert!(counted.into_iter().all(is_counted));
    assert!(!others.into_iter().any(is_counted));
    assert_eq!(broke(&Choice::Abstain), None);
}

/// A circuit with its lock, clock and permits.
fn circuit(after: u32, first: Duration) -> Circuit {
    Circuit::new(Patience {
        after,
        first,
        longest: 300 * SECOND,
    })
}

fn run(circuit: &Circuit, choice: &Choice) {
    let permit = circuit.admit().expect("a permit");
    permit.ended("guest", choice, || choice.clone());
}

#[test]
fn control_run_may_use_the_circuit_itself() {
    let circuit = circuit(1, Duration::ZERO);
    let permit = circuit.admit().expect("a permit");
    permit.ended("guest", &Choice::Fallback(trap()), || {
        assert_eq!(circuit.suspension(), None);
        run(&circuit, &Choice::Fallback(trap()));
        Choice::Fallback(trap())
    });
    assert_eq!(circuit.suspension().map(|one| one.times), Some(1));
}

#[test]
fn control_run_is_repeated_when_it_shows_nothing() {
    let circuit = circuit(2, Duration::ZERO);
    let mut checked = 0;
    for _ in 0..4 {
        let permit = circuit.admit().expect("a permit");
        permit.ended("guest", &Choice::Fallback(trap()), || {
            checked += 1;
            Choice::Fallback(Fallback::Overloaded)
        });
    }
    assert_eq!((checked, circuit.suspension()), (3, None));
}

#[test]
fn a_probe_that_nobody_speaks_of_is_tried_again_by_the_next() {
    let circuit = circuit(1, Duration::ZERO);
    run(&circuit, &Choice::Fallback(trap()));
    for _ in 0..3 {
        let probe = circuit.admit().expect("the probe");
        assert!(probe.probe && circuit.admit().is_err());
        drop(probe);
        // A run that found no sandbox does not count either.
        run(&circuit, &Choice::Fallback(Fallback::Overloaded));
    }
    assert!(circuit.suspension().is_some());
    run(&circuit, &Choice::Abstain);
    assert_eq!(circuit.suspension(), None);
}

#[test]
fn of_many_threads_one_is_let_through() {
    let circuit = circuit(1, Duration::ZERO);
    run(&circuit, &Choice::Fallback(trap()));
    let permits: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| circuit.admit())).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(permits.iter().filter(|permit| permit.is_ok()).count(), 1);
}
