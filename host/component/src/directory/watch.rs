//! A directory whose selectors are replaced while they run.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

use super::loader::Loader;
use super::status::WatchStatus;
use super::verify::LockFile;
use super::watched::Files;
use super::watcher::{Events, Watcher, WatcherState};
use super::{DirectoryError, SelectorsDirectory};
use spanmux_core::{Chain, TracerRegistry};

/// How a directory is watched. Build it from [`Default`] and change what you need.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchSettings {
    /// How often it is looked at if nothing is told.
    pub rescan_interval: Duration,
    /// How long nothing must happen before it is looked at, and a file must lie as it
    /// is before it is taken.
    pub debounce: Duration,
    /// How long a burst is waited for at most, and after how long a file that is
    /// written without a pause is tried all the same.
    pub max_debounce: Duration,
    /// How long one file may take to load. One that takes longer is refused. Its
    /// thread cannot be stopped; while two such run, nothing is loaded.
    pub load_timeout: Duration,
    /// Whether the file system is asked to tell of changes.
    pub use_events: bool,
}

impl WatchSettings {
    /// Sets [`rescan_interval`](#structfield.rescan_interval).
    #[must_use]
    pub fn rescan_interval(mut self, rescan_interval: Duration) -> Self {
        self.rescan_interval = rescan_interval;
        self
    }

    /// Sets [`debounce`](#structfield.debounce).
    #[must_use]
    pub fn debounce(mut self, debounce: Duration) -> Self {
        self.debounce = debounce;
        self
    }

    /// Sets [`max_debounce`](#structfield.max_debounce).
    #[must_use]
    pub fn max_debounce(mut self, max_debounce: Duration) -> Self {
        self.max_debounce = max_debounce;
        self
    }

    /// Sets [`load_timeout`](#structfield.load_timeout).
    #[must_use]
    pub fn load_timeout(mut self, load_timeout: Duration) -> Self {
        self.load_timeout = load_timeout;
        self
    }

    /// Sets [`use_events`](#structfield.use_events).
    #[must_use]
    pub fn use_events(mut self, use_events: bool) -> Self {
        self.use_events = use_events;
        self
    }
}

impl WatchSettings {
    /// What a person waits for where the file system tells nothing.
    pub const RESCAN_INTERVAL: Duration = Duration::from_secs(2);
    /// Longer than a copy pauses between two writes.
    pub const DEBOUNCE: Duration = Duration::from_millis(100);
    /// A rename storm must not keep good selectors out.
    pub const MAX_DEBOUNCE: Duration = Duration::from_secs(1);
    /// The largest language runtime takes some seconds for each engine.
    pub const LOAD_TIMEOUT: Duration = Duration::from_secs(60);
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            rescan_interval: Self::RESCAN_INTERVAL,
            debounce: Self::DEBOUNCE,
            max_debounce: Self::MAX_DEBOUNCE,
            load_timeout: Self::LOAD_TIMEOUT,
            use_events: true,
        }
    }
}

