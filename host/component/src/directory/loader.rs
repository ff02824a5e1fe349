//! Loads files within a time limit. A compilation cannot be cancelled, so each file has a thread of
//! its own, which is detached after the limit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::fingerprint::FileFingerprint;
use super::verify::DigestCheck;
use crate::{ComponentSelector, LoadError, SelectorHost};

/// While this many detached threads run, no file is loaded.
const LEFT_BEHIND: usize = 2;

/// The result of one attempt.
pub(super) enum Attempt {
    /// The file loaded or failed.
    Done(Result<ComponentSelector, LoadError>),
    /// The file was written while it was read.
    Moved,
    /// No file can be loaded now. The next scan retries.
    Busy,
}

/// A file and its fingerprint before it is read.
pub(super) type Job = (PathBuf, Option<FileFingerprint>);

/// Loads files on threads of its own, as many at once as the host's limits allow.
pub(super) struct Loader {
    host: SelectorHost,
    time: Duration,
    /// Each thread holds a clone, so the reference count is the number of threads.
    threads: Arc<()>,
}

impl Loader {
    pub(super) fn new(host: SelectorHost, time: Duration) -> Self {
        Self {
            host,
            time,
            threads: Arc::new(()),
        }
    }

    /// Loads the files and returns the results in order.
    pub(super) fn load(&self, jobs: &[Job], pins: &DigestCheck) -> Vec<Attempt> {
        let mut attempts: Vec<_> = jobs.iter().map(|_| Attempt::Busy).collect();
        if self.threads_left(0) >= LEFT_BEHIND {
            return attempts;
        }
        let (sender, results) = mpsc::channel();
        let mut waiting = jobs.iter().enumerate();
        let mut running = Vec::new();
        let at_once = self.host.limits().compile_threads.max(1);
        loop {
            while room(self.threads_left(running.len()), running.len(), at_once)
                && let Some((index, job)) = waiting.next()
            {
                if self.start(index, job, pins, sender.clone()) {
                    running.push((index, Instant::now()));
                }
            }
            if running.is_empty() {
                return attempts;
            }
            let (index, attempt) = next(&results, &running, self.time);
            running.retain(|(other, _)| *other != index);
            if let Some(place) = attempts.get_mut(index) {
                *place = attempt;
            }
        }
    }

    /// Returns the number of detached threads, apart from the running ones.
    fn threads_left(&self, running: usize) -> usize {
        (Arc::strong_count(&self.threads) - 1).saturating_sub(running)
    }

    /// Starts a thread. Returns `false` if the system refuses it.
    fn start(
        &self,
        index: usize,
        job: &Job,
        pins: &DigestCheck,
        done: Sender<(usize, Attempt)>,
    ) -> bool {
        let (host, threads) = (self.host.clone(), Arc::clone(&self.threads));
        let ((path, stamp), pins) = (job.clone(), pins.clone());
        let (limit, begun) = (self.time, Instant::now());
        let events = tracing::dispatcher::get_default(Clone::clone);
        let work = move || {
            let attempt = || attempt(&host, &path, stamp, &pins);
            let attempt = match tracing::dispatcher::with_default(&events, attempt) {
                Attempt::Done(Ok(_)) if begun.elapsed() > limit => too_slow(limit),
                attempt => attempt,
            };
            drop(host);
            drop(threads);
            // After the time limit, no receiver is left.
            let _ = done.send((index, attempt));
        };
        let thread = thread::Builder::new().name("spanmux-loader".to_owned());
        thread.spawn(work).is_ok()
    }
}

/// Returns `true` if another thread may start. All running threads may become detached, so they
/// count together with those that are.
fn room(left: usize, running: usize, at_once: usize) -> bool {
    let all = at_once.max(LEFT_BEHIND);
    left < LEFT_BEHIND && running < at_once && left + running < all
}

/// Waits for the next result or timeout.
fn next(
    results: &Receiver<(usize, Attempt)>,
    running: &[(usize, Instant)],
    limit: Duration,
) -> (usize, Attempt) {
    loop {
        let Some(&(index, begun)) = running.iter().min_by_key(|(_, begun)| *begun) else {
            return (usize::MAX, Attempt::Busy);
        };
        let rest = limit.saturating_sub(begun.elapsed());
        match results.recv_timeout(rest) {
            Ok((done, attempt)) if running.iter().any(|(index, _)| *index == done) => {
                return (done, attempt);
            }
            // A thread that was detached before.
            Ok(_) => {}
            Err(_) => return (index, too_slow(limit)),
        }
    }
}

fn too_slow(limit: Duration) -> Attempt {
    Attempt::Done(Err(LoadError::TooSlow { limit }))
}

fn attempt(
    host: &SelectorHost,
    path: &Path,
    before: Option<FileFingerprint>,
    pins: &DigestCheck,
) -> Attempt {
    let bytes = host.read_file(path);
    if FileFingerprint::of(path) != before {
        return Attempt::Moved;
    }
    Attempt::Done(pins.load(host, path, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file exceeds the limit, and no detached thread ends.
    #[test]
    fn no_more_are_left_behind_than_are_loaded_at_once() {
        for at_once in 1..=8 {
            let (mut left, mut running) = (0, 0);
            for _ in 0..100 {
                while room(left, running, at_once) {
                    running += 1;
                }
                // One at a time, so that the next one starts as soon as it may.
                (left, running) = match running {
                    0 => (left, 0),
                    _ => (left + 1, running - 1),
                };
            }
            assert_eq!(left, at_once.max(LEFT_BEHIND), "{at_once} at once");
        }
    }
}
