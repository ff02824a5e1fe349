//! The circuit breaker of one selector. After a number of consecutive failed runs the circuit
//! opens: the selector is suspended. When the back-off ends, one run probes whether it works again.
//!
//! The breaker counts consecutive failures and not a share of recent runs. A successful run shows
//! that the component works, so a rule that fails for one tenant stays available for the others. A
//! failure that always occurs for the same answers is cached and does not run again, so consecutive
//! failures have different contexts or are not the guest's fault.
//!
//! Only runs reach the breaker. Cached decisions stay available while it is open.

use crate::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::sync::Mutex;

use crate::decision::{Choice, Fallback, Suspension};

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
        let probe = match self.troubled.load(Ordering::Acquire) {
            false => false,
            true => self.state.lock().admit(Instant::now())?,
        };
        Ok(Permit {
            circuit: self,
            probe,
        })
    }

    /// Returns the suspension, if the circuit is open.
    pub fn suspension(&self) -> Option<Suspension> {
        match self.troubled.load(Ordering::Acquire) {
            false => None,
            true => self.state.lock().suspension.clone(),
        }
    }

    fn now_troubled(&self, state: &State) {
        let troubled = state.broken > 0 || state.suspension.is_some();
        self.troubled.store(troubled, Ordering::Release);
    }
}

impl Permit<'_> {
    /// Records the result of the run of this selector.
    pub fn ended(self, selector: &str, choice: &Choice) {
        let Some(reason) = broke(choice) else {
            // A run that could not start does not count.
            if !matches!(choice, Choice::Fallback(Fallback::Overloaded)) {
                self.worked(selector);
            }
            return;
        };
        let mut state = self.circuit.state.lock();
        let suspended = state.broke(self.probe, reason, Instant::now());
        self.circuit.now_troubled(&state);
        let Some(lasts) = suspended else { return };
        drop(state);
        tracing::warn!(
            selector,
            %reason,
            probe = self.probe,
            seconds = lasts.as_secs_f64(),
            "a selector is suspended: it runs no more until a run of it is tried again; what was \
             cached of it keeps answering, other decisions go to the fallback tracer"
        );
    }

    fn worked(self, selector: &str) {
        if !self.circuit.troubled.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.circuit.state.lock();
        let restored = state.worked(self.probe, Instant::now());
        self.circuit.now_troubled(&state);
        drop(state);
        if restored {
            tracing::info!(selector, "a selector works again and is suspended no more");
        }
    }
}

impl Drop for Permit<'_> {
    /// A probe without a result is repeated by the next decision.
    fn drop(&mut self) {
        if self.probe {
            self.circuit.state.lock().probing = false;
        }
    }
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
    /// Consecutive failures that open the circuit. Zero disables the breaker.
    pub after: u32,
    pub first: Duration,
    /// At least `first`.
    pub longest: Duration,
}

/// The circuit without its lock and its clock.
struct State {
    patience: Patience,
    /// Consecutive failed runs.
    broken: u32,
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

    /// Records a failed run. Returns the back-off if the circuit opens.
    fn broke(&mut self, probe: bool, reason: &Fallback, now: Instant) -> Option<Duration> {
        // Runs that started before the suspension do not count.
        if self.patience.after == 0 || (self.suspension.is_some() && !probe) {
            return None;
        }
        self.broken = self.broken.saturating_add(1);
        if !probe && self.broken < self.patience.after {
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
        match last < self.patience.first || last.is_zero() {
            true => self.patience.first,
            false => last.saturating_mul(2).min(self.patience.longest),
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
