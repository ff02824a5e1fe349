//! The contents of all backends, by trace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::backends::Backends;
use crate::stored::StoredSpan;

/// Maximum time for backends to store the spans that they accepted.
const STORED_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Everything that is stored at one moment.
pub struct Store {
    traces: BTreeMap<String, Vec<StoredSpan>>,
    ids: BTreeSet<String>,
}

impl Store {
    /// Reads the backends until all `expected` spans are stored.
    pub fn holding(backends: &Backends, expected: &BTreeSet<String>) -> Result<Self> {
        Self::when(backends, |store| expected.is_subset(&store.ids))
    }

    /// Reads the backends until `enough` returns `true`. Missing spans are left to the checks.
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

    /// Creates a store of these spans.
    pub fn of(spans: Vec<StoredSpan>) -> Self {
        let ids = spans.iter().map(|span| span.id.clone()).collect();
        let mut traces: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for span in spans {
            traces.entry(span.trace.clone()).or_default().push(span);
        }
        Self { traces, ids }
    }

    /// Returns the spans of a trace in all places.
    pub fn trace(&self, id: &str) -> &[StoredSpan] {
        self.traces.get(id).map_or(&[], Vec::as_slice)
    }

    /// Returns the ids of all spans.
    pub fn ids(&self) -> &BTreeSet<String> {
        &self.ids
    }

    /// Iterates over all spans.
    pub fn spans(&self) -> impl Iterator<Item = &StoredSpan> {
        self.traces.values().flatten()
    }
}
