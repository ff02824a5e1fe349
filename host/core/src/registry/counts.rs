//! How many selections there were, as plain values.

use std::collections::BTreeMap;

use crate::decision::Cause;

/// For how many combinations of tracer, selector and cause that are no longer in
/// the registry the counts are kept apart. Tenants come and go, and a service runs
/// for months.
const MAX_PAST: usize = 4_096;

/// Stands for the names of what is kept apart no longer.
const OTHERS: &str = "(others)";

/// How many selections there were, by cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectionCounts {
    /// Selections that a selector chose.
    pub chosen: u64,
    /// Selections, chosen or fallen back, that were answered from what was learned:
    /// no component ran for them.
    pub cached: u64,
    by_cause: [u64; Cause::ALL.len()],
    rows: BTreeMap<SelectionOutcome, u64>,
}

/// What a selection came to: which tracer, by which selector, and why if it was not
/// chosen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SelectionOutcome {
    /// The name of the tracer that received the trace; none if there was none.
    pub tracer: Option<String>,
    /// The name of the selector that decided; none if all abstained or there was
    /// none.
    pub selector: Option<String>,
    /// Why the selector did not choose the tracer; none if it did.
    pub cause: Option<Cause>,
}

impl SelectionCounts {
    /// Selections that fell back for this cause.
    pub fn count(&self, cause: Cause) -> u64 {
        self.by_cause[cause as usize]
    }

    /// All selections.
    pub fn total(&self) -> u64 {
        self.chosen + self.by_cause.iter().sum::<u64>()
    }

    /// Selections by tracer, selector and cause, those that there were.
    ///
    /// Of tracers and selectors that left the registry, the first 4,096
    /// combinations are kept apart; what comes after them is counted under the name
    /// `(others)`.
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

    /// Adds what will not change any more, within bounds.
    pub(super) fn add_past(&mut self, outcome: SelectionOutcome, selections: u64) {
        let is_apart = self.rows.len() < MAX_PAST || self.rows.contains_key(&outcome);
        let outcome = match is_apart {
            true => outcome,
            false => SelectionOutcome {
                tracer: outcome.tracer.map(|_| OTHERS.to_owned()),
                selector: outcome.selector.map(|_| OTHERS.to_owned()),
                cause: outcome.cause,
            },
        };
        self.add(outcome, selections);
    }
}
