//! What a watched directory says of itself, for whoever asks from another thread.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Condvar, Mutex};

use spanmux_core::Selector;
use spanmux_core::Suspension;

/// What is live in a watched directory, and what was refused.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WatchStatus {
    /// The files in the order in which they are asked.
    pub files: Vec<WatchedFile>,
    /// Why the directory cannot be read as a whole, if it cannot: the chain stays
    /// as it was.
    pub trouble: Option<Refusal>,
    /// How often anything that is said here changed.
    pub changes: u64,
    /// How often the chain was handed out, the first time included.
    pub chains: u64,
    /// How often a file was taken, over all files that there ever were.
    pub loads: u64,
    /// How often a file was refused, over all files that there ever were.
    pub refusals: u64,
    /// How often it was looked at.
    pub looks: u64,
    /// Whether the file system tells of changes. If not, they are found at the next
    /// look.
    pub events: bool,
}

/// One file of a watched directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchedFile {
    /// Where it is.
    pub path: PathBuf,
    /// The name of its selector.
    pub name: String,
    /// What of it is live; none if it never could be loaded, and then decisions that
    /// reach its place go to the fallback tracer.
    pub active: Option<ActiveSelector>,
    /// Why what lies there now is not live.
    pub refused: Option<Refusal>,
    /// Why what is live is left alone just now, if its runs broke.
    pub suspended: Option<Suspension>,
    /// How often it was taken.
    pub loads: u64,
    /// How often it was refused.
    pub refusals: u64,
}

/// The content of a file that is live.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveSelector {
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub digest: String,
    /// Its size in bytes.
    pub bytes: usize,
    /// Since when it is live.
    pub since: SystemTime,
}

/// Why something is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The error with its cause, on one line.
    pub reason: String,
    /// Since when.
    pub since: SystemTime,
}

impl Refusal {
    pub(super) fn now(reason: String) -> Self {
        let since = SystemTime::now();
        Self { reason, since }
    }
}

impl WatchStatus {
    /// The file of the selector with this name.
    pub fn file(&self, name: &str) -> Option<&WatchedFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

/// The status, and who waits for it to change.
#[derive(Default)]
pub(super) struct StatusBoard {
    posted: Mutex<StatusState>,
    changed: Condvar,
}

/// A status, and the selectors of its files, which alone know whether they are
/// suspended now.
#[derive(Default)]
pub(super) struct StatusState {
    pub(super) status: WatchStatus,
    /// In the order of the files.
    pub(super) selectors: Vec<Arc<dyn Selector>>,
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

    pub(super) fn edit(&self, edit: impl FnOnce(&mut StatusState)) {
        edit(&mut self.posted.lock());
        self.changed.notify_all();
    }

    /// The status once it is as `wanted`; none if that takes too long.
    pub(super) fn wait(
        &self,
        timeout: Duration,
        mut wanted: impl FnMut(&WatchStatus) -> bool,
    ) -> Option<WatchStatus> {
        let begun = Instant::now();
        let mut posted = self.posted.lock();
        while !wanted(posted.now()) {
            let rest = timeout.checked_sub(begun.elapsed())?;
            self.changed.wait_for(&mut posted, rest);
        }
        Some(posted.status.clone())
    }
}
