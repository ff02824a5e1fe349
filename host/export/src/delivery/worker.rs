//! The thread that sends the spans of one exporter.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_sdk::trace::SpanData;

use super::health::Health;
use super::queue::{Next, Queue, after};
use super::{Loss, Names, Sent, Sink};
use crate::redaction::{ProcessingCounts, SpanProcessing};
use spanmux_core::internal::panic_message;

/// Moves batches from the queue to the sink and counts the outcome of each span. A panic in
/// the sink loses the batch; the thread continues.
pub(super) struct Worker {
    queue: Arc<Queue>,
    sink: Box<dyn Sink>,
    processing: SpanProcessing,
    every: Duration,
    names: Names,
    health: Health,
    /// Dropped last, so that the sink is already dropped when the queue reports the end.
    _end: End,
}

/// The minimum interval between checks for a partial batch. An interval of zero would be a
/// busy loop.
const MIN_EVERY: Duration = Duration::from_millis(1);

/// Marks the queue as finished on drop, so that no thread waits for a worker that no longer
/// runs.
struct End(Arc<Queue>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl Worker {
    pub(super) fn start(
        queue: Arc<Queue>,
        sink: Box<dyn Sink>,
        processing: SpanProcessing,
        every: Duration,
        names: Names,
    ) -> io::Result<()> {
        let name = format!("spanmux-{}", names.exporter);
        let worker = Self {
            _end: End(queue.clone()),
            queue,
            sink,
            processing,
            every: every.max(MIN_EVERY),
            names,
            health: Health::default(),
        };
        std::thread::Builder::new()
            .name(name)
            .spawn(move || worker.run())
            .map(drop)
    }

    fn run(mut self) {
        // Work of the sink must not create spans: they would have to be sent too, without
        // end.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        let mut due = after(self.every);
        let mut wait = true;
        let until = loop {
            let error = match self.queue.next(due, wait) {
                Next::Send(batch) => {
                    let error = self.send(batch);
                    due = after(self.every);
                    error
                }
                Next::Nothing => None,
                Next::Finish(until) => break until,
            };
            if Instant::now() >= due {
                due = after(self.every);
            }
            self.health
                .look(&self.names, self.queue.counts(), error.as_deref());
            wait = !self.idle();
        };
        while Instant::now() < until && self.idle() {}
        self.guarded(|sink| sink.shutdown());
    }

    fn send(&self, mut batch: Vec<SpanData>) -> Option<String> {
        let spans = batch.len() as u64;
        let mut processed = ProcessingCounts::default();
        let send = || {
            processed = self.processing.batch(&mut batch);
            if batch.is_empty() {
                Sent::default()
            } else {
                self.sink.send(batch)
            }
        };
        let sent = catch_unwind(AssertUnwindSafe(send))
            .unwrap_or_else(|panic| Sent::none(spans, Loss::Failed, panic_message(&*panic)));
        self.queue
            .account(spans, sent.message.as_deref(), |counts| {
                counts.add_processed(&processed);
                sent.count(spans - processed.filtered, counts);
            });
        sent.message
    }

    fn idle(&self) -> bool {
        self.guarded(|sink| sink.idle()).unwrap_or(false)
    }

    fn guarded<T>(&self, step: impl FnOnce(&dyn Sink) -> T) -> Option<T> {
        let outcome = catch_unwind(AssertUnwindSafe(|| step(&*self.sink)));
        let failed = |panic: &(dyn std::any::Any + Send)| {
            let (exporter, error) = (&self.names.exporter, panic_message(panic));
            tracing::debug!(exporter, error, "an exporter panicked");
        };
        outcome.inspect_err(|panic| failed(&**panic)).ok()
    }
}
