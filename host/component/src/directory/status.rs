//! The status of a watched directory, readable from other threads.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Condvar, Mutex};

use spanmux_core::Selector;
use spanmux_core::Suspension;

/// The live selectors of a watched directory, and the refused files.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WatchStatus {
    /// The files in the order of the chain.
    pub files: Vec<WatchedFile>,
    /// The reason why the directory as a whole cannot be read. The chain is unchanged meanwhile.
    pub trouble: Option<Refusal>,
    /// Number of changes of this status.
    pub changes: u64,
    /// Number of chains that were handed out, including the first.
    pub chains: u64,
    /// Number of loaded files since the start, including files that no longer exist.
    pub loads: u64,
    /// Number of refused files since the start, including files that no longer exist.
    pub refusals: u64,
    /// Number of scans.
    pub looks: u64,
    /// `true` if the file system reports changes. Otherwise, the next scan finds them.
    pub events: bool,
}

/// A file of a watched directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchedFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The name of its selector.
    pub name: String,
    /// The live content, or `None` if it never loaded. Decisions that reach its position then go to
    /// the fallback tracer.
    pub active: Option<ActiveSelector>,
    /// The reason why the current content is not live.
    pub refused: Option<Refusal>,
    /// The suspension of the live selector, if its runs failed repeatedly.
    pub suspended: Option<Suspension>,
    /// Number of times that it was loaded.
    pub loads: u64,
    /// Number of times that it was refused.
    pub refusals: u64,
}

/// The live content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveSelector {
    /// The SHA-256 digest in hexadecimal.
    pub digest: String,
    /// The size in bytes.
    pub bytes: usize,
    /// The time at which it became live.
    pub since: SystemTime,
}

/// The reason why a file or directory is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The error with its cause on one line.
    pub reason: String,
    /// The time of the first refusal for this reason.
    pub since: SystemTime,
}

impl Refusal {
    pub(super) fn now(reason: String) -> Self {
        let since = SystemTime::now();
        Self { reason, since }
    }
}

impl WatchStatus {
    /// Returns the file of the selector with this name.
    pub fn file(&self, name: &str) -> Option<&WatchedFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

/// The status and its waiting threads.
#[derive(Default)]
pub(super) struct StatusBoard {
    posted: Mutex<StatusState>,
    changed: Condvar,
}

/// A status, and the selectors of its files, which know their current suspensions.
#[derive(Default)]
pub(super) struct StatusState {
    pub(super) status: WatchStatus,
    /// In the order of the files.
    pub(super) selectors: Vec<Arc<dyn Selector>>,
    /// The number of edits.
    edits: u64,
}

impl StatusState {
    fn now(&mut self) -> &WatchStatus {
        for (file, selector) in self.status.files.iter_mut().zip(&self.selectors) {
            file.suspended = selector.suspension();
        }
        &self.status
    }
}

impl StatusBoard {
    pub(super) fn read(&self) -> WatchStatus {
        self.posted.lock().now().clone()
    }

    /// `edit` must run no code of the application.
    pub(super) fn edit<R>(&self, edit: impl FnOnce(&mut StatusState) -> R) -> R {
        let mut posted = self.posted.lock();
        posted.edits = posted.edits.wrapping_add(1);
        let edited = edit(&mut posted);
        drop(posted);
        self.changed.notify_all();
        edited
    }

    /// Waits until the status is as `wanted` and returns it, or `None` after the timeout.
    pub(super) fn wait(
        &self,
        timeout: Duration,
        mut wanted: impl FnMut(&WatchStatus) -> bool,
    ) -> Option<WatchStatus> {
        let begun = Instant::now();
        loop {
            let mut posted = self.posted.lock();
            let (status, edits) = (posted.now().clone(), posted.edits);
            drop(posted);
            // Runs without the lock, so it may use the directory.
            if wanted(&status) {
                return Some(status);
            }
            let mut posted = self.posted.lock();
            while posted.edits == edits {
                let rest = timeout.checked_sub(begun.elapsed())?;
                self.changed.wait_for(&mut posted, rest);
            }
        }
    }
}
