//! The way of a tracer's spans to one exporter.

use std::fmt::{self, Debug};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use parking_lot::Mutex;

use super::counts::LostBy;
use super::queue::{Queue, after};
use super::worker::Worker;
use super::{BatchConfig, DEFAULT_DEADLINE, DeliveryCounts, Meter, Sink};
use crate::scrub::Scrub;

/// The way of a tracer's spans to one exporter. What waits is told from what is
/// only asked for, so that several can be asked before one is waited for.
pub trait Pipeline: Debug + Send + Sync + 'static {
    /// A sampled or recorded span has begun.
    fn start(&self, _span: &Span) {}

    /// A span has ended.
    fn end(&self, span: SpanData);

    /// Asks for all that ended before to be sent.
    fn flush(&self);

    /// Waits until that was done.
    fn wait_for_flush(&self, deadline: Instant) -> bool;

    /// Takes nothing more, and asks for the rest to be sent until the deadline.
    fn close(&self, deadline: Instant);

    /// Waits until the exporter has come to its end.
    fn wait_for_close(&self, deadline: Instant) -> bool;

    /// What became of the spans.
    fn counts(&self) -> DeliveryCounts;

    /// What went wrong last since this was asked.
    fn take_error(&self) -> Option<String>;

    /// Whether it can do nothing more, and its counts stay as they are.
    fn is_over(&self) -> bool;
}

/// A pipeline with a queue and a thread.
#[derive(Debug)]
pub(crate) struct Queued {
    queue: Arc<Queue>,
}

impl Queued {
    /// Starts the thread. It ends when the pipeline is closed or dropped.
    pub(crate) fn start(
        sink: Box<dyn Sink>,
        scrub: Scrub,
        batch: &BatchConfig,
        meter: Arc<Meter>,
        names: Names,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(batch, meter));
        Worker::start(queue.clone(), sink, scrub, batch.every, names)?;
        Ok(Self { queue })
    }
}

/// What an exporter is called in the log.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) service: String,
    pub(crate) exporter: String,
}

impl Pipeline for Queued {
    fn end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.queue.put(span);
        }
    }

    fn flush(&self) {
        self.queue.want_all();
    }

    fn wait_for_flush(&self, deadline: Instant) -> bool {
        self.queue.wait_for_wanted(deadline)
    }

    fn close(&self, deadline: Instant) {
        self.queue.close(deadline);
    }

    fn wait_for_close(&self, deadline: Instant) -> bool {
        self.queue.wait_for_finish(deadline)
    }

    fn counts(&self) -> DeliveryCounts {
        self.queue.counts()
    }

    fn take_error(&self) -> Option<String> {
        self.queue.take_error()
    }

    fn is_over(&self) -> bool {
        self.queue.is_finished()
    }
}

/// Nobody is left to put spans in, so the thread sends the rest and ends. This does
/// not wait for it.
impl Drop for Queued {
    fn drop(&mut self) {
        self.queue.close(after(DEFAULT_DEADLINE));
    }
}

/// A pipeline under its exporter's name, and what was said of it.
#[derive(Clone, Debug)]
pub struct Exporting {
    pub name: String,
    pipeline: Arc<dyn Pipeline>,
    /// What was counted when it was last told how delivery went.
    told: Arc<Mutex<DeliveryCounts>>,
    is_managed: Arc<AtomicBool>,
}

/// What was not delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Since it was told last.
    pub lost: LostBy,
    pub waiting: u64,
    spilled: u64,
    error: Option<String>,
}

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.lost.total() > 0 {
            parts.push(format!("spans lost: {}", self.lost));
        }
        if self.waiting > 0 {
            parts.push(format!("spans not sent yet: {}", self.waiting));
        }
        if self.spilled > 0 {
            parts.push(format!("spans kept on disk: {}", self.spilled));
        }
        parts.extend(self.error.clone());
        match parts.is_empty() {
            true => f.write_str("it is not at its end yet"),
            false => f.write_str(&parts.join("; ")),
        }
    }
}

impl Exporting {
    pub fn new(name: String, pipeline: Arc<dyn Pipeline>) -> Self {
        Self {
            name,
            pipeline,
            told: Arc::default(),
            is_managed: Arc::default(),
        }
    }

    pub fn pipeline(&self) -> &dyn Pipeline {
        &*self.pipeline
    }

    /// From now on the SDK's shutdown leaves the pipeline alone: it would go from one
    /// to the next.
    pub fn manage(&self) {
        self.is_managed.store(true, Ordering::SeqCst);
    }

    /// How delivery went since this was asked last; none if all that ended before was
    /// delivered.
    pub fn tell(&self, in_time: bool) -> Option<Rest> {
        let mut told = self.told.lock();
        let now = self.pipeline.counts();
        let rest = Rest {
            lost: now.lost_since(&told),
            // What ended since is not what was asked for.
            waiting: if in_time { 0 } else { now.waiting },
            spilled: now.spilled,
            error: self.pipeline.take_error(),
        };
        *told = now;
        let all = in_time && rest.lost.total() == 0 && rest.spilled == 0;
        (!all).then_some(rest)
    }
}

/// A pipeline as the SDK wants it.
#[derive(Debug)]
pub struct Processor(pub Exporting);

impl Processor {
    fn result(&self, in_time: bool, within: Duration) -> OTelSdkResult {
        match self.0.tell(in_time) {
            None => Ok(()),
            Some(_) if !in_time => Err(OTelSdkError::Timeout(within)),
            Some(rest) => Err(OTelSdkError::InternalFailure(format!(
                "{}: {rest}",
                self.0.name
            ))),
        }
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, _parent: &Context) {
        self.0.pipeline.start(span);
    }

    fn on_end(&self, span: SpanData) {
        self.0.pipeline.end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.pipeline.flush();
        let in_time = self.0.pipeline.wait_for_flush(after(DEFAULT_DEADLINE));
        self.result(in_time, DEFAULT_DEADLINE)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        if self.0.is_managed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let deadline = after(timeout);
        self.0.pipeline.close(deadline);
        let in_time = self.0.pipeline.wait_for_close(deadline);
        self.result(in_time, timeout)
    }
}
