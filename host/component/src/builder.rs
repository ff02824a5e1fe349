//! A builder for hosts of component selectors.

use super::cache::CompileCache;
use super::event::{Events, SelectorEvent};
use super::host::{HostError, SelectorHost};
use super::limits::Limits;
use super::tier::CompileTier;

/// A builder for a [`SelectorHost`]. Every setting is optional.
///
/// # Examples
/// ```
/// use spanmux::{CompileCache, Limits, SelectorHost};
/// # let directory = tempfile::tempdir()?;
///
/// let host = SelectorHost::builder()
///     .limits(Limits::default().fuel(5_000_000))
///     .cache(CompileCache::in_directory(directory.path()))
///     .build()?;
/// assert_eq!(host.limits().fuel, 5_000_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is made before `build`"]
pub struct SelectorHostBuilder {
    limits: Limits,
    cache: Option<CompileCache>,
    events: Events,
    small: bool,
    tier: CompileTier,
}

impl SelectorHostBuilder {
    /// Sets the limits of the selectors. Defaults to [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the cache for compiled components. Defaults to `None`: the host then reads selector
    /// files and accesses no other file.
    pub fn cache(mut self, cache: impl Into<Option<CompileCache>>) -> Self {
        self.cache = cache.into();
        self
    }

    /// Reserves no address space for sandboxes, and uses one engine. Defaults to `false`.
    ///
    /// For a process that decides on few threads, or that has many hosts or a limit of its address
    /// space, such as an interpreter. Decisions, limits and cached decisions are the same.
    ///
    /// # Cost
    /// By default, a host reserves `(sandboxes + 9) × memories × memory_bytes` per engine: gigabytes
    /// of addresses, which take no memory until they are used. A small host reserves none. Instead,
    /// each run of a component maps its memory, which takes some microseconds, and threads that run
    /// components contend for one engine.
    ///
    /// # Examples
    /// ```
    /// use spanmux::SelectorHost;
    ///
    /// let host = SelectorHost::builder().small(true).build()?;
    /// # let selectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../selectors");
    /// let selector = host.load_file(format!("{selectors}/20-tenant.wasm"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn small(mut self, small: bool) -> Self {
        self.small = small;
        self
    }

    /// Sets how components are compiled. Defaults to [`CompileTier::Automatic`].
    pub fn compile_tier(mut self, tier: CompileTier) -> Self {
        self.tier = tier;
        self
    }

    /// Calls `callback` with each event of the host and its selectors. Defaults to no callback.
    ///
    /// The callback runs where the event happens: on the thread that loads or watches, or on one
    /// that decides. It must not block, and must not decide with the selector that it is told
    /// about. A panic in it is caught and logged.
    ///
    /// # Examples
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use spanmux::{SelectorHost, SelectorsDirectory};
    /// # let selectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../selectors");
    ///
    /// let kinds = Arc::new(Mutex::new(Vec::new()));
    /// let seen = Arc::clone(&kinds);
    /// let host = SelectorHost::builder()
    ///     .on_event(move |event| seen.lock().unwrap().push(event.kind()))
    ///     .build()?;
    /// let report = SelectorsDirectory::new(selectors, host).load()?;
    /// assert_eq!(kinds.lock().unwrap().len(), report.files().len());
    /// assert!(kinds.lock().unwrap().iter().all(|kind| *kind == "loaded"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_event(mut self, callback: impl Fn(&SelectorEvent) + Send + Sync + 'static) -> Self {
        self.events = Events::to(callback);
        self
    }

    /// Builds the host. A cache that cannot be used is not an error:
    /// [`SelectorHost::compile_status`] reports it.
    ///
    /// # Errors
    /// As [`SelectorHost::new`].
    ///
    /// # Cost
    /// As [`SelectorHost::new`]. With a cache, creates and lists its directory, and starts a second
    /// thread that limits the size of the cache.
    pub fn build(self) -> Result<SelectorHost, HostError> {
        let Self {
            limits,
            cache,
            events,
            small,
            tier,
        } = self;
        SelectorHost::make_with(limits, cache.as_ref(), events, small, tier)
    }
}
