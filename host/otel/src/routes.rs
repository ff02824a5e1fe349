//! The routes of open traces. There is one route to each tracer under each of its names,
//! as long as the tracer exists.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use opentelemetry::trace::{SpanContext, TraceId, TraceState};
use parking_lot::Mutex;

use super::dropped::DroppedSpans;
use super::numbered_routes::{NOWHERE, NumberedRoutes, RoutesVersion};
use super::otel_tracer::OtelTracer;
use super::trace_id::TraceIds;
use super::tracer_stats::{Forgotten, Totals, TracerStats};
use super::tracestate::{self, TracestateEntry};

/// Maximum number of names per tracer with their own route. One is usual. The limit
/// bounds memory for a tracer that is registered under ever new names.
const MAX_KEPT_NAMES: usize = 16;

/// The routes of one provider. They keep no tracer alive: spans and the registry hold the
/// tracers of open traces.
#[derive(Debug)]
pub(super) struct Routes {
    /// Identifies the provider in `tracestate` entries and trace ids. It is random
    /// because the crate has no process-wide state, and so that other processes use
    /// different numbers.
    provider: u64,
    ids: TraceIds,
    table: ArcSwap<Table>,
    version: RoutesVersion,
    /// Held while the table changes. Contains the statistics of tracers that have left
    /// the table.
    forgotten: Mutex<Forgotten>,
}

#[derive(Clone, Debug, Default)]
struct Table {
    numbered: Arc<NumberedRoutes>,
    /// Sorted by address.
    tracers: Vec<Known>,
}

/// A tracer and its routes.
#[derive(Clone, Debug)]
struct Known {
    /// Unique while a route refers to the tracer.
    address: usize,
    stats: Arc<TracerStats>,
    routes: Vec<Arc<Route>>,
}

/// A route to one tracer under one name.
#[derive(Debug)]
pub(super) struct Route {
    number: u64,
    /// Set if the number belongs to this name alone.
    is_kept: bool,
    tracer: Weak<OtelTracer>,
    entry: TracestateEntry,
}

impl Route {
    pub(super) fn name(&self) -> &Arc<str> {
        self.entry.name()
    }

    pub(super) fn entry(&self) -> &TracestateEntry {
        &self.entry
    }

    /// Returns the tracer if it still exists.
    pub(super) fn tracer(&self) -> Option<Arc<OtelTracer>> {
        self.tracer.upgrade()
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Returns the number if it identifies the route completely.
    fn kept_number(&self) -> Option<u64> {
        self.is_kept.then_some(self.number)
    }

    fn is_gone(&self) -> bool {
        self.tracer.strong_count() == 0
    }
}

/// The tracer that the children of a local parent use.
pub(super) enum Lineage {
    /// The parent belongs to another provider or there is none: the span is a root span.
    Root,
    /// Children follow the parent's trace id.
    ById(Arc<OtelTracer>),
    /// Children follow the parent's `tracestate` entry.
    ByTracestate(Arc<OtelTracer>),
    /// The parent's tracer has been dropped.
    Gone,
}

impl Routes {
    pub(super) fn new() -> Self {
        let provider = tracestate::number();
        Self {
            provider,
            ids: TraceIds::new(provider),
            table: ArcSwap::from_pointee(Table::default()),
            version: RoutesVersion::default(),
            forgotten: Mutex::default(),
        }
    }

    /// Finds the tracer for the children of a local parent.
    ///
    /// The `tracestate` entry takes precedence. Under a remote parent the trace id is
    /// fixed, and it may be one that this provider assigned earlier, if the process
    /// called itself.
    ///
    /// # Cost
    /// One lookup without a lock or a locked instruction, and one counted reference.
    pub(super) fn lineage(&self, parent: &SpanContext) -> Lineage {
        let marked = tracestate::read(parent.trace_state(), self.provider);
        let number = marked.unwrap_or_else(|| self.ids.read(parent.trace_id()));
        let load = || self.table.load().numbered.clone();
        self.version.with(self.provider, load, |routes| {
            if number >= routes.next {
                return Lineage::Root;
            }
            let route = routes.get(number);
            match route.and_then(|route| route.tracer()) {
                Some(tracer) if marked.is_none() => Lineage::ById(tracer),
                Some(tracer) => Lineage::ByTracestate(tracer),
                None => Lineage::Gone,
            }
        })
    }

    /// Returns the route to a tracer under a name. Afterwards the tracer can be found by
    /// the route's number.
    ///
    /// # Cost
    /// One lookup without a lock. The first trace of a tracer copies the table.
    pub(super) fn route(&self, tracer: &Arc<OtelTracer>, name: &str) -> Arc<Route> {
        let table = self.table.load();
        match table.route(tracer, name) {
            Some(route) => route.clone(),
            None => self.add(tracer, name),
        }
    }

