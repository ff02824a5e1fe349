//! Counts of selections as plain values.

use std::collections::BTreeMap;

use crate::decision::Cause;

/// Maximum number of combinations of tracer, selector and cause that left the registry and still
/// have counts of their own. Tenants come and go, and a service runs for months.
const MAX_PAST: usize = 4_096;

/// Replaces the names of combinations beyond the maximum.
pub const OTHERS: &str = "(others)";

/// Counts of selections by cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectionCounts {
    /// Selections in which a selector chose the tracer.
    pub chosen: u64,
    /// Selections, chosen or failed, that were answered from the decision cache without running a
    /// component.
    pub cached: u64,
    by_cause: [u64; Cause::ALL.len()],
    rows: BTreeMap<SelectionOutcome, u64>,
}

/// The outcome of a selection: its tracer, its selector, and the cause if the tracer was not
/// chosen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SelectionOutcome {
    /// The name of the tracer that received the trace, or `None` if no tracer was registered.
    pub tracer: Option<String>,
    /// The name of the selector that decided, or `None` if all abstained or none was registered.
    pub selector: Option<String>,
    /// The cause if no selector chose the tracer.
    pub cause: Option<Cause>,
}

impl SelectionCounts {
    /// Returns the number of selections with this cause.
    pub fn count(&self, cause: Cause) -> u64 {
        self.by_cause[cause as usize]
    }

    /// Returns the number of selections.
    pub fn total(&self) -> u64 {
        self.chosen + self.by_cause.iter().sum::<u64>()
    }

    /// Iterates over the outcomes that occurred, with their counts.
    ///
    /// Of tracers and selectors that left the registry, the first 4,096 combinations keep counts of
    /// their own. Later ones are counted under the name `(others)`.
    ///
    /// # Examples
    /// ```
    /// use spanmux::{RuntimeContext, TracerRegistry};
    ///
    /// let registry = TracerRegistry::<()>::new();
    /// registry.register("console", ())?;
    /// registry.select(&RuntimeContext::empty().view());
    /// let counts = registry.counts();
    /// let (outcome, selections) = counts.outcomes().next().expect("one outcome");
    /// assert_eq!(outcome.tracer.as_deref(), Some("console"));
    /// assert_eq!(outcome.cause.map(|cause| cause.as_str()), Some("no_selector"));
    /// assert_eq!(selections, 1);
    /// # Ok::<(), spanmux::RegisterError>(())
    /// ```
    pub fn outcomes(&self) -> impl Iterator<Item = (&SelectionOutcome, u64)> {
        self.rows.iter().map(|(outcome, count)| (outcome, *count))
    }

    pub(super) fn add(&mut self, outcome: SelectionOutcome, selections: u64) {
        match outcome.cause {
            None => self.chosen += selections,
            Some(kind) => self.by_cause[kind as usize] += selections,
        }
        *self.rows.entry(outcome).or_default() += selections;
    }

    /// Adds the final counts of a past snapshot within the maximum.
    pub(super) fn add_past(&mut self, outcome: SelectionOutcome, selections: u64) {
        let is_apart = self.rows.len() < MAX_PAST || self.rows.contains_key(&outcome);
        let outcome = if is_apart {
            outcome
        } else {
            SelectionOutcome {
                tracer: outcome.tracer.map(|_| OTHERS.to_owned()),
                selector: outcome.selector.map(|_| OTHERS.to_owned()),
                cause: outcome.cause,
            }
        };
        self.add(outcome, selections);
    }
}
