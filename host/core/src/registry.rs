//! The registry: named tracers, and the selectors that choose among them.
//!
//! A registry is a value without process-wide state. Readers see an immutable snapshot behind one
//! atomic pointer, so a selection never blocks on a registration, nor a registration on a
//! selection.

mod asked;
mod counts;
mod errors;
mod lifecycle;
mod selection;
mod sharded_counters;
mod snapshot;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use asked::AskedKeys;
pub use counts::{OTHERS, SelectionCounts, SelectionOutcome};
pub use errors::{RegisterError, UnknownTracerError};
pub use lifecycle::{Lifecycle, LifecycleError, LifecycleFailure, LifecycleReport, Undelivered};
pub use selection::{PendingSelection, Selection};

use crate::chain::Chain;
use crate::context::ContextView;
use crate::parallel::UnderWay;
use crate::sync::{ArcSwap, Mutex};
use crate::tracer_names::TracerNames;
use sharded_counters::{CounterHistory, ShardedCounters};
use snapshot::Snapshot;

/// Named tracers, one of which is the default, and a chain of selectors.
///
/// `T` is the application's tracer: a tracer provider, a client, a channel, a number. If `T`
/// implements [`Lifecycle`], the registry also flushes it and shuts it down.
///
/// # Cost
/// [`select`](Self::select) takes no lock and changes no shared reference count. It allocates only
/// to describe a failure. [`get`](Self::get) and [`contains`](Self::contains) take one look-up.
/// [`register`](Self::register) copies some hundred pointers, however many tracers there are.
/// [`unregister`](Self::unregister) copies the list of tracers.
///
/// Code of the application (a tracer's or a selector's `Drop`, the name of a selector, a subscriber
/// of `tracing`) never runs while the registry holds its lock, so it may use the registry.
///
/// # Examples
/// ```
/// use spanmux::{Chain, RuntimeContext, TracerRegistry, selector_fn};
/// use std::sync::Arc;
///
/// let registry = TracerRegistry::<&str>::new();
/// registry.register("console", "http://localhost:4318")?;
/// registry.register("langfuse", "https://cloud.langfuse.com")?;
/// registry.set_selectors(Chain::from(selector_fn("by-environment", |context, tracers| {
///     tracers.choose(context.text("environment").map_or("console", |_| "langfuse"))
/// })));
///
/// let context = RuntimeContext::builder().set("environment", "production").build();
/// let selection = registry.select(&context.view());
/// assert_eq!(selection.tracer_name(), Some("langfuse"));
/// assert_eq!(selection.selector_name(), Some("by-environment"));
/// assert_eq!(selection.fallback(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TracerRegistry<T> {
    current: ArcSwap<Snapshot<T>>,
    /// Held while a new snapshot is made, so that no change is lost.
    counter_history: Mutex<CounterHistory>,
    chains: AtomicU64,
    under_way: Arc<UnderWay>,
}

impl<T> Default for TracerRegistry<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> TracerRegistry<T> {
    /// Creates a registry without tracers. Until one is registered, selections have no tracer.
    pub fn new() -> Self {
        let registry = Self {
            current: ArcSwap::default(),
            counter_history: Mutex::default(),
            chains: AtomicU64::new(0),
            under_way: Arc::default(),
        };
        // Creates the counters of the first snapshot.
        registry.take();
        registry
    }

    /// Registers a tracer. The first one becomes the default.
    ///
    /// Pass an [`Arc`] to register one instance under several names. It is flushed and shut down
    /// once.
    ///
    /// # Errors
    /// Returns [`RegisterError`] and changes nothing if the name is taken, empty or too long, or if
    /// the registry has [`MAX_TRACERS`](crate::MAX_TRACERS) tracers or
    /// [`MAX_TRACER_BYTES`](crate::MAX_TRACER_BYTES) of names.
    pub fn register(
        &self,
        name: impl Into<String>,
        tracer: impl Into<Arc<T>>,
    ) -> Result<(), RegisterError> {
        self.add(name.into(), tracer.into(), false)
    }

