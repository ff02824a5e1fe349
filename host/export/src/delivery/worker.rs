//! The thread that empties the queue of one exporter.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::Context;

use super::disk_buffer::{Buffered, DiskBufferStore, Ticket};
use super::health::Health;
use super::queue::{Batch, Next, Queue, after};
use super::{Loss, Names, Parts, Sent, Sink, Stop};
use crate::redaction::{ProcessingCounts, SpanProcessing};
use spanmux_core::internal::panic_message;

/// The destination of the batches of an exporter.
pub(crate) enum Target {
    /// The worker sends and waits for the response.
    Sink(Box<dyn Sink>),
    /// A second thread sends. The worker never waits for the network: it writes to disk all
    /// spans that cannot be sent.
    Buffered(Box<(Parts, DiskBufferStore)>),
}

enum Destination {
    Sink(Box<dyn Sink>),
    Buffered(Buffered),
}

/// Moves batches from the queue to the destination and counts the outcome of each span. A
/// panic in the sink loses the batch; the thread continues.
pub(super) struct Worker {
    queue: Arc<Queue>,
    destination: Destination,
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
        stop: Arc<Stop>,
        target: Target,
        processing: SpanProcessing,
        every: Duration,
        names: Names,
    ) -> io::Result<()> {
        let name = format!("spanmux-{}", names.exporter);
        let destination = match target {
            Target::Sink(mut sink) => {
                sink.set_stop(stop);
                Destination::Sink(sink)
            }
            Target::Buffered(buffered) => {
                let (parts, store) = *buffered;
                Destination::Buffered(Buffered::start(parts, store, &queue, stop, &name)?)
            }
        };
        let worker = Self {
            _end: End(queue.clone()),
            queue,
            destination,
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
        let closed = loop {
            match self.queue.next(due) {
                Next::Send(batch) => {
                    self.send(batch);
                    due = after(self.every);
                }
                Next::Nothing => {}
                Next::Finish(closed) => break closed,
            }
            if Instant::now() >= due {
                due = after(self.every);
            }
            self.look();
        };
        match &self.destination {
            Destination::Sink(sink) => {
                let outcome = catch_unwind(AssertUnwindSafe(|| sink.shutdown()));
                if let Err(panic) = outcome {
                    let (exporter, error) = (&self.names.exporter, panic_message(&*panic));
                    tracing::debug!(exporter, error, "an exporter panicked");
                }
            }
            Destination::Buffered(buffered) => buffered.finish(closed.late),
        }
        self.look();
    }

    fn look(&mut self) {
        let error = self.queue.last_error();
        self.health
            .look(&self.names, self.queue.counts(), error.as_deref());
    }

    fn send(&self, batch: Batch) {
        let Batch {
            first,
            mut spans,
            to_disk,
        } = batch;
        let mut ticket = Ticket {
            first,
            spans: spans.len() as u64,
            processed: ProcessingCounts::default(),
        };
        let send = || {
            ticket.processed = self.processing.batch(&mut spans);
            if spans.is_empty() {
                return Some(Sent::default());
            }
            match &self.destination {
                Destination::Sink(sink) => Some(sink.send(spans)),
                Destination::Buffered(buffered) => {
                    buffered.take(spans, ticket.clone(), to_disk);
                    None
                }
            }
        };
        let sent = catch_unwind(AssertUnwindSafe(send)).unwrap_or_else(|panic| {
            Some(Sent::none(
                ticket.spans,
                Loss::Failed,
                panic_message(&*panic),
            ))
        });
        if let Some(sent) = sent {
            ticket.account(&self.queue, &sent);
        }
    }
}
