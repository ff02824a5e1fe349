//! Observations of the process: memory, threads, files, panics.

use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::resident_bytes;

/// An observation of the process. Empty if the system does not report it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Process {
    pub(super) resident: usize,
    pub(super) threads: usize,
    pub(super) files: usize,
}

impl Process {
    pub(super) fn now() -> Self {
        Self {
            resident: resident_bytes().unwrap_or_default(),
            threads: count("/proc/self/task"),
            files: count("/proc/self/fd"),
        }
    }

    /// Waits until the process has no more threads and files than now, within a time limit.
    pub(super) fn wait(&self, patience: Duration) -> Self {
        let begun = Instant::now();
        loop {
            let now = Self::now();
            let done = now.threads <= self.threads && now.files <= self.files;
            if done || begun.elapsed() > patience {
                return now;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn count(folder: &str) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Counts the panics of the process from now on, including caught ones.
pub(super) struct Panics(Arc<AtomicU64>);

impl Panics {
    pub(super) fn count() -> Self {
        let panics = Arc::new(AtomicU64::new(0));
        let counted = panics.clone();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            counted.fetch_add(1, Ordering::Relaxed);
            before(info);
        }));
        Self(panics)
    }

    pub(super) fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
