//! Counters of selections without a word that two cores write.
//!
//! Each snapshot of the registry has counters of its own, because its positions have a meaning in
//! that snapshot only. When no thread can reach a snapshot any more, its counts are added up by
//! name.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use thread_local::ThreadLocal;

use super::Snapshot;
use super::counts::{SelectionCounts, SelectionOutcome};
use crate::decision::Cause;

/// The counters of one snapshot of the registry.
///
/// Each thread writes a row of its own, so counting costs no more than an addition.
#[derive(Default)]
pub(super) struct ShardedCounters {
    tracers: Box<[String]>,
    selectors: Box<[String]>,
    /// The tracer of each cause.
    fallbacks: [Option<usize>; Cause::ALL.len()],
    rows: ThreadLocal<Row>,
}

struct Row {
    cached: AtomicU64,
    /// One line for selections without a selector, then one per selector.
    lines: Box<[OnceLock<Line>]>,
}

/// One cell per tracer, then one per cause.
type Line = Box<[AtomicU64]>;

impl ShardedCounters {
    pub(super) fn of<T>(state: &Snapshot<T>) -> Self {
        let selectors = state.chain.selectors();
        Self {
            tracers: state.names.as_slice().into(),
            selectors: selectors
                .map(|selector| selector.name().to_owned())
                .collect(),
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
            Ok(tracer) => tracer,
            Err(cause) => self.tracers.len() + cause as usize,
        };
        if let Some(line) = row.lines.get(line) {
            let line = line.get_or_init(|| self.line());
            line.get(column).map(add_one);
        }
        if cached {
            add_one(&row.cached);
        }
    }

    #[cold]
    fn line(&self) -> Line {
        let columns = self.tracers.len() + Cause::ALL.len();
        (0..columns).map(|_| AtomicU64::new(0)).collect()
    }

    fn read(&self, mut show: impl FnMut(SelectionOutcome, u64)) -> u64 {
        let mut cached = 0;
        for row in &self.rows {
            cached += row.cached.load(Ordering::Relaxed);
            for (place, line) in row.lines.iter().enumerate() {
                let line = line.get().into_iter().flat_map(|line| line.iter());
                for (column, cell) in line.enumerate() {
                    match cell.load(Ordering::Relaxed) {
                        0 => {}
                        count => show(self.outcome(place, column), count),
                    }
                }
            }
        }
        cached
    }

    fn outcome(&self, line: usize, column: usize) -> SelectionOutcome {
        let kind = column.checked_sub(self.tracers.len());
        let tracer = match kind {
            None => Some(column),
            Some(kind) => self.fallbacks[kind],
        };
        let selector = line
            .checked_sub(1)
            .and_then(|place| self.selectors.get(place));
        SelectionOutcome {
            tracer: tracer.and_then(|place| self.tracers.get(place)).cloned(),
            selector: selector.cloned(),
            cause: kind.map(|kind| Cause::ALL[kind]),
        }
    }
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
#[derive(Default)]
pub(super) struct CounterHistory {
    past: SelectionCounts,
    /// Counters that a thread may still reach.
    live: Vec<Arc<ShardedCounters>>,
}

impl CounterHistory {
    pub(super) fn add(&mut self, counters: &Arc<ShardedCounters>) {
        let past = &mut self.past;
        self.live.retain_mut(|counters| {
            // This is the last reference, so the counts are final.
            let done = Arc::get_mut(counters).is_some();
            if done {
                let cached = counters.read(|outcome, count| past.add_past(outcome, count));
                past.cached += cached;
            }
            !done
        });
        self.live.push(counters.clone());
    }

    pub(super) fn read(&self) -> SelectionCounts {
        let mut counts = self.past.clone();
        for counters in &self.live {
            let cached = counters.read(|outcome, count| counts.add(outcome, count));
            counts.cached += cached;
        }
        counts
    }
}
