//! Watching a directory and replacing its selectors at run time.

use std::fmt;
use std::path::PathBuf;
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

/// Settings for watching a selectors directory. Start from [`Default`] and change individual
/// settings with methods.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchSettings {
    /// The interval between scans when no file system event arrives. Defaults to 2 seconds.
    pub rescan_interval: Duration,
    /// The time without changes after which the directory is scanned and an unchanged file is
    /// loaded. Defaults to 100 ms.
    pub debounce: Duration,
    /// The longest delay that continuous changes can cause. Defaults to 1 second.
    pub max_debounce: Duration,
    /// The maximum time to load one file. Defaults to 60 seconds. A compilation cannot be
    /// cancelled: after the timeout, the file is refused and its thread is detached. While two
    /// detached threads run, no other file is loaded.
    pub load_timeout: Duration,
    /// Subscribes to file system events. Defaults to `true`. Set it to `false` on network file
    /// systems.
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
    /// Short enough for interactive use without file system events.
    pub const RESCAN_INTERVAL: Duration = Duration::from_secs(2);
    /// Longer than the pause of a copy between two writes.
    pub const DEBOUNCE: Duration = Duration::from_millis(100);
    /// Bounds the delay under continuous changes.
    pub const MAX_DEBOUNCE: Duration = Duration::from_secs(1);
    /// The largest language runtime takes some seconds per engine.
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
    /// Watches the directory until the returned handle is dropped.
    ///
    /// Calls `on_change` with the complete chain once before returning, and again after every
    /// change. A file enters the chain when it is stable and loads successfully. An invalid
    /// replacement leaves the previous version active. A file that never loaded keeps its position
    /// with [`Fallback::Unavailable`](spanmux_core::Fallback::Unavailable). A removed file leaves
    /// the chain. Unchanged selectors keep their cached decisions.
    ///
    /// # Errors
    /// Returns an error if the first scan fails (see [`load`](Self::load)) or the watcher thread
    /// cannot be started. Later errors leave the chain unchanged and are reported by
    /// [`WatchedDirectory::status`].
    ///
    /// # Cost
    /// One thread, and one for the events of the file system. Files are read and compiled on
    /// threads of their own.
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
        mut self,
        settings: WatchSettings,
        on_change: impl FnMut(Chain) + Send + 'static,
    ) -> Result<WatchedDirectory, DirectoryError> {
        // The working directory may change while the program runs.
        self.path = absolute(self.path);
        self.lock = self.lock.map(absolute);
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

/// A directory that is watched while this value exists.
///
/// After it is dropped, no further scan starts. A scan that is under way is not awaited, and its
/// result is discarded.
#[must_use = "a directory is watched for as long as this value lives"]
pub struct WatchedDirectory {
    shared: Arc<WatcherState>,
    wake: SyncSender<()>,
}

impl WatchedDirectory {
    /// Returns a copy of the status: the live selectors, and the refused files with their reasons.
    pub fn status(&self) -> WatchStatus {
        self.shared.board.read()
    }

    /// Waits until the status is as wanted and returns it, or `None` after the timeout.
    ///
    /// `wanted` runs after each scan.
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
        // A pending wake-up serves this change too.
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

/// Returns the path from the root, or the path itself if there is no working directory.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
