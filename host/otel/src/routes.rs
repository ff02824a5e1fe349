//! The routes of open traces: to each tracer under each of its names, while
//! somebody still holds the tracer.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use opentelemetry::trace::{SpanContext, TraceId, TraceState};
use parking_lot::Mutex;

use super::ledger::{Forgotten, Ledger, Totals};
use super::lost::LostSpans;
use super::mark::{self, Mark};
use super::otel_tracer::OtelTracer;
use super::trace_id::TraceIds;

/// For how many names of one tracer a route is kept. One is usual; a tracer that
/// is registered under ever new names must not fill memory.
const MAX_KEPT_NAMES: usize = 16;

/// No route has this number.
const NOWHERE: u64 = 0;

/// The routes of one provider. It keeps no tracer alive: what a trace needs is
/// held by its spans and by the registry.
#[derive(Debug)]
pub(super) struct Routes {
    /// Which provider wrote a mark or a trace id. Random, because nothing here may
    /// be process-wide, and so that another process does not use the same one.
    provider: u64,
    ids: TraceIds,
    table: ArcSwap<Table>,
    /// Held while the table is changed, with what was counted of the tracers that are
    /// no longer in it.
    forgotten: Mutex<Forgotten>,
}

#[derive(Clone, Debug)]
struct Table {
    /// The number of the next route. None is given twice.
    next: u64,
    /// In the order of their numbers.
    routes: Vec<Arc<Route>>,
    /// In the order of their addresses.
    tracers: Vec<Known>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            next: NOWHERE + 1,
            routes: Vec::new(),
            tracers: Vec::new(),
        }
    }
}

/// A tracer and the routes to it.
#[derive(Clone, Debug)]
struct Known {
    /// Its own as long as a route refers to it.
    address: usize,
    ledger: Arc<Ledger>,
    routes: Vec<Arc<Route>>,
}

/// The way to one tracer under one name.
#[derive(Debug)]
pub(super) struct Route {
    number: u64,
    /// Whether the name has the number for itself.
    is_kept: bool,
    tracer: Weak<OtelTracer>,
    mark: Mark,
}

impl Route {
    pub(super) fn name(&self) -> &Arc<str> {
        self.mark.name()
    }

    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }

    /// The tracer, if it still is.
    pub(super) fn tracer(&self) -> Option<Arc<OtelTracer>> {
        self.tracer.upgrade()
    }

    /// The number, if it says all.
    fn number(&self) -> Option<u64> {
        self.is_kept.then_some(self.number)
    }

    fn is_gone(&self) -> bool {
        self.tracer.strong_count() == 0
    }
}

/// What a local parent says of the tracer of its children.
pub(super) enum Lineage {
    /// It is of another provider, or there is none: what starts below is a root.
    Root,
    /// They follow it, by its trace id.
    ById(Arc<OtelTracer>),
    /// They follow it, by the mark in its `tracestate`.
    ByMark(Arc<OtelTracer>),
    /// Its tracer is no more.
    Gone,
}

impl Routes {
    pub(super) fn new() -> Self {
        let provider = mark::number();
        Self {
            provider,
            ids: TraceIds::new(provider),
            table: ArcSwap::from_pointee(Table::default()),
            forgotten: Mutex::default(),
        }
    }

    /// Where the children of a local parent go.
    ///
    /// The mark counts first: under a remote parent the trace id is not ours to
    /// choose, and it may be one that we chose before, if we called ourselves.
    ///
    /// # Cost
    /// One look-up without a lock, and one counted reference.
    pub(super) fn lineage(&self, parent: &SpanContext) -> Lineage {
        let marked = mark::read(parent.trace_state(), self.provider);
        let number = marked.unwrap_or_else(|| self.ids.read(parent.trace_id()));
        let table = self.table.load();
        if number >= table.next {
            return Lineage::Root;
        }
        match table
            .by_number(number)
            .and_then(|route| route.tracer.upgrade())
        {
            Some(tracer) if marked.is_none() => Lineage::ById(tracer),
            Some(tracer) => Lineage::ByMark(tracer),
            None => Lineage::Gone,
        }
    }

