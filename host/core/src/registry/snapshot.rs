//! One state of the registry.

use std::collections::HashSet;
use std::sync::Arc;

use super::UnknownTracerError;
use super::sharded_counters::ShardedCounters;
use crate::chain::{Chain, Seats};
use crate::chunks::Chunks;
use crate::tracer_names::TracerNames;

/// An immutable state of the registry, as readers see it.
pub(super) struct Snapshot<T> {
    pub(super) tracers: Chunks<Arc<T>>,
    pub(super) names: TracerNames,
    /// A position in `tracers`, or `None` if there is no tracer.
    pub(super) default: Option<usize>,
    /// The position of the fallback tracer, or `None` for the default tracer.
    pub(super) fallback: Option<usize>,
    pub(super) chain: Chain,
    /// The cached decisions of the chain for these names.
    pub(super) seats: Seats,
    pub(super) counters: Arc<ShardedCounters>,
    /// The number of changes before this state.
    pub(super) number: u64,
}

impl<T> Default for Snapshot<T> {
    fn default() -> Self {
        Self {
            tracers: Chunks::default(),
            names: TracerNames::default(),
            default: None,
            fallback: None,
            chain: Chain::empty(),
            seats: Seats::default(),
            counters: Arc::default(),
            number: 0,
        }
    }
}

impl<T> Clone for Snapshot<T> {
    fn clone(&self) -> Self {
        Self {
            tracers: self.tracers.clone(),
            names: self.names.clone(),
            default: self.default,
            fallback: self.fallback,
            chain: self.chain.clone(),
            seats: Seats::default(),
            counters: self.counters.clone(),
            number: self.number,
        }
    }
}

impl<T> Snapshot<T> {
    pub(super) fn find(&self, name: &str) -> Result<usize, UnknownTracerError> {
        self.names.place(name).ok_or_else(|| UnknownTracerError {
            name: name.to_owned(),
            known: self.names.iter().map(str::to_owned).collect(),
        })
    }

    /// Adds a tracer whose name is not taken.
    pub(super) fn add(&mut self, name: &str, tracer: &Arc<T>, default: bool) {
        self.names = self.names.with(name.into());
        self.tracers.push(tracer.clone());
        if default || self.default.is_none() {
            self.default = Some(self.tracers.len() - 1);
        }
    }

    /// Removes the tracer at a position. Later ones move up.
    pub(super) fn remove(&mut self, gone: usize) {
        self.names = self.names.without(gone);
        self.tracers = self.tracers.without(gone);
        self.default = moved(self.default, gone).or(Some(0).filter(|_| !self.tracers.is_empty()));
        self.fallback = moved(self.fallback, gone);
    }

    /// Returns `true` if this state adds at most tracers to an earlier one, so that every position
    /// has the same meaning.
    pub(super) fn extends(&self, earlier: &Self) -> bool {
        self.tracers.len() >= earlier.tracers.len()
            && self.default == earlier.default
            && self.fallback == earlier.fallback
            && self.chain.is(&earlier.chain)
    }

    /// Returns the tracer of a trace for which no tracer was chosen.
    pub(super) fn fallback_place(&self, failed: bool) -> Option<usize> {
        self.fallback.filter(|_| failed).or(self.default)
    }

    pub(super) fn distinct(&self) -> Vec<(String, Arc<T>)> {
        let mut known = HashSet::new();
        let named = self.names.iter().zip(self.tracers.iter());
        named
            .filter(|(_, tracer)| known.insert(Arc::as_ptr(tracer)))
            .map(|(name, tracer)| (name.to_owned(), tracer.clone()))
            .collect()
    }
}

/// Returns a position after the element at `gone` was removed.
fn moved(place: Option<usize>, gone: usize) -> Option<usize> {
    match place? {
        place if place == gone => None,
        place if place > gone => Some(place - 1),
        place => Some(place),
    }
}
