//! The settings of a policy, which is opened from a directory, a component or a configuration file.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use spanmux_component::{
    CompileCache, Limits, SelectorEvent, SelectorHost, SelectorsDirectory, WatchedDirectory,
};
use spanmux_config::Config;
use spanmux_core::{Chain, Selector};

use super::event::{Callback, Outbox, PolicyEvent};
use super::live::Live;
use super::source::Source;
use super::{Policy, PolicyError};

/// The settings of a [`Policy`].
#[derive(Clone)]
#[must_use = "a builder does nothing until it opens the policy"]
pub struct PolicyBuilder {
    path: PathBuf,
    watch: bool,
    lock: Option<PathBuf>,
    limits: Option<Limits>,
    cache: Option<CompileCache>,
    natives: Vec<Arc<dyn Selector>>,
    on_event: Option<Callback>,
    small: Option<bool>,
}

impl PolicyBuilder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            watch: true,
            lock: None,
            limits: None,
            cache: None,
            natives: Vec::new(),
            on_event: None,
            small: None,
        }
    }

    /// Applies changes of the directory while the process runs. Defaults to `true`. A single
    /// component is never watched.
    pub fn watch(mut self, watch: bool) -> Self {
        self.watch = watch;
        self
    }

    /// Restricts a directory to a lock file. A configuration file names its own.
    pub fn lock(mut self, path: impl Into<PathBuf>) -> Self {
        self.lock = Some(path.into());
        self
    }

    /// Sets the limits of components. A configuration file has its own.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Sets the cache for compiled selectors.
    pub fn cache(mut self, cache: CompileCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Adds a native selector. Native selectors run before components, unless a configuration file
    /// sets another position.
    pub fn native_selector(mut self, selector: impl Selector + 'static) -> Self {
        self.natives.push(Arc::new(selector));
        self
    }

    /// Reserves no address space for sandboxes, and uses one engine: see
    /// [`SelectorHostBuilder::small`]. Overrides a configuration file. Defaults to the key
    /// `selectors.small` of the file, and without one to `true`, because an interpreter rarely runs
    /// components on several threads at once.
    ///
    /// [`SelectorHostBuilder::small`]: spanmux_component::SelectorHostBuilder::small
    pub fn small(mut self, small: bool) -> Self {
        self.small = Some(small);
        self
    }

    /// Calls `callback` with each event: a selector was loaded, refused or suspended, and more
    /// ([`PolicyEvent`]). Defaults to no callback. The same events go through `tracing`.
    ///
    /// The callback runs on a thread of its own, one event after the other, so it may block and may
    /// use the policy. At most 1,024 events wait for it; further ones are counted in
    /// [`PolicyEvent::Missed`]. A panic in it is caught. In the child of a fork, it is called for
    /// the events of the child.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    ///
    /// use spanmux_embed::Policy;
    /// # let selectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../selectors");
    ///
    /// let (send, events) = mpsc::channel();
    /// let policy = Policy::builder(selectors)
    ///     .on_event(move |event| drop(send.send(event.to_string())))
    ///     .open()?;
    /// assert!(events.recv()?.contains(" was loaded"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_event(mut self, callback: impl Fn(&PolicyEvent) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(callback));
        self
    }

    /// Opens the policy.
    ///
    /// A file of a directory that cannot be loaded is not an error: its decisions go to the fallback
    /// tracer, and [`Policy::status`] has the reason.
    ///
    /// # Errors
    /// Returns [`PolicyError`] if the path cannot be read, a single component cannot be loaded, or a
    /// configuration file has mistakes.
    ///
    /// # Cost
    /// Compiles each component that is not in the cache.
    pub fn open(self) -> Result<Policy, PolicyError> {
        Policy::open(self)
    }

    /// Starts the thread that delivers events, if there is a callback.
    pub(crate) fn outbox(&self) -> Result<Option<Outbox>, PolicyError> {
        let callback = self.on_event.clone();
        let outbox = callback.map(Outbox::start).transpose();
        outbox.map_err(PolicyError::Thread)
    }

    /// Loads the selectors into `live`, and watches them.
    pub(crate) fn open_into(
        self,
        live: &Arc<Live>,
        events: Option<&Outbox>,
    ) -> Result<Option<WatchedDirectory>, PolicyError> {
        match Source::of(&self.path)? {
            Source::Directory => self.open_directory(live, events),
            Source::Component => self.open_component(live, events),
            Source::Config => self.open_config(live, events),
        }
    }

    fn host(&self, events: Option<&Outbox>) -> Result<SelectorHost, PolicyError> {
        let mut builder = SelectorHost::builder()
            .limits(self.limits.clone().unwrap_or_default())
            .cache(self.cache.clone())
            .small(self.small.unwrap_or(true));
        if let Some(events) = events {
            builder = builder.on_event(events.forward());
        }
        builder.build().map_err(PolicyError::Host)
    }

    fn open_directory(
        self,
        live: &Arc<Live>,
        events: Option<&Outbox>,
    ) -> Result<Option<WatchedDirectory>, PolicyError> {
        let mut directory = SelectorsDirectory::new(&self.path, self.host(events)?);
        if let Some(lock) = &self.lock {
            directory = directory.with_lock(lock);
        }
        let natives = Chain::from(self.natives);
        if !self.watch {
            let report = directory.load().map_err(PolicyError::Directory)?;
            live.set(natives.then(report.chain()));
            return Ok(None);
        }
        let live = Arc::clone(live);
        let watched = directory.watch(move |files| live.set(natives.clone().then(files)));
        watched.map(Some).map_err(PolicyError::Directory)
    }

    fn open_component(
        self,
        live: &Arc<Live>,
        events: Option<&Outbox>,
    ) -> Result<Option<WatchedDirectory>, PolicyError> {
        if self.lock.is_some() {
            return Err(PolicyError::NotApplicable {
                setting: "lock",
                problem: "a single component has no lock file; name its directory",
            });
        }
        let selector = self.host(events)?.load_file(&self.path);
        let selector = selector.map_err(|error| PolicyError::Component {
            path: self.path.clone(),
            error,
        })?;
        if let Some(events) = events {
            events.send(PolicyEvent::Selector(SelectorEvent::Loaded {
                selector: selector.name().to_owned(),
                path: self.path.clone(),
                digest: selector.digest().unwrap_or_default().to_owned(),
                bytes: selector.file_bytes(),
            }));
        }
        live.set(Chain::from(self.natives).then(selector));
        Ok(None)
    }

    fn open_config(
        self,
        live: &Arc<Live>,
        events: Option<&Outbox>,
    ) -> Result<Option<WatchedDirectory>, PolicyError> {
        let problem = "the configuration file sets it, in the table [selectors]";
        for (setting, is_set) in [
            ("lock", self.lock.is_some()),
            ("limits", self.limits.is_some()),
        ] {
            if is_set {
                return Err(PolicyError::NotApplicable { setting, problem });
            }
        }
        let config = Config::from_file(&self.path).map_err(PolicyError::Config)?;
        let mut builder = config.builder().native_selectors(self.natives);
        if let Some(cache) = self.cache {
            builder = builder.cache(cache);
        }
        if let Some(events) = events {
            builder = builder.on_event(events.forward());
        }
        let small = self.small.or(builder.is_small()).unwrap_or(true);
        builder = builder.small(small);
        if !self.watch {
            let loaded = builder.load_selectors().map_err(PolicyError::Selectors)?;
            live.set(loaded.chain);
            return Ok(None);
        }
        let live = Arc::clone(live);
        let watched = builder.watch_selectors(move |chain| live.set(chain));
        watched.map_err(PolicyError::Selectors)
    }
}

impl fmt::Debug for PolicyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyBuilder")
            .field("path", &self.path)
            .field("watch", &self.watch)
            .field("lock", &self.lock)
            .finish_non_exhaustive()
    }
}
