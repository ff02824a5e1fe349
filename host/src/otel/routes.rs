//! The tracers that open traces may name: those of the registry, and those that
//! left it while somebody still holds them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::mark::Mark;
use super::otel_tracer::OtelTracer;

/// For how many names of one tracer the marks are kept. One is usual; a tracer
/// that is registered under ever new names must not fill memory.
const MAX_KEPT_NAMES: usize = 16;

/// From a tracer's number to the tracer. It keeps none alive: what a trace needs
/// is held by its spans and by the registry.
#[derive(Debug)]
pub(super) struct Routes {
    /// Which provider wrote a mark.
    provider: u32,
    table: ArcSwap<Table>,
    /// Held while the table is changed, with what the tracers had lost that are
    /// no longer in it.
    forgotten: Mutex<u64>,
}

type Table = HashMap<u64, Route, foldhash::fast::RandomState>;

#[derive(Clone, Debug)]
struct Route {
    tracer: Weak<OtelTracer>,
    lost: Arc<AtomicU64>,
    marks: Vec<Arc<Mark>>,
}

impl Routes {
    pub(super) fn new(provider: u32) -> Self {
        Self {
            provider,
            table: ArcSwap::from_pointee(Table::default()),
            forgotten: Mutex::new(0),
        }
    }

    pub(super) fn provider(&self) -> u32 {
        self.provider
    }

    /// The tracer of this number, if it still is.
    pub(super) fn tracer(&self, number: u64) -> Option<Arc<OtelTracer>> {
        self.table.load().get(&number)?.tracer.upgrade()
    }

    /// The mark of a tracer under a name. From here on the tracer is found by its
    /// number.
    ///
    /// # Cost
    /// One look-up without a lock. The first trace of a tracer copies the table.
    pub(super) fn mark(&self, tracer: &Arc<OtelTracer>, name: &str) -> Arc<Mark> {
        let kept = self.table.load().get(&tracer.number()).and_then(|route| {
            let mut marks = route.marks.iter();
            marks.find(|mark| &**mark.name() == name).cloned()
        });
        kept.unwrap_or_else(|| self.add(tracer, name))
    }

    fn add(&self, tracer: &Arc<OtelTracer>, name: &str) -> Arc<Mark> {
        let mark = Arc::new(Mark::new(name, self.provider, tracer.number()));
        let mut forgotten = self.forgotten.lock();
        let mut next = Table::clone(&self.table.load());
        next.retain(|_, route| {
            let gone = route.tracer.strong_count() == 0;
            if gone {
                *forgotten += route.lost.load(Ordering::Relaxed);
            }
            !gone
        });
        let route = next.entry(tracer.number()).or_insert_with(|| Route {
            tracer: Arc::downgrade(tracer),
            lost: tracer.lost().clone(),
            marks: Vec::new(),
        });
        if route.marks.len() >= MAX_KEPT_NAMES {
            route.marks.remove(0);
        }
        route.marks.push(mark.clone());
        self.table.store(Arc::new(next));
        mark
    }

    /// The tracers that still are, each with the name under which it was selected
    /// last.
    pub(super) fn alive(&self) -> Vec<(String, Arc<OtelTracer>)> {
        let table = self.table.load();
        let alive = table.values().filter_map(|route| {
            let name = route.marks.last()?.name().to_string();
            Some((name, route.tracer.upgrade()?))
        });
        alive.collect()
    }

    /// How many spans ended or started after their tracer was shut down.
    pub(super) fn lost(&self) -> u64 {
        let forgotten = self.forgotten.lock();
        let table = self.table.load();
        let known = table
            .values()
            .map(|route| route.lost.load(Ordering::Relaxed));
        *forgotten + known.sum::<u64>()
    }
}
