//! The open spans of a tracer, counted for each thread that starts them, so that no word is written
//! by two threads that start and end their own spans.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::otel_tracer::OtelTracer;

thread_local! {
    static HERE: Cell<()> = const { Cell::new(()) };
}

/// Returns a number that no other living thread has.
fn here() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// The counts of the spans of one tracer that one thread started.
///
/// A later thread may have the number of one that has ended. It continues the counts.
#[derive(Debug)]
pub(super) struct ThreadCounts {
    thread: usize,
    /// Written by the thread only.
    started: AtomicU64,
    /// Spans that ended on the thread that started them. Written by the thread only.
    ended: AtomicU64,
    /// Spans that ended on another thread.
    ended_elsewhere: AtomicU64,
    /// The number of started spans from which on the limit of the tracer is checked again. Written by
    /// the thread only.
    unchecked: AtomicU64,
}

impl ThreadCounts {
    fn new(thread: usize) -> Self {
        Self {
            thread,
            started: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            ended_elsewhere: AtomicU64::new(0),
            unchecked: AtomicU64::new(0),
        }
    }

    /// Counts a span that this thread starts.
    fn start(&self) {
        add_one(&self.started);
    }

    /// Counts a span that ends on any thread.
    fn end(&self) {
        if self.thread == here() {
            add_one(&self.ended);
        } else {
            self.ended_elsewhere.fetch_add(1, Ordering::Release);
        }
    }

    /// Returns the number of ended spans and then that of the started ones, which is not less.
    fn read(&self) -> (u64, u64) {
        let here = self.ended.load(Ordering::Acquire);
        let elsewhere = self.ended_elsewhere.load(Ordering::Acquire);
        (here + elsewhere, self.started.load(Ordering::Acquire))
    }

    fn open(&self) -> u64 {
        let (ended, started) = self.read();
        started.saturating_sub(ended)
    }
}

/// Only one thread writes the word, so no addition is lost between the two steps.
fn add_one(word: &AtomicU64) {
    word.store(word.load(Ordering::Relaxed) + 1, Ordering::Release);
}

/// The counts of the open spans of one tracer.
#[derive(Debug, Default)]
pub(super) struct OpenSpans {
    threads: Mutex<Vec<Arc<ThreadCounts>>>,
}

impl OpenSpans {
    /// Returns the number of open spans.
    pub(super) fn count(&self) -> u64 {
        let threads = self.threads.lock();
        threads.iter().map(|counts| counts.open()).sum()
    }

    /// Returns the counts of this thread.
    fn here(&self) -> Arc<ThreadCounts> {
        let here = here();
        let mut threads = self.threads.lock();
        if let Some(known) = threads.iter().find(|counts| counts.thread == here) {
            return known.clone();
        }
        // Those of threads that have ended, or that start no span of this tracer any more.
        threads.retain(|counts| Arc::strong_count(counts) > 1 || counts.open() > 0);
        let new = Arc::new(ThreadCounts::new(here));
        threads.push(new.clone());
        new
    }
}

/// The reference to a tracer that the open spans of one thread share.
///
/// A span counts this reference and not that of the tracer, which all threads would write.
#[derive(Debug)]
pub(super) struct ThreadSpans {
    /// `None` during the drop.
    tracer: Option<Arc<OtelTracer>>,
    counts: Arc<ThreadCounts>,
}

impl ThreadSpans {
    /// Creates a reference for spans that this thread starts.
    pub(super) fn new(tracer: Arc<OtelTracer>) -> Self {
        let counts = tracer.stats().open_spans().here();
        Self::with_counts(tracer, counts)
    }

    /// As [`new`](Self::new), with the counts that an earlier reference of this thread had.
    pub(super) fn with_counts(tracer: Arc<OtelTracer>, counts: Arc<ThreadCounts>) -> Self {
        Self {
            tracer: Some(tracer),
            counts,
        }
    }

    pub(super) fn counts(&self) -> &Arc<ThreadCounts> {
        &self.counts
    }

    #[inline]
    pub(super) fn tracer(&self) -> Option<&Arc<OtelTracer>> {
        self.tracer.as_ref()
    }

    /// Counts a recording span that this thread starts.
    pub(super) fn span_started(&self) {
        self.counts.start();
    }

    /// Counts the end of such a span. Call it after the exporters have received the span.
    pub(super) fn span_ended(&self) {
        self.counts.end();
    }

    /// Returns `true` if the tracer has no room for a further span.
    ///
    /// The spans of all threads are counted only now and then: a thread may start an eighth of what
    /// is left in between. So the limit is exact for one thread, and threads that start spans at the
    /// same time may exceed it.
    pub(super) fn is_full(&self, limit: u64, open: impl FnOnce() -> u64) -> bool {
        let started = self.counts.started.load(Ordering::Relaxed);
        if started < self.counts.unchecked.load(Ordering::Relaxed) {
            return false;
        }
        let left = limit.saturating_sub(open());
        let next = started + left.div_ceil(8);
        self.counts.unchecked.store(next, Ordering::Relaxed);
        left == 0
    }
}

/// Dropping the last reference to a tracer shuts its provider down and waits for exporters. This
/// must not block the thread that ends a span.
impl Drop for ThreadSpans {
    fn drop(&mut self) {
        if let Some(last) = self.tracer.take().and_then(Arc::into_inner) {
            last.retire();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_wherever_they_end() {
        let open = OpenSpans::default();
        let counts = open.here();
        for _ in 0..3 {
            counts.start();
        }
        counts.end();
        let elsewhere = counts.clone();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                elsewhere.end();
                open.here().start();
            });
        });
        assert_eq!(open.count(), 2);
    }

    #[test]
    fn threads_that_have_ended_leave_nothing_behind() {
        let open = OpenSpans::default();
        for _ in 0..100 {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let counts = open.here();
                    counts.start();
                    counts.end();
                });
            });
        }
        assert!(open.threads.lock().len() <= 2);
    }
}