    /// The route to a tracer under a name. From here on the tracer is found by the
    /// route's number.
    ///
    /// # Cost
    /// One look-up without a lock. The first trace of a tracer copies the table.
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
        // Another thread may have been first.
        if let Some(route) = table.route(tracer, name) {
            return route.clone();
        }
        let route = |number, is_kept| {
            Arc::new(Route {
                number,
                is_kept,
                tracer: Arc::downgrade(tracer),
                mark: Mark::new(name, self.provider, number),
            })
        };
        if let Some(number) = table.number_for_more_names(tracer) {
            return route(number, false);
        }
        let mut next = Table::clone(&table);
        next.tidy(&mut forgotten);
        let route = route(next.next, true);
        next.next += 1;
        next.routes.push(route.clone());
        next.known_or_new(tracer).routes.push(route.clone());
        self.table.store(Arc::new(next));
        route
    }

    /// An id for a new trace in a tracer under a name; none if the mark has to lead
    /// there.
    pub(super) fn trace_id(&self, tracer: &Arc<OtelTracer>, name: &str) -> Option<TraceId> {
        if !tracer.has_routed_ids() {
            return None;
        }
        let give = || self.route(tracer, name).number();
        let number = tracer.route_number(self.provider, name, give)?;
        Some(self.ids.write(number))
    }

    /// A mark that leads nowhere: to a tracer that is not here.
    pub(super) fn nowhere(&self, encoded: &str) -> Mark {
        Mark::encoded(encoded, encoded, self.provider, NOWHERE)
    }

    /// The `tracestate` with which a context of ours leaves the process: it says
    /// which tracer has the trace. None for a context of somebody else.
    pub(super) fn outbound(&self, context: &SpanContext) -> Option<TraceState> {
        let state = context.trace_state();
        if !context.is_valid() || context.is_remote() {
            return None;
        }
        if mark::read(state, self.provider).is_some() {
            return Some(state.clone());
        }
        let number = self.ids.read(context.trace_id());
        let table = self.table.load();
        Some(table.by_number(number)?.mark.put(state))
    }

    /// The tracers that still are, each with the name that it was first selected
    /// under last.
    pub(super) fn alive(&self) -> Vec<(String, Arc<OtelTracer>)> {
        let table = self.table.load();
        let alive = table
            .tracers
            .iter()
            .filter_map(|known| Some((known.name(), known.routes.last()?.tracer.upgrade()?)));
        alive.collect()
    }

    /// The spans that no exporter was handed.
    pub(super) fn lost(&self) -> LostSpans {
        let forgotten = self.forgotten.lock();
        let mut lost = forgotten.lost();
        for known in &self.table.load().tracers {
            lost += known.ledger.lost();
        }
        lost
    }

    /// Adds what was counted of all tracers but those whose ledgers these are.
    pub(super) fn read(&self, but: &[Arc<Ledger>], totals: &mut Totals) {
        let forgotten = self.forgotten.lock();
        forgotten.read(totals);
        for known in &self.table.load().tracers {
            if !but.iter().any(|ledger| Arc::ptr_eq(ledger, &known.ledger)) {
                totals.add(known.ledger.read(known.name()));
            }
        }
    }
}

impl Table {
    fn route(&self, tracer: &Arc<OtelTracer>, name: &str) -> Option<&Arc<Route>> {
        let mut routes = self.known(tracer)?.routes.iter();
        routes.find(|route| **route.name() == *name)
    }

    fn by_number(&self, number: u64) -> Option<&Arc<Route>> {
        let place = self
            .routes
            .binary_search_by_key(&number, |route| route.number);
        self.routes.get(place.ok()?)
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

    /// Another route's number, if no more of this tracer's are kept. It leads there
    /// all the same.
    fn number_for_more_names(&self, tracer: &Arc<OtelTracer>) -> Option<u64> {
        let routes = &self.known(tracer)?.routes;
        let first = routes.first().filter(|_| routes.len() >= MAX_KEPT_NAMES);
        first.map(|route| route.number)
    }

    /// Drops the routes to tracers that are gone, and keeps what was counted of them.
    fn tidy(&mut self, forgotten: &mut Forgotten) {
        self.tracers.retain(|known| {
            let gone = known.routes.iter().all(|route| route.is_gone());
            if gone {
                forgotten.add(known.name(), known.ledger.clone());
            }
            !gone
        });
        self.routes.retain(|route| !route.is_gone());
    }
}

impl Known {
    fn new(tracer: &Arc<OtelTracer>) -> Self {
        Self {
            address: address(tracer),
            ledger: tracer.ledger().clone(),
            routes: Vec::new(),
        }
    }

    /// The name that it was first selected under last.
    fn name(&self) -> String {
        let last = self.routes.last();
        last.map_or_else(String::new, |route| route.name().to_string())
    }
}

fn address(tracer: &Arc<OtelTracer>) -> usize {
    Arc::as_ptr(tracer).addr()
}
