//! A policy: live selectors from a directory, a component or a configuration file.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use spanmux_component::{
    CompileCache, Limits, SelectorHost, SelectorsDirectory, WatchStatus, WatchedDirectory,
};
use spanmux_config::Config;
use spanmux_core::{Chain, Selection, Selector};

use super::explained::explain;
use super::fork::Gate;
use super::live::Live;
use super::source::Source;
use super::{ExplainFormat, PolicyError, Tracers, TracersError};

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
}

impl PolicyBuilder {
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

    /// Opens the policy.
    ///
    /// A file of a directory that cannot be loaded is no error: its decisions go to the fallback
    /// tracer, and [`Policy::status`] has the reason.
    ///
    /// # Errors
    /// Returns [`PolicyError`] if the path cannot be read, a single component cannot be loaded, or a
    /// configuration file has mistakes.
    ///
    /// # Cost
    /// Compiles each component that is not in the cache.
    pub fn open(self) -> Result<Policy, PolicyError> {
        let live = Arc::new(Live::default());
        let watched = Watched::new(self.clone().open_into(&live)?);
        Ok(Policy {
            live,
            watched: Arc::new(watched),
            settings: self,
            gate: Gate::default(),
        })
    }

    fn open_into(self, live: &Arc<Live>) -> Result<Option<WatchedDirectory>, PolicyError> {
        match Source::of(&self.path)? {
            Source::Directory => self.open_directory(live),
            Source::Component => self.open_component(live),
            Source::Config => self.open_config(live),
        }
    }

    fn host(&self) -> Result<SelectorHost, PolicyError> {
        SelectorHost::builder()
            .limits(self.limits.clone().unwrap_or_default())
            .cache(self.cache.clone())
            .build()
            .map_err(PolicyError::Host)
    }

