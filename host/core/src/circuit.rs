//! The circuit breaker of one selector. It suspends a selector that cannot work, and never one that
//! only some callers make fail.
//!
//! A selector is a pure function of the answers that it receives, so a trap says nothing about other
//! contexts, and one tenant with poisonous values could suspend the rule of all others. Counting
//! alone cannot tell the two apart, however many values differ. The breaker therefore asks for
//! evidence that no caller controls: after a number of consecutive failed runs, it makes one
//! *control run* with a context that worked before, or with an empty one if none ever did. Only if
//! that fails as well does the circuit open. When the back-off ends, one run probes whether the
//! selector works again, and a failed probe is checked in the same way.
//!
//! The cost of hostile contexts stays bounded without a suspension. Each distinct context costs one
//! run within its fuel, time and memory, no more of them run at once than there are sandbox slots,
//! the failures that depend on the answers alone are cached, and control runs add one run per
//! `Patience::after` failures. A suspension saves the runs of a selector that fails always, so
//! failures that are rare need none: they count together only within [`WINDOW`].
//!
//! Only runs reach the breaker. Cached decisions stay available while it is open.

use crate::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::sync::Mutex;

use crate::decision::{Choice, Fallback, Suspension};

/// The time within which consecutive failures count together. With the default of five failures, a
/// selector that fails less often than once in 12 seconds costs less than its suspension would.
const WINDOW: Duration = Duration::from_secs(60);

/// Admits runs and records their results.
pub struct Circuit {
    /// `true` if a run failed and none has succeeded since. While it is `false`, no thread takes
    /// the lock.
    troubled: AtomicBool,
    state: Mutex<State>,
}

/// The permission for one run. Dropping it without a result has no effect on the circuit.
pub struct Permit<'a> {
    circuit: &'a Circuit,
    probe: bool,
    /// `true` while this thread makes the control run.
    checking: bool,
}

/// A change of the circuit by the result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CircuitChange {
    /// The selector is suspended, for the first time or again.
    Opened { reason: String, back_off: Duration },
    /// The suspension ended.
    Closed,
}

impl Circuit {
    pub fn new(patience: Patience) -> Self {
        Self {
            troubled: AtomicBool::new(false),
            state: Mutex::new(State::new(patience)),
        }
    }

    /// Returns a permit, or the failure if the selector is suspended.
    pub fn admit(&self) -> Result<Permit<'_>, Fallback> {
        let probe =
            self.troubled.load(Ordering::Acquire) && self.state.lock().admit(Instant::now())?;
        Ok(Permit {
            circuit: self,
            probe,
            checking: false,
        })
    }

    /// Returns the suspension, if the circuit is open.
    pub fn suspension(&self) -> Option<Suspension> {
        if self.troubled.load(Ordering::Acquire) {
            self.state.lock().suspension.clone()
        } else {
            None
        }
    }

    fn now_troubled(&self, state: &State) {
        let troubled = state.broken > 0 || state.suspension.is_some();
        self.troubled.store(troubled, Ordering::Release);
    }
}

impl Permit<'_> {
    /// Records the result of the run of this selector, and returns the change of the circuit that
    /// follows. `control` runs it with a context that is known to work, or an empty one. It is called
    /// without a lock, and only if a suspension depends on it.
    pub fn ended(
        mut self,
        selector: &str,
        choice: &Choice,
        control: impl FnOnce() -> Choice,
    ) -> Option<CircuitChange> {
        let Some(reason) = broke(choice) else {
            return self.worked_if(shows_health(choice), selector);
        };
        self.checking = self.broke();
        if !self.checking {
            return None;
        }
        let control = control();
        if broke(&control).is_some() {
            return self.suspend(selector, reason);
        }
        self.worked_if(shows_health(&control), selector)
    }

    /// Records a failed run. Returns `true` if this thread must make the control run.
    fn broke(&self) -> bool {
        let mut state = self.circuit.state.lock();
        let check = state.broke(self.probe, Instant::now());
        self.circuit.now_troubled(&state);
        check
    }

    fn suspend(&self, selector: &str, reason: &Fallback) -> Option<CircuitChange> {
        let mut state = self.circuit.state.lock();
        let suspended = state.open(self.probe, reason, Instant::now());
        self.circuit.now_troubled(&state);
        drop(state);
        let back_off = suspended?;
        tracing::warn!(
            selector,
            %reason,
            probe = self.probe,
            seconds = back_off.as_secs_f64(),
            "a selector is suspended until a probe succeeds; its cached decisions stay available, \
             and others go to the fallback tracer"
        );
        let reason = reason.to_string();
        Some(CircuitChange::Opened { reason, back_off })
    }

    fn worked_if(&self, healthy: bool, selector: &str) -> Option<CircuitChange> {
        if !healthy || !self.circuit.troubled.load(Ordering::Acquire) {
            return None;
        }
        let mut state = self.circuit.state.lock();
        let restored = state.worked(self.probe, Instant::now());
        self.circuit.now_troubled(&state);
        drop(state);
        if restored {
            tracing::info!(selector, "the selector works again; its suspension ended");
        }
        restored.then_some(CircuitChange::Closed)
    }
}

