//! Hit counts. Each thread writes a row of its own, so no word is shared between writers.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use thread_local::ThreadLocal;

/// Number of counters that are allocated together on first use.
const CHUNK: usize = 64;

/// Maximum number of leaves of the trie with a counter of their own.
pub(super) const MAX_ENDS: usize = super::trie::MAX_WAYS + 1;

/// The first hits of a leaf in the bounded cache are all recorded, and then one of this many,
/// because that word is shared.
const SAMPLE: u32 = 64;

#[derive(Default)]
pub(super) struct Hits {
    rows: ThreadLocal<Row>,
}

struct Row {
    ends: [OnceLock<Box<[AtomicU64; CHUNK]>>; MAX_ENDS.div_ceil(CHUNK)],
    cached: AtomicU64,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            ends: [const { OnceLock::new() }; MAX_ENDS.div_ceil(CHUNK)],
            cached: AtomicU64::new(0),
        }
    }
}

impl Hits {
    /// Counts a hit in the trie.
    #[inline]
    pub(super) fn count(&self, end: usize) {
        self.add(end, 1);
    }

    /// Counts hits in the trie.
    #[inline]
    pub(super) fn add(&self, end: usize, hits: u64) {
        let row = self.rows.get_or_default();
        if let Some(chunk) = row.ends.get(end / CHUNK) {
            let chunk = chunk.get_or_init(|| Box::new([const { AtomicU64::new(0) }; CHUNK]));
            add(&chunk[end % CHUNK], hits);
        }
    }

    /// Counts a hit in the bounded cache. `seen` is shared.
    #[inline]
    pub(super) fn count_cached(&self, seen: &AtomicU32) {
        let row = self.rows.get_or_default();
        let hits = add(&row.cached, 1);
        if seen.load(Ordering::Relaxed) < SAMPLE {
            seen.fetch_add(1, Ordering::Relaxed);
        } else if hits.is_multiple_of(SAMPLE.into()) {
            seen.fetch_add(SAMPLE, Ordering::Relaxed);
        }
    }

    /// Returns the hits of one leaf of the trie.
    pub(super) fn of(&self, end: usize) -> u64 {
        let cells = self.rows.iter().filter_map(|row| {
            let chunk = row.ends.get(end / CHUNK)?.get()?;
            Some(chunk[end % CHUNK].load(Ordering::Relaxed))
        });
        cells.sum()
    }

    /// Returns the number of hits.
    pub(super) fn total(&self) -> u64 {
        let rows = self.rows.iter().map(|row| {
            let chunks = row.ends.iter().filter_map(OnceLock::get);
            let ends = chunks.flat_map(|chunk| chunk.iter());
            let ends = ends.map(|end| end.load(Ordering::Relaxed)).sum::<u64>();
            ends + row.cached.load(Ordering::Relaxed)
        });
        rows.sum()
    }
}

/// Only this thread writes the cell, so no increment is lost between the two steps.
#[inline]
fn add(cell: &AtomicU64, hits: u64) -> u64 {
    let before = cell.load(Ordering::Relaxed);
    cell.store(before + hits, Ordering::Relaxed);
    before
}