    fn open_directory(self, live: &Arc<Live>) -> Result<Option<WatchedDirectory>, PolicyError> {
        let mut directory = SelectorsDirectory::new(&self.path, self.host()?);
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

    fn open_component(self, live: &Arc<Live>) -> Result<Option<WatchedDirectory>, PolicyError> {
        if self.lock.is_some() {
            return Err(PolicyError::NotApplicable {
                setting: "lock",
                problem: "a single component has no lock file; name its directory",
            });
        }
        let selector = self.host()?.load_file(&self.path);
        let selector = selector.map_err(|error| PolicyError::Component {
            path: self.path.clone(),
            error,
        })?;
        live.set(Chain::from(self.natives).then(selector));
        Ok(None)
    }

    fn open_config(self, live: &Arc<Live>) -> Result<Option<WatchedDirectory>, PolicyError> {
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

/// Live selectors that decide for any list of tracers.
///
/// Decisions never fail and never block on I/O or on a compilation. A policy that is
/// [closed](Self::close) keeps deciding with its last selectors.
pub struct Policy {
    live: Arc<Live>,
    watched: Arc<Watched>,
    settings: PolicyBuilder,
    gate: Gate,
}

/// The watch of a policy. `Err` once the policy is closed: a restart that ends later keeps none.
struct Watched(Mutex<Result<Option<WatchedDirectory>, Closed>>);

struct Closed;

impl Watched {
    fn new(watched: Option<WatchedDirectory>) -> Self {
        Self(Mutex::new(Ok(watched)))
    }

    fn replace(&self, watched: Option<WatchedDirectory>) {
        if let Ok(current) = &mut *self.0.lock() {
            *current = watched;
        }
    }
}

impl Policy {
    /// Starts the settings of a policy: a directory of selectors, a component (`.wasm`), or a
    /// configuration file (`.toml`, `.json`), of which only the table `[selectors]` is used.
    pub fn builder(path: impl Into<PathBuf>) -> PolicyBuilder {
        PolicyBuilder {
            path: path.into(),
            watch: true,
            lock: None,
            limits: None,
            cache: None,
            natives: Vec::new(),
        }
    }

    /// Returns the tracers with these names. The first one is the default, unless `default` names
    /// another one. `fallback` receives failed decisions, and is the default if it is `None`.
    ///
    /// Equal lists share one value, which follows the live selectors.
    ///
    /// # Errors
    /// Returns [`TracersError`] if a name is invalid, repeated or unknown, or if the list exceeds a
    /// limit.
    ///
    /// # Cost
    /// Compares the names with the list that was used last. Keep the value to save that.
    pub fn tracers<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
        default: Option<&str>,
        fallback: Option<&str>,
    ) -> Result<Arc<Tracers>, TracersError> {
        let names: Vec<&str> = names.into_iter().collect();
        self.live.tracers(&names, default, fallback)
    }

    /// Records the cost of a selection, for [`has_long_runs`](Self::has_long_runs).
    pub fn ran(&self, selection: &Selection<()>) {
        self.live.ran(selection);
    }

    /// Returns `true` if the last recorded run of a component took longer than half a millisecond:
    /// a binding releases the lock of its interpreter during the next one.
    pub fn has_long_runs(&self) -> bool {
        self.live.has_long_runs()
    }

    /// Returns the live selectors.
    pub fn chain(&self) -> Chain {
        self.live.chain()
    }

    /// Returns the status of a watched directory, or `None` if nothing is watched.
    pub fn status(&self) -> Option<WatchStatus> {
        let watched = self.watched.0.lock();
        let watched = watched.as_ref().ok()?.as_ref();
        watched.map(WatchedDirectory::status)
    }

    /// Shows the rules that were learned for these tracers, or for the list that was used last.
    pub fn explain(&self, tracers: Option<&Tracers>, format: ExplainFormat) -> String {
        let names = match tracers {
            Some(tracers) => tracers.names(),
            None => self
                .live
                .last()
                .map(|last| last.names())
                .unwrap_or_default(),
        };
        explain(&self.live.chain(), &names, format)
    }

    /// Stops watching. Decisions continue with the last live selectors. A second call does nothing.
    pub fn close(&self) {
        let watched = std::mem::replace(&mut *self.watched.0.lock(), Err(Closed));
        drop(watched);
    }

    /// Runs code that may run a component without the lock of an interpreter. A
    /// [fork](Self::before_fork) waits for it.
    pub fn outside_of_forks<R>(&self, code: impl FnOnce() -> R) -> R {
        self.gate.pass(code)
    }

    /// Prepares a fork of the process: waits for the code inside of
    /// [`outside_of_forks`](Self::outside_of_forks) and for a change of the selectors that is under
    /// way. Call it directly before the fork, and [`after_fork`](Self::after_fork) in both
    /// processes.
    pub fn before_fork(&self) {
        self.gate.close();
        self.live.before_fork();
    }

    /// Continues after a fork. In the child, a new host is started on a thread, because a fork
    /// copies no threads: until it is ready, the policy decides with the selectors of the parent
    /// and without the limit of wall-clock time.
    ///
    /// # Errors
    /// Returns the error of the system if it refuses the thread. The policy decides then with the
    /// selectors of the parent.
    pub fn after_fork(&self, is_child: bool) -> std::io::Result<()> {
        self.live.after_fork();
        self.gate.open();
        let is_open = self.watched.0.lock().is_ok();
        if !is_child || !is_open {
            return Ok(());
        }
        let (live, watched) = (Arc::clone(&self.live), Arc::clone(&self.watched));
        let settings = self.settings.clone();
        let restart = move || {
            // On an error, the selectors of the parent stay live. They were loaded from the same
            // files.
            if let Ok(restarted) = settings.open_into(&live) {
                watched.replace(restarted);
            }
        };
        let thread = std::thread::Builder::new().name("spanmux-restart".to_owned());
        thread.spawn(restart).map(drop)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("chain", &self.live.chain())
            .finish_non_exhaustive()
    }
}
