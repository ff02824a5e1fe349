//! The routes by number, as each thread saw them last.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
        let place = self
            .routes
            .binary_search_by_key(&number, |route| route.number());
        self.routes.get(place.ok()?)
    }
}

thread_local! {
    /// The routes that this thread saw last.
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

struct Seen {
    provider: u64,
    version: u64,
    routes: Arc<NumberedRoutes>,
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
        read: impl Fn(&NumberedRoutes) -> R,
    ) -> R {
        // Read before the routes: if both change meanwhile, the next span reads them again.
        let version = self.0.load(Ordering::Acquire);
        let seen = SEEN.try_with(|seen| {
            // Nothing below starts a span on this thread, so the borrow does not fail.
            let mut seen = seen.try_borrow_mut().ok()?;
            if let Some(seen) = &*seen
                && seen.provider == provider
                && seen.version == version
            {
                return Some(read(&seen.routes));
            }
            let routes = load();
            let result = read(&routes);
            *seen = Some(Seen {
                provider,
                version,
                routes,
            });
            Some(result)
        });
        // The thread is ending.
        seen.ok().flatten().unwrap_or_else(|| read(&load()))
    }
}
