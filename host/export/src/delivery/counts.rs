//! Counting what became of spans.

use std::fmt;
use std::ops::AddAssign;

use parking_lot::Mutex;

use crate::scrub::Scrubbed;

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
    /// It was [spilled](super::Spill), and had to go before it could be replayed: too
    /// many were, for too long, or the disk was full or damaged them.
    Spilled,
}

impl Loss {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::QueueFull,
        Self::Rejected,
        Self::Unreachable,
        Self::TimedOut,
        Self::Unavailable,
        Self::Failed,
        Self::ShutDown,
        Self::Spilled,
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
            Self::Spilled => "spilled",
        }
    }

    /// Whether the same request may be taken later: the backend was not there, and
    /// did not refuse.
    pub(crate) fn may_pass(self) -> bool {
        matches!(self, Self::Unreachable | Self::TimedOut | Self::Unavailable)
    }
}

/// What became of the spans of one exporter.
///
/// Nothing is left out: `ended + recovered` is `delivered + lost() + filtered +
/// waiting + spilled`, at every moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryCounts {
    /// Sampled spans that ended and were handed to the exporter.
    pub ended: u64,
    /// Spans that the backend took.
    pub delivered: u64,
    /// Attempts beyond the first of a batch.
    pub retries: u64,
    /// Spans that a [filter](crate::scrub::SpanFilter) left out.
    pub filtered: u64,
    /// Spans that wait to be sent, or are being sent: now, not ever.
    pub waiting: u64,
    /// Spans that wait on disk: now, not ever.
    pub spilled: u64,
    /// Spans that were delivered from disk, of those that were delivered.
    pub replayed: u64,
    /// Spans that an earlier process had left on disk.
    pub recovered: u64,
    /// Files of the spill directory that could not be read and were set aside.
    pub set_aside: u64,
    /// Values that were [redacted](crate::scrub::Redaction).
    pub redacted: u64,
    /// Values that were [cut](crate::scrub::AttributeLimits), and attributes, events
    /// and links that were left out.
    pub cut: u64,
    pub(crate) lost: [u64; Loss::ALL.len()],
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

    pub(crate) fn add_scrubbed(&mut self, scrubbed: &Scrubbed) {
        self.filtered += scrubbed.filtered;
        self.redacted += scrubbed.redacted;
        self.cut += scrubbed.cut;
    }

    pub(crate) fn lose(&mut self, cause: Loss, spans: u64) {
        self.lost[cause as usize] += spans;
    }

    /// What was lost since `before`, by cause.
    pub(crate) fn lost_since(&self, before: &Self) -> LostBy {
        let mut lost = self.lost;
        for (now, before) in lost.iter_mut().zip(before.lost) {
            *now = now.saturating_sub(before);
        }
        LostBy(lost)
    }
}

impl AddAssign<&Self> for DeliveryCounts {
    fn add_assign(&mut self, other: &Self) {
        self.ended += other.ended;
        self.delivered += other.delivered;
        self.retries += other.retries;
        self.filtered += other.filtered;
        self.waiting += other.waiting;
        self.spilled += other.spilled;
        self.replayed += other.replayed;
        self.recovered += other.recovered;
        self.set_aside += other.set_aside;
        self.redacted += other.redacted;
        self.cut += other.cut;
        for (sum, lost) in self.lost.iter_mut().zip(other.lost) {
            *sum += lost;
        }
    }
}

/// Lost spans by cause, as a sentence has them: `7 (queue_full 4, rejected 3)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LostBy([u64; Loss::ALL.len()]);

impl LostBy {
    pub fn total(self) -> u64 {
        self.0.iter().sum()
    }
}

impl fmt::Display for LostBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", self.total())?;
        let causes = Loss::ALL.iter().zip(self.0).filter(|(_, lost)| *lost > 0);
        for (place, (cause, lost)) in causes.enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{} {lost}", cause.as_str())?;
        }
        f.write_str(")")
    }
}

/// Counts for one exporter. What belongs together changes together, so that they add
/// up whenever they are read.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<DeliveryCounts>);

impl Meter {
    pub(crate) fn change(&self, change: impl FnOnce(&mut DeliveryCounts)) {
        change(&mut self.0.lock());
    }

    pub(crate) fn lost(&self, cause: Loss, spans: u64) {
        self.change(|counts| counts.lose(cause, spans));
    }

    pub(crate) fn read(&self) -> DeliveryCounts {
        self.0.lock().clone()
    }
}