    /// Registers a tracer and makes it the default.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_default(
        &self,
        name: impl Into<String>,
        tracer: impl Into<Arc<T>>,
    ) -> Result<(), RegisterError> {
        self.add(name.into(), tracer.into(), true)
    }

    fn add(&self, name: String, tracer: Arc<T>, default: bool) -> Result<(), RegisterError> {
        errors::check_name(&name)?;
        // Borrows the tracer: a refused one is dropped after the lock is released.
        self.change(|next| {
            errors::check_room(&next.names, &name)?;
            next.add(&name, &tracer, default);
            Ok(())
        })
    }

    /// Removes a tracer and returns `true` if it was registered. The tracer is not shut down, so
    /// that its open traces can end.
    ///
    /// If it was the default, the first remaining tracer becomes the default. If it was the
    /// fallback tracer, failed decisions go to the default.
    pub fn unregister(&self, name: &str) -> bool {
        self.take_out(name).is_ok()
    }

    /// Removes a tracer as [`unregister`](Self::unregister) does, and returns it.
    #[doc(hidden)]
    pub fn take_out(&self, name: &str) -> Result<Arc<T>, UnknownTracerError> {
        let (tracer, was_fallback) = self.change(|next| {
            let gone = next.find(name)?;
            // The names and the tracers have equal lengths.
            let tracer = next.tracers.get(gone).cloned();
            let was_fallback = next.fallback == Some(gone);
            next.remove(gone);
            Ok((tracer, was_fallback))
        })?;
        if was_fallback {
            tracing::warn!(
                tracer = name,
                "the fallback tracer was unregistered; failed decisions go to the default"
            );
        }
        tracer.ok_or_else(|| UnknownTracerError {
            name: name.to_owned(),
            known: Vec::new(),
        })
    }

    /// Removes all tracers, the default and the selectors. Nothing is shut down.
    pub fn clear(&self) {
        self.take();
    }

    /// Sets the fallback tracer, which receives failed decisions (for example a quarantine, or one
    /// that discards). `None` restores the default.
    ///
    /// # Errors
    /// Returns [`UnknownTracerError`] and changes nothing if no tracer has this name.
    pub fn set_fallback(&self, name: Option<&str>) -> Result<(), UnknownTracerError> {
        self.change(|next| {
            next.fallback = match name {
                None => None,
                Some(name) => Some(next.find(name)?),
            };
            Ok(())
        })
    }

    /// Replaces the chain of selectors.
    pub fn set_selectors(&self, chain: impl Into<Chain>) {
        let chain = chain.into();
        let changed: Result<(), std::convert::Infallible> = self.change(|next| {
            next.chain = chain;
            Ok(())
        });
        self.chains.fetch_add(1, Ordering::Relaxed);
        match changed {
            Ok(()) => {}
        }
    }

    /// Returns the number of times that the chain was set.
    pub fn chains_set(&self) -> u64 {
        self.chains.load(Ordering::Relaxed)
    }

    /// Returns the current chain of selectors.
    pub fn selectors(&self) -> Chain {
        self.current.load().chain.clone()
    }

    /// Returns the tracer of this name, compared byte by byte.
    pub fn get(&self, name: &str) -> Option<Arc<T>> {
        let current = self.current.load();
        current.tracers.get(current.names.place(name)?).cloned()
    }

    /// Returns `true` if a tracer has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.current.load().names.contains(name)
    }

    /// Returns the default tracer and its name.
    pub fn default_tracer(&self) -> Option<(String, Arc<T>)> {
        let current = self.current.load();
        let place = current.default?;
        let name = current.names.at(place)?;
        Some((name.to_string(), current.tracers.get(place)?.clone()))
    }

    /// Returns a copy of the names in the order of registration.
    pub fn names(&self) -> TracerNames {
        self.current.load().names.clone()
    }

    /// Returns a copy of the tracers with their names in the order of registration.
    pub fn list(&self) -> Vec<(String, Arc<T>)> {
        let current = self.current.load();
        let names = current.names.iter().map(str::to_owned);
        names.zip(current.tracers.iter().cloned()).collect()
    }

    /// Selects the tracer for one trace. Call it once, for the root span.
    ///
    /// The function is total: whatever the selectors do, it returns a registered tracer, and none
    /// only if no tracer is registered.
    ///
    /// Without tracers, no selector runs, because no answer could change the outcome.
    #[inline]
    pub fn select(&self, context: &ContextView<'_>) -> Selection<T> {
        Selection::new(self.current.load(), context)
    }

    /// Selects the tracer for one trace as [`select`](Self::select) does, but runs no component.
    ///
    /// A host that must not block a thread for the time of a run, such as an interpreter with a
    /// lock, calls it first and finishes the selection without the lock.
    ///
    /// # Errors
    /// Returns a [`PendingSelection`] if a component has to run. Each selector is asked once,
    /// whether the selection is finished later or not.
    #[inline]
    pub fn recall(&self, context: &ContextView<'_>) -> Result<Selection<T>, PendingSelection<T>> {
        Selection::recall(self.current.load(), context)
    }

    /// Returns the keys that the cached decisions of the current selectors ask, or `None` if they may
    /// ask any key. See [`AskedKeys`].
    #[doc(hidden)]
    pub fn asked_keys(&self) -> Option<AskedKeys> {
        self.current.load().asked_keys()
    }

    /// Selects a tracer from cached decisions alone, for a context of which only the
    /// [asked keys](Self::asked_keys) are known. Returns `None` if they have changed since
    /// `generation`, or if a component has to run.
    #[doc(hidden)]
    pub fn recall_asked(&self, generation: u64, context: &ContextView<'_>) -> Option<Selection<T>> {
        Selection::recall_asked(self.current.load(), generation, context)
    }

    /// Returns the number of selections by cause.
    ///
    /// # Cost
    /// Waits while a change is being made, and reads a few cells per thread that made a selection,
    /// which delays no change. Meant for metrics and not for each trace.
    pub fn counts(&self) -> SelectionCounts {
        let counter_history = self.counter_history.lock().clone();
        counter_history.read()
    }

    /// Replaces the snapshot by an edited copy. `edit` must run no code of the application. The
    /// previous snapshot, or the copy if the edit failed, may hold the last reference to a tracer or
    /// a selector, so it is dropped after the lock is released.
    fn change<R, E>(&self, edit: impl FnOnce(&mut Snapshot<T>) -> Result<R, E>) -> Result<R, E> {
        let mut counter_history = self.counter_history.lock();
        let mut next = Snapshot::clone(&self.current.load());
        let edited = edit(&mut next);
        let past = if edited.is_ok() {
            self.publish(&mut counter_history, next)
        } else {
            Arc::new(next)
        };
        drop(counter_history);
        drop(past);
        edited
    }

    fn take(&self) -> Arc<Snapshot<T>> {
        let mut counter_history = self.counter_history.lock();
        let past = self.publish(&mut counter_history, Snapshot::default());
        drop(counter_history);
        past
    }

    /// Replaces the current snapshot and returns the previous one.
    fn publish(
        &self,
        counter_history: &mut CounterHistory,
        mut next: Snapshot<T>,
    ) -> Arc<Snapshot<T>> {
        let current = self.current.load();
        let same = next.chain.is(&current.chain)
            && next.names.len() == current.names.len()
            && next.names == current.names;
        next.seats = if same {
            current.seats.clone()
        } else {
            next.chain.seats(&next.names)
        };
        next.number = current.number + 1;
        if next.extends(&current) && !counter_history.is_empty() {
            counter_history.extend(&next.names);
        } else {
            next.counters = Arc::new(ShardedCounters::of(&next));
            counter_history.add(&next.counters, &next.names);
        }
        drop(current);
        self.current.swap(Arc::new(next))
    }
}

