//! The circuit of one selector: after so many runs in a row that broke it is left
//! alone for a while, and then one run is let through to see whether it works again.
//!
//! In a row, and not a share of the last runs: a run that works shows that the
//! component does, so a rule that breaks for one tenant stays there for the others.
//! What always breaks for the same answers is learned and never runs again, so a row
//! is made of contexts that differ, or of faults that are not the guest's.
//!
//! Only runs come here. What was learned answers beside an open circuit.

use crate::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::sync::Mutex;

use crate::decision::{Choice, Fallback, Suspension};

/// Who may run, and what came of those who did.
pub struct Circuit {
    /// Whether there is anything to look up under the lock: a run broke and none has
    /// worked since. While it is false, nobody meets anybody here.
    troubled: AtomicBool,
    state: Mutex<State>,
}

/// Leave to run once. Dropped without a word of how it ended, as if it had never
/// been given.
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

    /// Leave to run, or why there is none.
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

    /// Whether the selector is suspended, since when and why.
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
    /// Says what came of the run of this selector.
    pub fn ended(self, selector: &str, choice: &Choice) {
        let Some(reason) = broke(choice) else {
            // What says nothing of the selector is as if it had not run.
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
    /// A probe that never ran, or that nobody spoke of, is tried again by the next.
    fn drop(&mut self) {
        if self.probe {
            self.circuit.state.lock().probing = false;
        }
    }
}

/// Why a run broke, if it did. An author's word and a name that nobody has are
/// decisions: were they counted, one bad tenant could take a rule from all.
fn broke(choice: &Choice) -> Option<&Fallback> {
    match choice {
        Choice::Fallback(
            reason @ (Fallback::Trapped(_) | Fallback::OutOfBudget(_) | Fallback::Host(_)),
        ) => Some(reason),
        _ => None,
    }
}

/// How much is borne, and how long it is waited.
#[derive(Clone, Copy)]
pub struct Patience {
    /// Runs in a row; none, and nothing is ever suspended.
    pub after: u32,
    pub first: Duration,
    /// At least `first`.
    pub longest: Duration,
}

/// The circuit without its lock and its clock.
struct State {
    patience: Patience,
    /// Runs in a row that broke.
    broken: u32,
    /// While it is suspended. It is tried again at the moment beside it; none is later
    /// than a clock can tell.
    suspension: Option<Suspension>,
    until: Option<Instant>,
    /// Whether a run is on its way that shall show whether it works again.
    probing: bool,
    /// How long it was suspended last, as far as that is not forgotten, and since when
    /// it has worked since.
    last: Duration,
    well_since: Option<Instant>,
    /// How often it was suspended.
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

    /// Whether who may run is the one that shows whether it works again.
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

    /// A run broke. How long it is suspended for that, if it is.
    fn broke(&mut self, probe: bool, reason: &Fallback, now: Instant) -> Option<Duration> {
        // What began before it was suspended has nothing to add.
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

    /// How long it is suspended now: twice as long as the last time. What it has been
    /// well for since is forgotten of that, by halves.
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

    /// A run worked. Whether that ends a suspension.
    fn worked(&mut self, probe: bool, now: Instant) -> bool {
        if self.suspension.is_none() {
            self.broken = 0;
            return false;
        }
        // What began before it was suspended does not show that it works again.
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
