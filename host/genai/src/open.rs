//! A bounded count of open AI spans.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The numbers of open spans and of refused spans of one [`Ai`](super::Ai).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenSpans {
    /// Handles that are neither ended nor dropped. A leaked handle counts as open.
    pub open: usize,
    /// Spans that do nothing because
    /// [`AiOptions::max_open_spans`](super::AiOptions::max_open_spans) was reached.
    pub refused: u64,
}

/// The permits for open spans.
#[derive(Debug, Default)]
pub(super) struct Places {
    open: AtomicUsize,
    refused: AtomicU64,
}

impl Places {
    /// Takes a permit, if fewer than `most` are taken.
    pub(super) fn take(self: &Arc<Self>, most: usize) -> Option<Place> {
        let one_more = |open| (open < most).then_some(open + 1);
        match self
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
        {
            Ok(_) => Some(Place(self.clone())),
            Err(_) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    pub(super) fn counts(&self) -> OpenSpans {
        OpenSpans {
            open: self.open.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

/// The permit of one open span. Dropping it returns the permit.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