    fn add(&self, tracer: &Arc<OtelTracer>, name: &str) -> Arc<Route> {
        let mut forgotten = self.forgotten.lock();
        let table = self.table.load();
        // Another thread may have added it first.
        if let Some(route) = table.route(tracer, name) {
            return route.clone();
        }
        let route = |number, is_kept| {
            Arc::new(Route {
                number,
                is_kept,
                tracer: Arc::downgrade(tracer),
                entry: TracestateEntry::new(name, self.provider, number),
            })
        };
        if let Some(number) = table.number_for_more_names(tracer) {
            return route(number, false);
        }
        let mut next = Table::clone(&table);
        next.tidy(&mut forgotten);
        let numbered = Arc::make_mut(&mut next.numbered);
        let route = route(numbered.next, true);
        numbered.next += 1;
        numbered.routes.push(route.clone());
        next.known_or_new(tracer).routes.push(route.clone());
        self.table.store(Arc::new(next));
        self.version.changed();
        route
    }

    /// Returns an id for a new trace in a tracer under a name, or `None` if the trace
    /// needs a `tracestate` entry.
    pub(super) fn trace_id(&self, tracer: &Arc<OtelTracer>, name: &str) -> Option<TraceId> {
        if !tracer.has_routed_ids() {
            return None;
        }
        let give = || self.route(tracer, name).kept_number();
        let number = tracer.route_number(self.provider, name, give)?;
        Some(self.ids.write(number))
    }

    /// Returns an entry for a tracer that is not registered here. It matches no route.
    pub(super) fn nowhere(&self, encoded: &str) -> TracestateEntry {
        TracestateEntry::encoded(encoded, encoded, self.provider, NOWHERE)
    }

    /// Returns the `tracestate` with which one of our contexts leaves the process. It
    /// names the tracer of the trace. Returns `None` for contexts of other providers.
    pub(super) fn outbound(&self, context: &SpanContext) -> Option<TraceState> {
        let state = context.trace_state();
        if !context.is_valid() || context.is_remote() {
            return None;
        }
        if tracestate::read(state, self.provider).is_some() {
            return Some(state.clone());
        }
        let number = self.ids.read(context.trace_id());
        let table = self.table.load();
        Some(table.numbered.get(number)?.entry.put(state))
    }

    /// Returns the tracers that still exist, each with the name under which it was most
    /// recently selected for the first time.
    pub(super) fn alive(&self) -> Vec<(String, Arc<OtelTracer>)> {
        let table = self.table.load();
        let alive = table
            .tracers
            .iter()
            .filter_map(|known| Some((known.name(), known.routes.last()?.tracer.upgrade()?)));
        alive.collect()
    }

    /// Returns the spans that were dropped before they reached an exporter.
    pub(super) fn dropped(&self) -> DroppedSpans {
        let forgotten = self.forgotten.lock();
        let mut dropped = forgotten.dropped();
        for known in &self.table.load().tracers {
            dropped += known.stats.dropped();
        }
        dropped
    }

    /// Adds the statistics of all tracers except those in `but`.
    pub(super) fn read(&self, but: &[Arc<TracerStats>], totals: &mut Totals) {
        let forgotten = self.forgotten.lock();
        forgotten.read(totals);
        for known in &self.table.load().tracers {
            if !but.iter().any(|stats| Arc::ptr_eq(stats, &known.stats)) {
                totals.add(known.stats.read(known.name()));
            }
        }
    }
}

impl Table {
    fn route(&self, tracer: &Arc<OtelTracer>, name: &str) -> Option<&Arc<Route>> {
        let mut routes = self.known(tracer)?.routes.iter();
        routes.find(|route| **route.name() == *name)
    }

    fn known(&self, tracer: &Arc<OtelTracer>) -> Option<&Known> {
        self.tracers.get(self.place(tracer).ok()?)
    }

    fn known_or_new(&mut self, tracer: &Arc<OtelTracer>) -> &mut Known {
        let place = self.place(tracer).unwrap_or_else(|place| {
            self.tracers.insert(place, Known::new(tracer));
            place
        });
        &mut self.tracers[place]
    }

    fn place(&self, tracer: &Arc<OtelTracer>) -> Result<usize, usize> {
        let address = address(tracer);
        self.tracers
            .binary_search_by_key(&address, |known| known.address)
    }

    /// Returns the number of another route of this tracer if it has reached the limit of
    /// names. The number still leads to the tracer.
    fn number_for_more_names(&self, tracer: &Arc<OtelTracer>) -> Option<u64> {
        let routes = &self.known(tracer)?.routes;
        let first = routes.first().filter(|_| routes.len() >= MAX_KEPT_NAMES);
        first.map(|route| route.number)
    }

    /// Removes the routes of dropped tracers and keeps their statistics.
    fn tidy(&mut self, forgotten: &mut Forgotten) {
        self.tracers.retain(|known| {
            let gone = known.routes.iter().all(|route| route.is_gone());
            if gone {
                forgotten.add(known.name(), known.stats.clone());
            }
            !gone
        });
        Arc::make_mut(&mut self.numbered)
            .routes
            .retain(|route| !route.is_gone());
    }
}

impl Known {
    fn new(tracer: &Arc<OtelTracer>) -> Self {
        Self {
            address: address(tracer),
            stats: tracer.stats().clone(),
            routes: Vec::new(),
        }
    }

    /// Returns the name under which the tracer was most recently selected for the first
    /// time.
    fn name(&self) -> String {
        let last = self.routes.last();
        last.map_or_else(String::new, |route| route.name().to_string())
    }
}

fn address(tracer: &Arc<OtelTracer>) -> usize {
    Arc::as_ptr(tracer).addr()
}
