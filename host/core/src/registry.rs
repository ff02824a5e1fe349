//! The registry: named tracers, and the selectors that choose among them.
//!
//! A registry is a value without process-wide state. Readers see an immutable snapshot behind one
//! atomic pointer, so a selection never blocks on a registration, nor a registration on a
//! selection.

mod counts;
mod lifecycle;
mod selection;
mod sharded_counters;
mod snapshot;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use counts::{SelectionCounts, SelectionOutcome};
pub use lifecycle::{Lifecycle, LifecycleError, LifecycleFailure, LifecycleReport, Undelivered};
pub use selection::Selection;

use crate::context::ContextView;
use crate::selector::Chain;
use crate::sync::{ArcSwap, Mutex};
use crate::tracer_names::{MAX_NAME_BYTES, TracerNames};
use sharded_counters::{CounterHistory, ShardedCounters};
use snapshot::Snapshot;

/// Named tracers, one of which is the default, and a chain of selectors.
///
/// `T` is the application's tracer: a tracer provider, a client, a channel, a number. If `T`
/// implements [`Lifecycle`], the registry also flushes it and shuts it down.
///
/// # Cost
/// [`select`](Self::select) takes no lock and changes no shared reference count. It allocates only
/// to describe a failure. A change copies the list of tracers.
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
    /// Returns [`RegisterError`] and changes nothing if the name is taken, empty or too long.
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
        if name.is_empty() {
            return Err(RegisterError::EmptyName);
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(RegisterError::TooLong {
                bytes: name.len(),
                limit: MAX_NAME_BYTES,
            });
        }
        self.change(|next| {
            if next.names.contains(&name) {
                return Err(RegisterError::Duplicate { name });
            }
            next.names = TracerNames::new(next.names.as_slice().iter().cloned().chain([name]));
            next.tracers.push(tracer);
            if default || next.default.is_none() {
                next.default = Some(next.tracers.len() - 1);
            }
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
        self.change(|next| {
            let gone = next.find(name)?;
            let tracer = next.tracers.remove(gone);
            next.names = TracerNames::new(
                next.names
                    .as_slice()
                    .iter()
                    .filter(|known| *known != name)
                    .cloned(),
            );
            next.default =
                moved(next.default, gone).or(Some(0).filter(|_| !next.tracers.is_empty()));
            if next.fallback == Some(gone) {
                tracing::warn!(
                    tracer = name,
                    "the fallback tracer was unregistered; failed decisions go to the default"
                );
            }
            next.fallback = moved(next.fallback, gone);
            Ok(tracer)
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
        current.tracers.get(current.place(name)?).cloned()
    }

    /// Returns `true` if a tracer has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.current.load().names.contains(name)
    }

    /// Returns the default tracer and its name.
    pub fn default_tracer(&self) -> Option<(String, Arc<T>)> {
        let current = self.current.load();
        let place = current.default?;
        let name = current.names.as_slice().get(place)?;
        Some((name.clone(), current.tracers.get(place)?.clone()))
    }

    /// Returns a copy of the names in the order of registration.
    pub fn names(&self) -> TracerNames {
        self.current.load().names.clone()
    }

    /// Returns a copy of the tracers with their names in the order of registration.
    pub fn list(&self) -> Vec<(String, Arc<T>)> {
        let current = self.current.load();
        let names = current.names.as_slice().iter().cloned();
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

    /// Returns the number of selections by cause.
    ///
    /// # Cost
    /// Blocks while a change is being made, and reads a few cells per thread that made a selection.
    /// Meant for metrics and not for each trace.
    pub fn counts(&self) -> SelectionCounts {
        self.counter_history.lock().read()
    }

    fn change<R, E>(&self, edit: impl FnOnce(&mut Snapshot<T>) -> Result<R, E>) -> Result<R, E> {
        let mut counter_history = self.counter_history.lock();
        let mut next = Snapshot::clone(&self.current.load());
        let edited = edit(&mut next)?;
        self.publish(&mut counter_history, next);
        Ok(edited)
    }

    fn take(&self) -> Arc<Snapshot<T>> {
        self.publish(&mut self.counter_history.lock(), Snapshot::default())
    }

    /// Replaces the current snapshot and returns the previous one.
    fn publish(
        &self,
        counter_history: &mut CounterHistory,
        mut next: Snapshot<T>,
    ) -> Arc<Snapshot<T>> {
        next.seats = next.chain.seats(&next.names);
        next.counters = Arc::new(ShardedCounters::of(&next));
        counter_history.add(&next.counters);
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
    pub fn force_flush_with_timeout(&self, time: Duration) -> LifecycleReport {
        LifecycleReport::force_flush(self.distinct(), time)
    }

    /// Empties the registry and shuts each tracer down within 10 seconds, once per tracer and not
    /// per name. A failure of one does not affect the others. A second call does nothing.
    pub fn shutdown(&self) -> LifecycleReport {
        self.shutdown_with_timeout(lifecycle::DEFAULT_TIME)
    }

    /// Shuts down as [`shutdown`](Self::shutdown) does, within another time limit.
    pub fn shutdown_with_timeout(&self, time: Duration) -> LifecycleReport {
        LifecycleReport::shutdown(self.take().distinct(), time)
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
            .field("tracers", &current.names.as_slice())
            .field("default", &current.default)
            .field("selectors", &current.chain)
            .finish()
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

/// The reason why a tracer was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// The name is taken.
    Duplicate {
        /// The name.
        name: String,
    },
    /// The name is empty, which no selector could distinguish from a missing answer.
    EmptyName,
    /// The name is longer than [`MAX_NAME_BYTES`].
    TooLong {
        /// The length of the name in bytes.
        bytes: usize,
        /// The maximum length in bytes.
        limit: usize,
    },
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { name } => write!(
                f,
                "a tracer named \"{}\" is registered already; unregister it first or choose \
                 another name",
                name.escape_debug()
            ),
            Self::EmptyName => {
                f.write_str("a tracer's name is empty; give it one that a selector can answer")
            }
            Self::TooLong { bytes, limit } => write!(
                f,
                "a tracer's name has {bytes} bytes and a selector may answer {limit}; choose a \
                 shorter one"
            ),
        }
    }
}

impl std::error::Error for RegisterError {}

/// No tracer has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTracerError {
    /// The name.
    pub name: String,
    /// The registered names.
    pub known: Vec<String>,
}

impl fmt::Display for UnknownTracerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no tracer is named \"{}\"; registered are: {}",
            self.name.escape_debug(),
            match self.known.is_empty() {
                true => "none".to_owned(),
                false => self.known.join(", "),
            }
        )
    }
}

impl std::error::Error for UnknownTracerError {}