impl SelectorsDirectory {
    /// Watches the directory until the returned value is dropped. `on_change` gets
    /// what stands in the chain, in order and whole: once before this returns, and
    /// then whenever it is another.
    ///
    /// A file is taken when it is whole and loads. A bad replacement leaves the one
    /// before it live; a file that never loaded holds its place with
    /// [`Fallback::Unavailable`](spanmux_core::Fallback::Unavailable); one that is removed
    /// leaves the chain. What did not change is the same selector as before, with all
    /// that it learned.
    ///
    /// # Errors
    /// As [`load`](Self::load), for the first look; and if there is no thread. Later
    /// the chain stays as it is, and the status tells why.
    ///
    /// # Cost
    /// One thread, and one of the file system's events. Files are read and compiled
    /// on threads of their own.
    ///
    /// # Examples
    /// ```no_run
    /// use spanmux::{Limits, SelectorHost, SelectorsDirectory, TracerRegistry};
    /// use std::sync::Arc;
    ///
    /// let registry = Arc::new(TracerRegistry::<()>::new());
    /// let host = SelectorHost::new(Limits::default())?;
    /// let watched = SelectorsDirectory::new("selectors", host)
    ///     .watch_into(&registry)?;
    /// for file in watched.status().files {
    ///     println!("{}: {:?} {:?}", file.name, file.active, file.refused);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn watch(
        self,
        on_change: impl FnMut(Chain) + Send + 'static,
    ) -> Result<WatchedDirectory, DirectoryError> {
        self.watch_with(WatchSettings::default(), on_change)
    }

    /// Watches the directory and sets every new chain on a registry.
    ///
    /// # Errors
    /// As [`watch`](Self::watch).
    pub fn watch_into<T: Send + Sync + 'static>(
        self,
        registry: &Arc<TracerRegistry<T>>,
    ) -> Result<WatchedDirectory, DirectoryError> {
        let registry = Arc::clone(registry);
        self.watch(move |chain| registry.set_selectors(chain))
    }

    /// As [`watch`](Self::watch), with settings.
    ///
    /// # Errors
    /// As [`watch`](Self::watch).
    pub fn watch_with(
        self,
        settings: WatchSettings,
        on_change: impl FnMut(Chain) + Send + 'static,
    ) -> Result<WatchedDirectory, DirectoryError> {
        let shared = Arc::new(WatcherState::default());
        let (wake, woken) = mpsc::sync_channel(1);
        let (begun, first) = mpsc::sync_channel(1);
        let path = self.path.clone();
        let lock = LockFile::new(self.lock.clone());
        let mut watcher = Watcher {
            loader: Loader::new(self.host.clone(), settings.load_timeout),
            directory: self,
            settings,
            shared: Arc::clone(&shared),
            on_change,
            files: Files::default(),
            lock,
            events: Events::new(wake.clone(), woken),
        };
        let events = tracing::dispatcher::get_default(Clone::clone);
        let work = move || {
            tracing::dispatcher::with_default(&events, || {
                let first = watcher.begin();
                let well = first.is_ok();
                if begun.send(first).is_ok() && well {
                    watcher.run();
                }
            });
        };
        let thread = thread::Builder::new().name("spanmux-watcher".to_owned());
        let no_thread = |source| DirectoryError::Thread { path, source };
        if let Err(error) = thread.spawn(work) {
            return Err(no_thread(error));
        }
        match first.recv() {
            Ok(first) => first.map(|()| WatchedDirectory { shared, wake }),
            Err(_) => Err(no_thread(std::io::Error::other("it ended at once"))),
        }
    }
}

/// A directory that is watched for as long as this value lives.
///
/// When it is dropped no further look begins. One that is under way is not waited
/// for, and hands out nothing once it is seen that nobody wants it.
#[must_use = "a directory is watched for as long as this value lives"]
pub struct WatchedDirectory {
    shared: Arc<WatcherState>,
    wake: SyncSender<()>,
}

impl WatchedDirectory {
    /// What is live, since when, and what was refused and why: a copy.
    pub fn status(&self) -> WatchStatus {
        self.shared.board.read()
    }

    /// Waits until the status is as wanted, and returns it; none if that takes longer.
    ///
    /// It is asked after each look, with the status locked: decide by what is given,
    /// and ask the directory nothing.
    pub fn wait_until(
        &self,
        timeout: Duration,
        wanted: impl FnMut(&WatchStatus) -> bool,
    ) -> Option<WatchStatus> {
        self.shared.board.wait(timeout, wanted)
    }
}

impl Drop for WatchedDirectory {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // One that waits already wakes the thread too.
        let _ = self.wake.try_send(());
    }
}

impl fmt::Debug for WatchedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedDirectory")
            .field("status", &self.status())
            .finish()
    }
}
