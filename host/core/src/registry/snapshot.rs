//! One state of the registry.

use std::sync::Arc;

use super::UnknownTracerError;
use super::sharded_counters::ShardedCounters;
use crate::cache_slot::CacheSlot;
use crate::selector::Chain;
use crate::tracer_names::TracerNames;

/// An immutable state of the registry, as readers see it.
pub(super) struct Snapshot<T> {
    pub(super) tracers: Vec<Arc<T>>,
    pub(super) names: TracerNames,
    /// A position in `tracers`, or `None` if there is no tracer.
    pub(super) default: Option<usize>,
    /// The position of the fallback tracer, or `None` for the default tracer.
    pub(super) fallback: Option<usize>,
    pub(super) chain: Chain,
    /// One cache slot per selector for these names.
    pub(super) seats: Box<[CacheSlot]>,
    pub(super) counters: Arc<ShardedCounters>,
}

impl<T> Default for Snapshot<T> {
    fn default() -> Self {
        Self {
            tracers: Vec::new(),
            names: TracerNames::default(),
            default: None,
            fallback: None,
            chain: Chain::empty(),
            seats: Box::default(),
            counters: Arc::default(),
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
            seats: Box::default(),
            counters: Arc::default(),
        }
    }
}

impl<T> Snapshot<T> {
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.as_slice().iter().position(|known| known == name)
    }

    pub(super) fn find(&self, name: &str) -> Result<usize, UnknownTracerError> {
        self.place(name).ok_or_else(|| UnknownTracerError {
            name: name.to_owned(),
            known: self.names.as_slice().to_vec(),
        })
    }

    /// Returns the tracer of a trace for which no tracer was chosen.
    pub(super) fn fallback_place(&self, failed: bool) -> Option<usize> {
        match failed {
            true => self.fallback.or(self.default),
            false => self.default,
        }
    }

    pub(super) fn distinct(&self) -> Vec<(String, Arc<T>)> {
        let mut distinct: Vec<(String, Arc<T>)> = Vec::new();
        for (name, tracer) in self.names.as_slice().iter().zip(&self.tracers) {
            if !distinct.iter().any(|(_, known)| Arc::ptr_eq(known, tracer)) {
                distinct.push((name.clone(), tracer.clone()));
            }
        }
        distinct
    }
}
