//! Counters of selections without a word that two cores write.
//!
//! Snapshots share their counters as long as only tracers are added, so that every position keeps
//! its meaning. Any other change makes new counters. When no thread can reach the previous ones any
//! more, their counts are added up by name.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use thread_local::ThreadLocal;

use super::Snapshot;
use super::counts::{SelectionCounts, SelectionOutcome};
use crate::decision::Cause;
use crate::tracer_names::{MAX_TRACERS, TracerNames};

/// Cells that are allocated together on first use.
const CHUNK: usize = 64;

/// Chunks of one line: one cell per cause, then one per tracer.
const CHUNKS: usize = (Cause::ALL.len() + MAX_TRACERS).div_ceil(CHUNK);

/// The counters of the snapshots of the registry in which positions have the same meaning.
///
/// Each thread writes a row of its own, so counting costs no more than an addition.
#[derive(Default)]
pub(super) struct ShardedCounters {
    selectors: Box<[Arc<str>]>,
    /// The tracer of each cause.
    fallbacks: [Option<usize>; Cause::ALL.len()],
    rows: ThreadLocal<Row>,
}

struct Row {
    cached: AtomicU64,
    /// One line for selections without a selector, then one per selector.
    lines: Box<[OnceLock<Line>]>,
}

/// One cell per cause, then one per tracer.
type Line = Box<[OnceLock<Box<[AtomicU64; CHUNK]>>]>;

impl ShardedCounters {
    pub(super) fn of<T>(state: &Snapshot<T>) -> Self {
        Self {
            selectors: state.chain.names().cloned().collect(),
            fallbacks: Cause::ALL.map(|kind| state.fallback_place(kind.is_failure())),
            rows: ThreadLocal::new(),
        }
    }

    /// Counts a selection by its selector and its tracer or cause.
    #[inline]
    pub(super) fn count(&self, by: Option<usize>, told: Result<usize, Cause>, cached: bool) {
        let row = self.rows.get_or(|| Row::new(self.selectors.len() + 1));
        let line = by.map_or(0, |place| place + 1);
        let column = match told {
            Err(cause) => cause as usize,
            Ok(tracer) => Cause::ALL.len() + tracer,
        };
        if let Some(line) = row.lines.get(line) {
            let line = line.get_or_init(line_of_chunks);
            if let Some(chunk) = line.get(column / CHUNK) {
                add_one(&chunk.get_or_init(chunk_of_cells)[column % CHUNK]);
            }
        }
        if cached {
            add_one(&row.cached);
        }
    }

    /// Shows the counts of each outcome, with these names of tracers, and returns the number of
    /// cached decisions.
    fn read(&self, names: &TracerNames, mut show: impl FnMut(SelectionOutcome, u64)) -> u64 {
        let mut cached = 0;
        for row in &self.rows {
            cached += row.cached.load(Ordering::Relaxed);
            for (place, line) in row.lines.iter().enumerate() {
                let line = line.get().into_iter().flat_map(|line| line.iter());
                for (chunk, cells) in line.enumerate() {
                    let cells = cells.get().into_iter().flat_map(|cells| cells.iter());
                    for (offset, cell) in cells.enumerate() {
                        let count = cell.load(Ordering::Relaxed);
                        if count > 0 {
                            show(self.outcome(names, place, chunk * CHUNK + offset), count);
                        }
                    }
                }
            }
        }
        cached
    }

    fn outcome(&self, names: &TracerNames, line: usize, column: usize) -> SelectionOutcome {
        let cause = Cause::ALL.get(column).copied();
        let tracer = match cause {
            None => Some(column - Cause::ALL.len()),
            Some(cause) => self.fallbacks[cause as usize],
        };
        let selector = line
            .checked_sub(1)
            .and_then(|place| self.selectors.get(place));
        SelectionOutcome {
            tracer: tracer
                .and_then(|place| names.at(place))
                .map(|name| name.to_string()),
            selector: selector.map(|name| name.to_string()),
            cause,
        }
    }
}

#[cold]
fn line_of_chunks() -> Line {
    (0..CHUNKS).map(|_| OnceLock::new()).collect()
}

#[cold]
fn chunk_of_cells() -> Box<[AtomicU64; CHUNK]> {
    Box::new([const { AtomicU64::new(0) }; CHUNK])
}

impl Row {
    #[cold]
    fn new(lines: usize) -> Self {
        Self {
            cached: AtomicU64::new(0),
            lines: (0..lines).map(|_| OnceLock::new()).collect(),
        }
    }
}

/// Only this thread writes the cell, so no increment is lost between the two steps.
#[inline]
fn add_one(cell: &AtomicU64) {
    cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// The counters of all snapshots of the registry.
///
/// Cloning is cheap, so that a reader copies it under the lock and adds up afterwards.
#[derive(Clone, Default)]
pub(super) struct CounterHistory {
    past: Arc<SelectionCounts>,
    /// Counters that a thread may still reach, with the names of their tracers.
    live: Vec<(Arc<ShardedCounters>, TracerNames)>,
}

impl CounterHistory {
    pub(super) fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Records the names of tracers that were added to the latest counters.
    pub(super) fn extend(&mut self, names: &TracerNames) {
        if let Some((_, known)) = self.live.last_mut() {
            *known = names.clone();
        }
    }

    pub(super) fn add(&mut self, counters: &Arc<ShardedCounters>, names: &TracerNames) {
        let past = &mut self.past;
        self.live.retain_mut(|(counters, names)| {
            // This is the last reference, so the counts are final.
            let done = Arc::get_mut(counters).is_some();
            if done {
                let past = Arc::make_mut(past);
                let cached = counters.read(names, |outcome, count| past.add_past(outcome, count));
                past.cached += cached;
            }
            !done
        });
        self.live.push((counters.clone(), names.clone()));
    }

    pub(super) fn read(&self) -> SelectionCounts {
        let mut counts = SelectionCounts::clone(&self.past);
        for (counters, names) in &self.live {
            let cached = counters.read(names, |outcome, count| counts.add(outcome, count));
            counts.cached += cached;
        }
        counts
    }
}