impl Drop for Permit<'_> {
    /// A probe or a control run without a result is repeated by a later decision.
    fn drop(&mut self) {
        if self.probe || self.checking {
            let mut state = self.circuit.state.lock();
            state.probing &= !self.probe;
            state.checking &= !self.checking;
        }
    }
}

/// Returns `true` if the selector ran without a failure that counts.
pub fn shows_health(choice: &Choice) -> bool {
    // A run that could not start shows nothing.
    broke(choice).is_none() && !matches!(choice, Choice::Fallback(Fallback::Overloaded))
}

/// Returns the failure of a run that counts. An author's error and an unknown name are decisions:
/// counting them would let one bad tenant disable a rule for all.
fn broke(choice: &Choice) -> Option<&Fallback> {
    match choice {
        Choice::Fallback(
            reason @ (Fallback::Trapped(_) | Fallback::OutOfBudget(_) | Fallback::Host(_)),
        ) => Some(reason),
        _ => None,
    }
}

/// The settings of a circuit breaker.
#[derive(Clone, Copy)]
pub struct Patience {
    /// Consecutive failures after which a control run decides whether the circuit opens. Zero
    /// disables the breaker.
    pub after: u32,
    pub first: Duration,
    /// At least `first`.
    pub longest: Duration,
}

/// The circuit without its lock and its clock.
struct State {
    patience: Patience,
    /// Consecutive failed runs, and the time of the first.
    broken: u32,
    began: Option<Instant>,
    /// `true` while a thread makes the control run.
    checking: bool,
    /// Set while the circuit is open. The next probe runs at `until`, or never if a clock cannot
    /// represent that time.
    suspension: Option<Suspension>,
    until: Option<Instant>,
    /// `true` while a probe is under way.
    probing: bool,
    /// The previous back-off as far as it is remembered, and the start of the healthy period since.
    last: Duration,
    well_since: Option<Instant>,
    /// Number of suspensions.
    times: u64,
}

impl State {
    fn new(patience: Patience) -> Self {
        Self {
            patience,
            broken: 0,
            began: None,
            checking: false,
            suspension: None,
            until: None,
            probing: false,
            last: Duration::ZERO,
            well_since: None,
            times: 0,
        }
    }

    /// Returns `true` if the run is a probe.
    fn admit(&mut self, now: Instant) -> Result<bool, Fallback> {
        let Some(suspension) = &self.suspension else {
            return Ok(false);
        };
        if self.probing || self.until.is_none_or(|until| now < until) {
            return Err(Fallback::Suspended(suspension.reason.clone()));
        }
        self.probing = true;
        Ok(true)
    }

    /// Records a failed run. Returns `true` if a control run is due.
    fn broke(&mut self, probe: bool, now: Instant) -> bool {
        // Runs that started before the suspension do not count.
        if self.patience.after == 0 || (self.suspension.is_some() && !probe) {
            return false;
        }
        let recent = |began| now.saturating_duration_since(began) <= WINDOW;
        if !self.began.is_some_and(recent) {
            self.began = Some(now);
            self.broken = 0;
        }
        self.broken = self.broken.saturating_add(1);
        let due = (probe || self.broken >= self.patience.after) && !self.checking;
        self.checking |= due;
        due
    }

    /// Opens the circuit after a failed control run and returns the back-off. Does nothing if a run
    /// succeeded meanwhile.
    fn open(&mut self, probe: bool, reason: &Fallback, now: Instant) -> Option<Duration> {
        if self.broken == 0 || (self.suspension.is_some() && !probe) {
            return None;
        }
        self.last = self.next(now);
        self.until = now.checked_add(self.last);
        self.times += 1;
        let since = match &self.suspension {
            Some(suspension) => suspension.since,
            None => SystemTime::now(),
        };
        self.suspension = Some(Suspension {
            since,
            until: SystemTime::now().checked_add(self.last),
            times: self.times,
            reason: reason.to_string(),
        });
        Some(self.last)
    }

    /// Returns the next back-off: twice the previous one. The healthy period since then halves the
    /// previous one.
    fn next(&mut self, now: Instant) -> Duration {
        let mut well = match self.well_since.take() {
            Some(since) => now.saturating_duration_since(since),
            None => Duration::ZERO,
        };
        let mut last = self.last;
        while last >= self.patience.first && !last.is_zero() && well >= last {
            well -= last;
            last /= 2;
        }
        if last < self.patience.first || last.is_zero() {
            self.patience.first
        } else {
            last.saturating_mul(2).min(self.patience.longest)
        }
    }

    /// Records a successful run. Returns `true` if the circuit closes.
    fn worked(&mut self, probe: bool, now: Instant) -> bool {
        if self.suspension.is_none() {
            self.broken = 0;
            return false;
        }
        // A run that started before the suspension does not show that the selector works again.
        if !probe {
            return false;
        }
        self.broken = 0;
        self.suspension = None;
        self.until = None;
        self.well_since = Some(now);
        true
    }
}

#[cfg(test)]
#[path = "circuit/tests.rs"]
mod tests;
