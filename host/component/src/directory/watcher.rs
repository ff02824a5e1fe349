//! The watcher thread: sleeps until something may have changed, scans, and hands out a new chain.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use notify::Watcher as _;

use super::loader::Loader;
use super::status::{Refusal, StatusBoard, StatusState};
use super::verify::LockFile;
use super::watch::WatchSettings;
use super::watched::{Files, Found, Patience};
use super::{DirectoryError, SelectorsDirectory, fingerprint};
use crate::SelectorEvent;
use spanmux_core::Chain;

/// A setting of zero must not cause a busy loop.
const SHORTEST: Duration = Duration::from_millis(1);

/// State shared by the thread and its owner.
#[derive(Default)]
pub(super) struct WatcherState {
    pub(super) board: StatusBoard,
    pub(super) stopped: AtomicBool,
}

pub(super) struct Watcher<F> {
    pub(super) directory: SelectorsDirectory,
    pub(super) settings: WatchSettings,
    pub(super) shared: Arc<WatcherState>,
    pub(super) loader: Loader,
    pub(super) on_change: F,
    pub(super) files: Files,
    pub(super) lock: LockFile,
    pub(super) events: Events,
}

/// The events that wake the thread early.
pub(super) struct Events {
    wake: SyncSender<()>,
    woken: Receiver<()>,
    /// The event source and the identity of its directory.
    source: Option<(notify::RecommendedWatcher, (u64, u64))>,
}

impl<F: FnMut(Chain)> Watcher<F> {
    /// Performs the first scan, which may fail.
    pub(super) fn begin(&mut self) -> Result<(), DirectoryError> {
        self.watch_events();
        let mut found = self.look(true)?;
        // An empty directory is handed out too.
        found.chain = true;
        self.hand_out(found);
        Ok(())
    }

    /// Scans until it is stopped.
    pub(super) fn run(mut self) {
        let mut unsettled = true;
        while self.sleep(unsettled) {
            self.watch_events();
            unsettled = match self.look(false) {
                Ok(found) => {
                    let unsettled = found.unsettled;
                    self.hand_out(found);
                    unsettled
                }
                Err(error) => {
                    self.take_out();
                    self.report(&error);
                    false
                }
            };
        }
    }

    /// Performs one scan. At the first one, nothing is live yet.
    fn look(&mut self, first: bool) -> Result<Found, DirectoryError> {
        self.directory.check_lock()?;
        let held = self.lock.look(first)?;
        self.files.hold_to(held.pins.clone());
        let paths = self.directory.live_files(&held.pins)?;
        let patience = Patience {
            longest: self.settings.max_debounce,
            none: first,
        };
        let mut found = self
            .files
            .look(paths, &self.directory, &self.loader, patience);
        found.unsettled |= held.unsettled;
        Ok(found)
    }

    /// A user who can make the directory unreadable must not keep selectors alive that are no
    /// longer listed, or that may choose fewer tracers now.
    fn take_out(&mut self) {
        let mut found = self.files.relist();
        self.files.revoke(&mut found);
        if !found.chain || self.stopped() {
            return;
        }
        self.call();
        self.shared.board.edit(|posted| {
            self.post(posted);
            posted.status.changes += 1;
            posted.status.chains += 1;
        });
        self.emit(found);
    }

    /// Updates the status and hands out the chain if it changed.
    fn hand_out(&mut self, found: Found) {
        if self.stopped() {
            return;
        }
        if found.chain {
            self.call();
        }
        let events = self.events.source.is_some();
        self.shared.board.edit(|posted| {
            if found.status || found.chain {
                self.post(posted);
            }
            let status = &mut posted.status;
            let well = status.trouble.take().is_none();
            status.looks += 1;
            status.changes += u64::from(found.status || found.chain || !well);
            status.chains += u64::from(found.chain);
            status.loads += found.loads;
            status.refusals += found.refusals;
            status.events = events;
        });
        self.emit(found);
    }

    /// Reports the events of a scan: first those of the files, then the new chain.
    fn emit(&self, found: Found) {
        let events = self.directory.host.events();
        for event in found.events {
            events.emit(|| event);
        }
        if found.chain {
            let names = self.files.names();
            events.emit(|| SelectorEvent::Changed { selectors: names });
        }
    }

    /// Updates the files and their selectors. The previous ones are components and run no code of
    /// the application when they are dropped. They are dropped before the new status can be read.
    fn post(&self, posted: &mut StatusState) {
        posted.status.files = self.files.public();
        posted.selectors = self.files.selectors(&self.directory);
    }

    fn call(&mut self) {
        let chain = Chain::from(self.files.selectors(&self.directory));
        let count = chain.len();
        let call = AssertUnwindSafe(|| (self.on_change)(chain));
        match catch_unwind(call) {
            Ok(()) => tracing::info!(selectors = count, "a new chain of selectors is live"),
            Err(_) => tracing::error!(
                selectors = count,
                "the callback for a new chain panicked; it is called again after the next change"
            ),
        }
    }

    /// Reports that the directory as a whole cannot be read. Everything else is unchanged.
    fn report(&self, error: &DirectoryError) {
        let reason = super::describe(error);
        let is_new = self.shared.board.edit(|posted| {
            let status = &mut posted.status;
            status.looks += 1;
            let known = status.trouble.as_ref();
            let is_new = known.is_none_or(|known| known.reason != reason);
            if is_new {
                status.trouble = Some(Refusal::now(reason.clone()));
                status.changes += 1;
            }
            is_new
        });
        // A subscriber of the event may read the status.
        if is_new {
            tracing::warn!(%reason, "the chain of selectors is unchanged");
            let path = self.directory.path.clone();
            let events = self.directory.host.events();
            events.emit(|| SelectorEvent::Unreadable { path, reason });
        }
    }

    fn stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire)
    }

    /// Waits for the next scan. Returns `false` if the thread must end.
    fn sleep(&self, unsettled: bool) -> bool {
        let rest = if unsettled {
            self.settings.debounce
        } else {
            self.settings.rescan_interval
        };
        let woken = self.events.woken.recv_timeout(rest.max(SHORTEST));
        if woken != Err(RecvTimeoutError::Timeout) {
            self.let_settle();
        }
        !self.stopped()
    }

    /// Waits until changes stop, within a limit.
    fn let_settle(&self) {
        let begun = Instant::now();
        while !self.stopped() && begun.elapsed() < self.settings.max_debounce {
            if self
                .events
                .woken
                .recv_timeout(self.settings.debounce)
                .is_err()
            {
                return;
            }
        }
    }

    /// Subscribes to file system events, again if the directory was replaced.
    fn watch_events(&mut self) {
        let place = fingerprint::place(&self.directory.path);
        let watched = self.events.source.as_ref().map(|(_, place)| *place);
        if !self.settings.use_events || (watched.is_some() && watched == place) {
            return;
        }
        self.events.source = place.and_then(|place| Some((self.source()?, place)));
    }

    fn source(&self) -> Option<notify::RecommendedWatcher> {
        let wake = self.events.wake.clone();
        let told = move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| !event.kind.is_access()) {
                // One pending wake-up is enough.
                let _ = wake.try_send(());
            }
        };
        let mut source = notify::recommended_watcher(told).ok()?;
        let path = &self.directory.path;
        source
            .watch(path, notify::RecursiveMode::NonRecursive)
            .ok()?;
        Some(source)
    }
}

impl Events {
    pub(super) fn new(wake: SyncSender<()>, woken: Receiver<()>) -> Self {
        Self {
            wake,
            woken,
            source: None,
        }
    }
}
