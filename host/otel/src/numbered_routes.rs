//! The routes by number, as each thread saw them last, with its references to their tracers.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::open_spans::{ThreadCounts, ThreadSpans};
use super::otel_tracer::OtelTracer;
use super::routes::Route;

/// A number that no route has.
pub(super) const NOWHERE: u64 = 0;

/// The routes by number. They keep no tracer alive.
#[derive(Clone, Debug)]
pub(super) struct NumberedRoutes {
    /// The number of the next route. Numbers are never reused.
    pub(super) next: u64,
    /// Sorted by number.
    pub(super) routes: Vec<Arc<Route>>,
}

impl Default for NumberedRoutes {
    fn default() -> Self {
        Self {
            next: NOWHERE + 1,
            routes: Vec::new(),
        }
    }
}

impl NumberedRoutes {
    pub(super) fn get(&self, number: u64) -> Option<&Arc<Route>> {
        self.routes.get(self.place(number)?)
    }

    fn place(&self, number: u64) -> Option<usize> {
        let routes = &self.routes;
        // Numbers are given in turn, so most routes are at the place of their number.
        let guess = number.checked_sub(NOWHERE + 1)? as usize;
        if routes
            .get(guess)
            .is_some_and(|route| route.number() == number)
        {
            return Some(guess);
        }
        routes
            .binary_search_by_key(&number, |route| route.number())
            .ok()
    }
}

thread_local! {
    /// The routes that this thread saw last.
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// The routes of one provider, as one thread sees them.
pub(super) struct Seen {
    provider: u64,
    version: u64,
    routes: Arc<NumberedRoutes>,
    /// One for each route.
    own: Vec<Own>,
}

/// A thread's own reference to the tracer of a route.
#[derive(Clone, Default)]
struct Own {
    /// Alive while a span that the thread started holds it. It keeps no tracer alive.
    spans: Weak<ThreadSpans>,
    counts: Option<Arc<ThreadCounts>>,
}

impl Own {
    #[inline]
    fn hold(
        &mut self,
        tracer: impl FnOnce() -> Option<Arc<OtelTracer>>,
    ) -> Option<Arc<ThreadSpans>> {
        match self.spans.upgrade() {
            Some(spans) => Some(spans),
            None => self.renew(tracer()?),
        }
    }

    fn renew(&mut self, tracer: Arc<OtelTracer>) -> Option<Arc<ThreadSpans>> {
        let spans = match &self.counts {
            Some(counts) => ThreadSpans::with_counts(tracer, counts.clone()),
            None => ThreadSpans::new(tracer),
        };
        self.counts = Some(spans.counts().clone());
        let spans = Arc::new(spans);
        self.spans = Arc::downgrade(&spans);
        Some(spans)
    }
}

impl Seen {
    fn new(provider: u64, version: u64, routes: Arc<NumberedRoutes>) -> Self {
        Self {
            provider,
            version,
            own: vec![Own::default(); routes.routes.len()],
            routes,
        }
    }

    /// Returns `true` if the number is that of a route now or earlier.
    pub(super) fn is_known(&self, number: u64) -> bool {
        number < self.routes.next
    }

    /// Returns a reference of this thread to the tracer of a route, if the tracer still exists.
    #[inline]
    pub(super) fn hold(&mut self, number: u64) -> Option<Arc<ThreadSpans>> {
        let place = self.routes.place(number)?;
        let route = self.routes.routes.get(place)?;
        self.own.get_mut(place)?.hold(|| route.tracer())
    }

    /// As [`hold`](Self::hold), for a tracer that the caller has.
    pub(super) fn hold_known(
        &mut self,
        number: u64,
        tracer: &Arc<OtelTracer>,
    ) -> Option<Arc<ThreadSpans>> {
        let place = self.routes.place(number)?;
        self.own.get_mut(place)?.hold(|| Some(tracer.clone()))
    }
}

/// Counts the changes of a provider's routes. A thread reads the routes again only if they have
/// changed, so that a child span needs no locked instruction to find its route.
///
/// A thread keeps the routes of the provider that it used last, also after the provider is dropped:
/// some hundred bytes for each tracer.
#[derive(Debug, Default)]
pub(super) struct RoutesVersion(AtomicU64);

impl RoutesVersion {
    /// Records a change. Call it after the new routes are in place, and before their numbers are
    /// given to spans.
    pub(super) fn changed(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    /// Calls `read` with the routes of a provider. `load` returns them.
    pub(super) fn with<R>(
        &self,
        provider: u64,
        load: impl Fn() -> Arc<NumberedRoutes>,
        read: impl Fn(&mut Seen) -> R,
    ) -> R {
        // Read before the routes: if both change meanwhile, the next span reads them again.
        let version = self.0.load(Ordering::Acquire);
        let done = SEEN.try_with(|seen| {
            // Nothing below starts a span on this thread, so the borrow does not fail.
            let mut seen = seen.try_borrow_mut().ok()?;
            match &mut *seen {
                Some(seen) if seen.provider == provider && seen.version == version => {
                    Some(read(seen))
                }
                other => Some(read(other.insert(Seen::new(provider, version, load())))),
            }
        });
        // The thread is ending.
        done.ok()
            .flatten()
            .unwrap_or_else(|| read(&mut Seen::new(provider, version, load())))
    }
}
