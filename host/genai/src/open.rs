//! How many AI spans are open: bounded, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many spans of one [`Ai`](super::Ai) are open, and how many were refused
/// because too many were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenSpans {
    /// Handles that are neither ended nor dropped. One that is forgotten stays open.
    pub open: usize,
    /// Spans that do nothing because
    /// [`AiOptions::max_open_spans`](super::AiOptions::max_open_spans) were open.
    pub refused: u64,
}

/// The places for open spans.
#[derive(Debug, Default)]
pub(super) struct Places {
    open: AtomicUsize,
    refused: AtomicU64,
}

impl Places {
    /// A place, if fewer than `most` are taken.
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

/// One open span's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
