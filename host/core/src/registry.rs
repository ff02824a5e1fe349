//! The registry: named tracers, and the selectors that choose among them.
//!
//! A registry is a value; nothing is process-wide. Readers see an immutable
//! snapshot behind one swapped pointer, so a selection never waits for a
//! registration, and a registration never for a selection.

mod counts;
mod lifecycle;
mod selection;
mod snapshot;
mod tally;

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
use snapshot::Snapshot;
use tally::{Tallies, Tally};

/// Named tracers, a default among them, and a chain of selectors.
///
/// `T` is whatever a tracer is to the application: a tracer provider, a client, a
/// channel, a number. With `T` a [`Lifecycle`] the registry also flushes it and
/// shuts it down.
///
/// # Cost
/// [`select`](Self::select) takes no lock and counts no shared reference; its own
/// part allocates only when it falls back to say why. A change copies the list of
/// tracers.
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
/// let context = RuntimeContext::builder().set("environment", "production").build()?;
/// let selection = registry.select(&context.view());
/// assert_eq!(selection.tracer_name(), Some("langfuse"));
/// assert_eq!(selection.selector_name(), Some("by-environment"));
/// assert_eq!(selection.fallback(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TracerRegistry<T> {
    current: ArcSwap<Snapshot<T>>,
    /// Held while a new snapshot is made, so that no change is lost.
    tallies: Mutex<Tallies>,
    chains: AtomicU64,
}

impl<T> Default for TracerRegistry<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> TracerRegistry<T> {
    /// A registry without tracers. Until one is registered, a selection names
    /// none.
    pub fn new() -> Self {
        let registry = Self {
            current: ArcSwap::default(),
            tallies: Mutex::default(),
            chains: AtomicU64::new(0),
        };
        // So that the first state is counted in too.
        registry.take();
        registry
    }

    /// Registers a tracer. The first one becomes the default.
    ///
    /// Pass an [`Arc`] to register one instance under several names; it is flushed
    /// and shut down once.
    ///
    /// # Errors
    /// [`RegisterError`] if the name is taken, empty or too long. Nothing is
    /// changed then.
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

    /// Takes a tracer out, and says whether it was there. It is not shut down:
    /// open traces still end in it.
    ///
    /// If it was the default, the first that remains becomes the default. If
    /// failed decisions went to it, they go to the default from now on.
    pub fn unregister(&self, name: &str) -> bool {
        self.take_out(name).is_ok()
    }

    /// [`unregister`](Self::unregister), and gives the tracer.
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

    /// Drops all tracers, the default and the selectors. Nothing is shut down.
    pub fn clear(&self) {
        self.take();
    }

    /// Sends failed decisions to this tracer (a quarantine, one that discards),
    /// or with `None` back to the default.
    ///
    /// # Errors
    /// [`UnknownTracerError`] if no tracer has this name. Nothing is changed then.
    pub fn set_fallback(&self, name: Option<&str>) -> Result<(), UnknownTracerError> {
        self.change(|next| {
            next.fallback = match name {
                None => None,
                Some(name) => Some(next.find(name)?),
            };
            Ok(())
        })
    }

    /// Puts another chain of selectors in place of the present one, whole.
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

    /// How often the chain of selectors was set.
    pub fn chains_set(&self) -> u64 {
        self.chains.load(Ordering::Relaxed)
    }

    /// The chain of selectors that is asked now.
    pub fn selectors(&self) -> Chain {
        self.current.load().chain.clone()
    }

    /// The tracer of this name, compared byte by byte.
    pub fn get(&self, name: &str) -> Option<Arc<T>> {
        let current = self.current.load();
        current.tracers.get(current.place(name)?).cloned()
    }

