//! What all backends have, looked up by trace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::backends::Backends;
use crate::stored::StoredSpan;

/// How long backends may take to store what they took.
const STORED_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Everything that is stored, at one moment.
pub struct Store {
    traces: BTreeMap<String, Vec<StoredSpan>>,
    ids: BTreeSet<String>,
}

impl Store {
    /// Looks until all of `expected` is there.
    pub fn holding(backends: &Backends, expected: &BTreeSet<String>) -> Result<Self> {
        Self::when(backends, |store| expected.is_subset(&store.ids))
    }

    /// Looks until `enough` says so. What does not come in time is left for the checks
    /// to find.
    pub fn when(backends: &Backends, enough: impl Fn(&Self) -> bool) -> Result<Self> {
        let until = Instant::now() + STORED_WITHIN;
        loop {
            let store = Self::of(backends.stored()?);
            if enough(&store) || Instant::now() > until {
                return Ok(store);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// These spans and no others.
    pub fn of(spans: Vec<StoredSpan>) -> Self {
        let ids = spans.iter().map(|span| span.id.clone()).collect();
        let mut traces: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for span in spans {
            traces.entry(span.trace.clone()).or_default().push(span);
        }
        Self { traces, ids }
    }

    /// The spans of a trace, wherever they are.
    pub fn trace(&self, id: &str) -> &[StoredSpan] {
        self.traces.get(id).map_or(&[], Vec::as_slice)
    }

    /// The ids of all spans.
    pub fn ids(&self) -> &BTreeSet<String> {
        &self.ids
    }

    /// Every span.
    pub fn spans(&self) -> impl Iterator<Item = &StoredSpan> {
        self.traces.values().flatten()
    }
}
