//! Counting what became of spans.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a span did not reach a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// The queue was full when it ended: the backend is slower than the service.
    QueueFull,
    /// The backend took the batch and refused this span, or refused the batch for
    /// what it holds or who sent it.
    Rejected,
    /// No connection to the backend came about.
    Unreachable,
    /// The backend did not answer in time.
    TimedOut,
    /// The backend said that it cannot now, until all attempts were used up.
    Unavailable,
    /// The exporter itself failed.
    Failed,
    /// The tracer was shut down before the span could be sent.
    ShutDown,
}

impl Loss {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 7] = [
        Self::QueueFull,
        Self::Rejected,
        Self::Unreachable,
        Self::TimedOut,
        Self::Unavailable,
        Self::Failed,
        Self::ShutDown,
    ];

    /// One word for metrics and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Rejected => "rejected",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
            Self::ShutDown => "shut_down",
        }
    }
}

/// What became of the spans of one exporter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryCounts {
    /// Spans that the backend took.
    pub delivered: u64,
    /// Attempts beyond the first of a batch.
    pub retries: u64,
    lost: [u64; Loss::ALL.len()],
}

impl DeliveryCounts {
    /// Spans that were lost for this cause.
    pub fn lost_to(&self, cause: Loss) -> u64 {
        self.lost[cause as usize]
    }

    /// Spans that were lost.
    pub fn lost(&self) -> u64 {
        self.lost.iter().sum()
    }
}

/// Counts for one exporter.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    delivered: AtomicU64,
    retries: AtomicU64,
    lost: [AtomicU64; Loss::ALL.len()],
}

impl Meter {
    pub(crate) fn delivered(&self, spans: u64) {
        self.delivered.fetch_add(spans, Ordering::Relaxed);
    }

    pub(crate) fn retried(&self, attempts: u64) {
        self.retries.fetch_add(attempts, Ordering::Relaxed);
    }

    pub(crate) fn lost(&self, cause: Loss, spans: u64) {
        self.lost[cause as usize].fetch_add(spans, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> DeliveryCounts {
        DeliveryCounts {
            delivered: self.delivered.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            lost: self
                .lost
                .each_ref()
                .map(|cell| cell.load(Ordering::Relaxed)),
        }
    }
}
