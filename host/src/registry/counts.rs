//! Counting selections without a word that two cores write.

use std::sync::atomic::{AtomicU64, Ordering};

use thread_local::ThreadLocal;

use crate::decision::{Fallback, FallbackKind};

/// How many selections there were, by cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectionCounts {
    /// Selections that a selector chose.
    pub chosen: u64,
    /// Selections, chosen or fallen back, that were answered from what was learned:
    /// no component ran for them.
    pub learned: u64,
    fallbacks: [u64; FallbackKind::ALL.len()],
}

impl SelectionCounts {
    /// Selections that fell back for this cause.
    pub fn fallback(&self, kind: FallbackKind) -> u64 {
        self.fallbacks[kind as usize]
    }

    /// All selections.
    pub fn total(&self) -> u64 {
        self.chosen + self.fallbacks.iter().sum::<u64>()
    }
}

/// One row for each thread that selects. A thread writes its own row alone, so a
/// count costs no more than a plain addition.
#[derive(Default)]
pub(super) struct Counters {
    rows: ThreadLocal<Row>,
}

#[derive(Default)]
struct Row {
    chosen: AtomicU64,
    learned: AtomicU64,
    fallbacks: [AtomicU64; FallbackKind::ALL.len()],
}

impl Counters {
    #[inline]
    pub(super) fn count(&self, fallback: Option<&Fallback>, learned: bool) {
        let row = self.rows.get_or_default();
        add_one(match fallback {
            None => &row.chosen,
            Some(fallback) => &row.fallbacks[fallback.kind() as usize],
        });
        if learned {
            add_one(&row.learned);
        }
    }

    pub(super) fn read(&self) -> SelectionCounts {
        let mut counts = SelectionCounts::default();
        for row in &self.rows {
            counts.chosen += row.chosen.load(Ordering::Relaxed);
            counts.learned += row.learned.load(Ordering::Relaxed);
            for (sum, cell) in counts.fallbacks.iter_mut().zip(&row.fallbacks) {
                *sum += cell.load(Ordering::Relaxed);
            }
        }
        counts
    }
}

/// Only this thread writes the cell, so nothing is lost between the two.
#[inline]
fn add_one(cell: &AtomicU64) {
    cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
