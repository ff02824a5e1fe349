//! A soak test: a service as an application embeds it, disturbed in every way for a given time,
//! while its promises are checked.
//!
//! Reading order: the `service`, its `guests`, the disturbances (`disturb`), the load (`ask`), the
//! observed `process`, and the `verdict`.

mod ask;
mod disturb;
mod guests;
mod process;
mod service;
mod verdict;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ask::Asked;
use disturb::Disturbed;
use guests::Guests;
use process::{Panics, Process};
use service::Service;
pub use verdict::{Promise, Verdict};

/// Maximum time to wait for something to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The settings of a soak test.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The duration.
    pub time: Duration,
    /// Threads that select, and the same number that trace.
    pub threads: u64,
    /// The interval of the disturbances.
    pub every: Duration,
    /// The seed of the contexts.
    pub seed: u64,
}

/// Intermediate figures.
#[derive(Debug)]
pub struct Progress {
    /// The time since the start.
    pub after: Duration,
    /// Selections and root spans so far.
    pub selections: u64,
    /// Number of chains so far.
    pub chains: u64,
    /// Number of refused files.
    pub refusals: u64,
    /// Resident memory in bytes.
    pub resident: usize,
}

/// Runs the test and returns the promises that were kept.
///
/// # Panics
/// If the service cannot be set up.
pub fn soak(settings: Settings, mut tell: impl FnMut(&Progress)) -> Verdict {
    let panics = Panics::count();
    // The guests ran once, so resources that the engine opens once per process are open.
    let guests = Guests::new();
    let before = Process::now();
    let service = Service::start(guests);
    let over = AtomicBool::new(false);
    let begun = Instant::now();
    let mut resident = Vec::new();
    let (asked, disturbed) = thread::scope(|scope| {
        let (service, over) = (&service, &over);
        let seeds = (0..settings.threads).map(|thread| settings.seed.wrapping_add(thread));
        let asking: Vec<_> = seeds
            .flat_map(|seed| {
                [
                    scope.spawn(move || ask::select(service, over, seed)),
                    scope.spawn(move || ask::trace(service, over, !seed)),
                ]
            })
            .collect();
        let disturbing = [
            scope.spawn(move || disturb::directory(service, over, settings.every)),
            scope.spawn(move || disturb::registry(service, over, settings.every)),
        ];
        while begun.elapsed() < settings.time {
            thread::sleep(Duration::from_secs(1).min(settings.time));
            let resident_now = Process::now().resident;
            resident.push(resident_now);
            if resident.len() % 10 == 0 {
                tell(&service.progress(begun.elapsed(), resident_now));
            }
        }
        over.store(true, Ordering::Relaxed);
        let asked: Vec<Asked> = asking.into_iter().map(|thread| join(thread)).collect();
        let disturbed: Vec<Disturbed> = disturbing.into_iter().map(|thread| join(thread)).collect();
        (asked, disturbed)
    });
    let asked = asked.into_iter().reduce(Asked::and).unwrap_or_default();
    let disturbed = disturbed
        .into_iter()
        .reduce(Disturbed::and)
        .unwrap_or_default();
    let delivered = service.end();
    let after = before.wait(PATIENCE);
    verdict::of(verdict::Seen {
        time: begun.elapsed(),
        asked,
        disturbed,
        delivered,
        panics: panics.so_far(),
        resident,
        before,
        after,
    })
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The names of tracers in every list, each of seven letters, so that one can replace another in
/// the text of a guest.
const TRACERS: [&str; 4] = ["console", "datadog", "phoenix", "archive"];
const FALLBACK: &str = "quarantine";

fn is_known(name: &str) -> bool {
    TRACERS.contains(&name) || name == FALLBACK
}