    /// Whether a tracer has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.current.load().names.contains(name)
    }

    /// The default tracer and its name.
    pub fn default_tracer(&self) -> Option<(String, Arc<T>)> {
        let current = self.current.load();
        let place = current.default?;
        let name = current.names.as_slice().get(place)?;
        Some((name.clone(), current.tracers.get(place)?.clone()))
    }

    /// The names in the order of registration: a copy.
    pub fn names(&self) -> TracerNames {
        self.current.load().names.clone()
    }

    /// The tracers with their names in the order of registration: a copy.
    pub fn list(&self) -> Vec<(String, Arc<T>)> {
        let current = self.current.load();
        let names = current.names.as_slice().iter().cloned();
        names.zip(current.tracers.iter().cloned()).collect()
    }

    /// Selects the tracer for one trace. Call it once, for the root span.
    ///
    /// Total: whatever the selectors do, it answers with a registered tracer, and
    /// with none only if none is registered.
    ///
    /// Without tracers no selector is asked, because no answer could change the
    /// outcome.
    #[inline]
    pub fn select(&self, context: &ContextView<'_>) -> Selection<T> {
        Selection::new(self.current.load(), context)
    }

    /// How many selections there were, by cause.
    ///
    /// # Cost
    /// Waits for a change that is being made, and reads a few cells for each thread
    /// that selected. It is for metrics and not for each trace.
    pub fn counts(&self) -> SelectionCounts {
        self.tallies.lock().read()
    }

    fn change<R, E>(&self, edit: impl FnOnce(&mut Snapshot<T>) -> Result<R, E>) -> Result<R, E> {
        let mut tallies = self.tallies.lock();
        let mut next = Snapshot::clone(&self.current.load());
        let edited = edit(&mut next)?;
        self.publish(&mut tallies, next);
        Ok(edited)
    }

    fn take(&self) -> Arc<Snapshot<T>> {
        self.publish(&mut self.tallies.lock(), Snapshot::default())
    }

    /// Puts another state in place of the present one, which is returned.
    fn publish(&self, tallies: &mut Tallies, mut next: Snapshot<T>) -> Arc<Snapshot<T>> {
        next.seats = next.chain.seats(&next.names);
        next.tally = Arc::new(Tally::of(&next));
        tallies.add(&next.tally);
        self.current.swap(Arc::new(next))
    }
}

impl<T: Lifecycle + 'static> TracerRegistry<T> {
    /// Asks each tracer to export what it holds, with 10 seconds of time. All keep
    /// running.
    pub fn force_flush(&self) -> LifecycleReport {
        self.force_flush_with_timeout(lifecycle::DEFAULT_TIME)
    }

    /// [`force_flush`](Self::force_flush) with another time. All tracers are asked at once, each on
    /// a thread of its own, and one that is not done in time is not waited for.
    pub fn force_flush_with_timeout(&self, time: Duration) -> LifecycleReport {
        LifecycleReport::force_flush(self.distinct(), time)
    }

    /// Empties the registry, then shuts each tracer down, once however many names
    /// it has, with 10 seconds of time. One that fails does not keep the others from
    /// it. A second call finds nothing to do.
    pub fn shutdown(&self) -> LifecycleReport {
        self.shutdown_with_timeout(lifecycle::DEFAULT_TIME)
    }

    /// [`shutdown`](Self::shutdown) with another time, kept as
    /// [`force_flush_with_timeout`](Self::force_flush_with_timeout) keeps it.
    pub fn shutdown_with_timeout(&self, time: Duration) -> LifecycleReport {
        LifecycleReport::shutdown(self.take().distinct(), time)
    }
}

impl<T> TracerRegistry<T> {
    /// The tracers, each once, by the first of its names.
    #[doc(hidden)]
    pub fn distinct(&self) -> Vec<(String, Arc<T>)> {
        self.current.load().distinct()
    }

    /// Empties the registry, and gives what [`distinct`](Self::distinct) gave.
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

/// Where a place is after the one at `gone` was taken out.
fn moved(place: Option<usize>, gone: usize) -> Option<usize> {
    match place? {
        place if place == gone => None,
        place if place > gone => Some(place - 1),
        place => Some(place),
    }
}

/// Why a tracer was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// The name is taken.
    Duplicate {
        /// The name.
        name: String,
    },
    /// The empty name: no selector could be told from one that forgot to answer.
    EmptyName,
    /// A name longer than [`MAX_NAME_BYTES`].
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
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

/// A name that no tracer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTracerError {
    /// The name.
    pub name: String,
    /// The names that there are.
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