impl<T: Lifecycle + 'static> TracerRegistry<T> {
    /// Flushes every tracer within 10 seconds. All keep running.
    pub fn force_flush(&self) -> LifecycleReport {
        self.force_flush_with_timeout(lifecycle::DEFAULT_TIME)
    }

    /// Flushes every tracer within a time limit, in parallel, each on a thread of its own. A tracer
    /// that exceeds the limit is not awaited.
    ///
    /// A tracer has at most one such thread: while an earlier call of it has not returned, a later
    /// one waits for that within its limit and starts no other thread.
    pub fn force_flush_with_timeout(&self, time: Duration) -> LifecycleReport {
        self.force_flush_each(self.distinct(), time)
    }

    /// Empties the registry and shuts each tracer down within 10 seconds, once per tracer and not
    /// per name. A failure of one does not affect the others. A second call does nothing.
    pub fn shutdown(&self) -> LifecycleReport {
        self.shutdown_with_timeout(lifecycle::DEFAULT_TIME)
    }

    /// Shuts down as [`shutdown`](Self::shutdown) does, within another time limit.
    pub fn shutdown_with_timeout(&self, time: Duration) -> LifecycleReport {
        self.shutdown_each(self.take().distinct(), time)
    }

    /// Flushes these tracers as [`force_flush_with_timeout`](Self::force_flush_with_timeout) does.
    #[doc(hidden)]
    pub fn force_flush_each(
        &self,
        tracers: Vec<(String, Arc<T>)>,
        time: Duration,
    ) -> LifecycleReport {
        self.each(tracers, time, |tracer, time| {
            tracer.force_flush_with_timeout(time)
        })
    }

    /// Shuts these tracers down as [`shutdown_with_timeout`](Self::shutdown_with_timeout) does.
    #[doc(hidden)]
    pub fn shutdown_each(&self, tracers: Vec<(String, Arc<T>)>, time: Duration) -> LifecycleReport {
        self.each(tracers, time, |tracer, time| {
            tracer.shutdown_with_timeout(time)
        })
    }

    /// Runs a step for each of these tracers, with at most one thread per tracer.
    #[doc(hidden)]
    pub fn each(
        &self,
        tracers: Vec<(String, Arc<T>)>,
        time: Duration,
        step: lifecycle::Step<T>,
    ) -> LifecycleReport {
        LifecycleReport::of(tracers, time, &self.under_way, step)
    }
}

impl<T> TracerRegistry<T> {
    /// Returns the tracers, each once, under the first of its names.
    #[doc(hidden)]
    pub fn distinct(&self) -> Vec<(String, Arc<T>)> {
        self.current.load().distinct()
    }

    /// Empties the registry and returns the tracers as [`distinct`](Self::distinct) does.
    #[doc(hidden)]
    pub fn take_distinct(&self) -> Vec<(String, Arc<T>)> {
        self.take().distinct()
    }
}

impl<T> fmt::Debug for TracerRegistry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = self.current.load();
        f.debug_struct("TracerRegistry")
            .field("tracers", &current.names)
            .field("default", &current.default)
            .field("selectors", &current.chain)
            .finish()
    }
}
