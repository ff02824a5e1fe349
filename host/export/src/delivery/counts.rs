//! Counts of the outcome of spans.

use std::fmt;
use std::ops::AddAssign;

use parking_lot::Mutex;

use crate::redaction::ProcessingCounts;

/// The reason why a span did not reach a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// The queue was full when the span ended: the backend is slower than the service.
    QueueFull,
    /// The backend accepted the batch but refused this span, or refused the whole batch
    /// because of its content or the credentials of the sender.
    Rejected,
    /// No connection to the backend could be established.
    Unreachable,
    /// The backend did not answer in time.
    TimedOut,
    /// The backend reported that it is temporarily unavailable until no attempts were left.
    Unavailable,
    /// The exporter itself failed.
    Failed,
    /// The tracer was shut down before the span could be sent.
    ShutDown,
    /// The span should have been [buffered on disk](super::DiskBuffer) and could not be
    /// written, or was buffered and could not be read: the disk was full or gone, or the
    /// file was damaged.
    DiskBuffer,
    /// The span was buffered on disk when the buffer reached its maximum size or number of
    /// files.
    BufferFull,
    /// The span was buffered on disk for longer than the maximum age.
    Expired,
}

impl Loss {
    /// All causes in declaration order.
    pub const ALL: [Self; 10] = [
        Self::QueueFull,
        Self::Rejected,
        Self::Unreachable,
        Self::TimedOut,
        Self::Unavailable,
        Self::Failed,
        Self::ShutDown,
        Self::DiskBuffer,
        Self::BufferFull,
        Self::Expired,
    ];

    /// Returns the stable name for metrics and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Rejected => "rejected",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
            Self::ShutDown => "shut_down",
            Self::DiskBuffer => "spilled",
            Self::BufferFull => "buffer_full",
            Self::Expired => "expired",
        }
    }
}

/// The outcome of the spans of one exporter.
///
/// The counts are complete: `ended + recovered` equals `delivered + lost() + filtered +
/// waiting + buffered` at every moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryCounts {
    /// Sampled spans that ended and were handed to the exporter.
    pub ended: u64,
    /// Spans that the backend accepted.
    pub delivered: u64,
    /// Attempts after the first attempt of a batch.
    pub retries: u64,
    /// Spans that a [filter](crate::redaction::SpanFilter) dropped.
    pub filtered: u64,
    /// Sampled spans of traces that this exporter does not receive because of its
    /// [sampling](crate::exporters::Exporter::sampling). Not included in `ended`.
    pub sampled_out: u64,
    /// Spans that are waiting or being sent at this moment. Not cumulative.
    pub waiting: u64,
    /// Spans that are buffered on disk at this moment. Not cumulative.
    pub buffered: u64,
    /// Spans that were delivered from the disk buffer. Included in `delivered`.
    pub replayed: u64,
    /// Spans that an earlier process left in the disk buffer.
    pub recovered: u64,
    /// Files of the disk buffer that could not be read and were set aside.
    pub set_aside: u64,
    /// Spans that were delivered with shortened values, because they were too large for the
    /// backend. Included in `delivered`. Their attribute `spanmux.cut` contains the number of
    /// shortened values.
    pub shortened: u64,
    /// Values that were [redacted](crate::redaction::Redaction), and attributes with
    /// [content](crate::exporters::Exporter::content) that were removed.
    pub redacted: u64,
    /// Values that were [truncated](crate::redaction::AttributeLimits), plus attributes, events
    /// and links that were dropped.
    pub cut: u64,
    pub(crate) lost: [u64; Loss::ALL.len()],
}

impl DeliveryCounts {
    /// Returns the number of spans that were lost for this cause.
    pub fn lost_to(&self, cause: Loss) -> u64 {
        self.lost[cause as usize]
    }

    /// Returns the number of lost spans.
    pub fn lost(&self) -> u64 {
        self.lost.iter().sum()
    }

    pub(crate) fn add_processed(&mut self, processed: &ProcessingCounts) {
        self.filtered += processed.filtered;
        self.redacted += processed.redacted;
        self.cut += processed.cut;
    }

    pub(crate) fn lose(&mut self, cause: Loss, spans: u64) {
        self.lost[cause as usize] += spans;
    }

    /// Returns the losses since `before` by cause.
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
        self.sampled_out += other.sampled_out;
        self.waiting += other.waiting;
        self.buffered += other.buffered;
        self.replayed += other.replayed;
        self.recovered += other.recovered;
        self.set_aside += other.set_aside;
        self.shortened += other.shortened;
        self.redacted += other.redacted;
        self.cut += other.cut;
        for (sum, lost) in self.lost.iter_mut().zip(other.lost) {
            *sum += lost;
        }
    }
}

/// Lost spans by cause. Displayed as `7 (queue_full 4, rejected 3)`.
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

/// The counts of one exporter behind a mutex. Related counts change together, so they add
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
