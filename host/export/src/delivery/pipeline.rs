//! The pipeline from a tracer to one exporter.

use std::fmt::{self, Debug};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use parking_lot::Mutex;

use super::counts::LostBy;
use super::queue::{Queue, after};
use super::worker::Worker;
use super::{BatchConfig, DEFAULT_DEADLINE, DeliveryCounts, Meter, Stop, Target};
use crate::redaction::SpanProcessing;

/// The pipeline from a tracer to one exporter. Requests and waiting are separate methods,
/// so that several pipelines can be asked before the caller waits for the first.
pub trait Pipeline: Debug + Send + Sync + 'static {
    /// Called when a sampled or recorded span starts.
    fn start(&self, _span: &SpanContext) {}

    /// Returns `true` if the pipeline wants the data of a span that starts. A local root is the
    /// first span of its trace in this process.
    fn wants_start(&self, _is_local_root: bool) -> bool {
        false
    }

    /// Called with the data of a span that starts, if the pipeline wants it.
    fn started(&self, _span: &SpanData, _is_local_root: bool) {}

    /// Called when a span ends.
    fn end(&self, span: SpanData);

    /// Requests that all spans that ended before this call be sent.
    fn flush(&self);

    /// Waits for the requested flush. Returns `false` if the deadline passes first.
    fn wait_for_flush(&self, deadline: Instant) -> bool;

    /// Stops accepting spans and requests that the rest be sent until the deadline.
    fn close(&self, deadline: Instant);

    /// Waits until the exporter has ended. Returns `false` if the deadline passes first.
    fn wait_for_close(&self, deadline: Instant) -> bool;

    /// Returns the delivery counts.
    fn counts(&self) -> DeliveryCounts;

    /// Returns the last error since the previous call.
    fn take_error(&self) -> Option<String>;

    /// Returns `true` if the pipeline has ended and its counts no longer change.
    fn is_over(&self) -> bool;
}

/// A pipeline with a queue and a worker thread.
#[derive(Debug)]
pub(crate) struct Queued {
    queue: Arc<Queue>,
    /// Present if the processing needs spans that start.
    starting: Option<SpanProcessing>,
}

impl Queued {
    /// Starts the worker thread, and a sender thread for a disk buffer. They end when the pipeline is closed or dropped.
    pub(crate) fn start(
        target: Target,
        processing: SpanProcessing,
        batch: &BatchConfig,
        meter: Arc<Meter>,
        names: Names,
    ) -> io::Result<Self> {
        let stop = Arc::new(Stop::default());
        let is_buffered = matches!(target, Target::Buffered(..));
        let queue = Arc::new(Queue::new(batch, meter, stop.clone(), is_buffered));
        let starting = processing.wants_start(true).then(|| processing.clone());
        Worker::start(
            queue.clone(),
            stop,
            target,
            processing,
            batch.scheduled_delay,
            names,
        )?;
        Ok(Self { queue, starting })
    }
}

/// The names of an exporter in log events.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) service: String,
    pub(crate) exporter: String,
}

impl Pipeline for Queued {
    fn wants_start(&self, is_local_root: bool) -> bool {
        let processing = self.starting.as_ref();
        processing.is_some_and(|processing| processing.wants_start(is_local_root))
    }

    fn started(&self, span: &SpanData, is_local_root: bool) {
        if let Some(processing) = &self.starting {
            processing.started(span, is_local_root);
        }
    }

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

/// No caller can put spans in any more, so the worker sends the rest and ends. Dropping
/// does not wait for it.
impl Drop for Queued {
    fn drop(&mut self) {
        self.queue.close(after(DEFAULT_DEADLINE));
    }
}

/// A pipeline with the name of its exporter and the counts of the last report.
#[derive(Clone, Debug)]
pub struct Exporting {
    pub name: String,
    pipeline: Arc<dyn Pipeline>,
    /// The counts at the last call of `tell`.
    told: Arc<Mutex<DeliveryCounts>>,
    is_managed: Arc<AtomicBool>,
}

/// The spans that were not delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Losses since the last report.
    pub lost: LostBy,
    pub waiting: u64,
    buffered: u64,
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
        if self.buffered > 0 {
            parts.push(format!("spans buffered on disk: {}", self.buffered));
        }
        parts.extend(self.error.clone());
        if parts.is_empty() {
            f.write_str("not finished yet")
        } else {
            f.write_str(&parts.join("; "))
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

    /// Makes the SDK's shutdown skip the pipeline. The SDK would shut pipelines down one
    /// after another.
    pub fn manage(&self) {
        self.is_managed.store(true, Ordering::SeqCst);
    }

    /// Returns the losses since the last call, and the waiting and buffered spans. Returns
    /// `None` if all spans that ended before were delivered.
    pub fn tell(&self, in_time: bool) -> Option<Rest> {
        let mut told = self.told.lock();
        let now = self.pipeline.counts();
        let rest = Rest {
            lost: now.lost_since(&told),
            // Spans that ended after the request are not part of it.
            waiting: if in_time { 0 } else { now.waiting },
            buffered: now.buffered,
            error: self.pipeline.take_error(),
        };
        *told = now;
        let all = in_time && rest.lost.total() == 0 && rest.buffered == 0;
        (!all).then_some(rest)
    }
}

/// A [`SpanProcessor`] for the SDK that feeds a pipeline.
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

/// Returns `true` for the first span of a trace in this process.
fn is_local_root(parent: &Context) -> bool {
    let parent = parent.span();
    let parent = parent.span_context();
    !parent.is_valid() || parent.is_remote()
}

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, parent: &Context) {
        let pipeline = self.0.pipeline();
        let context = opentelemetry::trace::Span::span_context(span);
        pipeline.start(context);
        if !context.is_sampled() || !pipeline.wants_start(true) {
            return;
        }
        let is_local_root = is_local_root(parent);
        // The data is a copy, which only exported spans need.
        if pipeline.wants_start(is_local_root)
            && let Some(data) = span.exported_data()
        {
            pipeline.started(&data, is_local_root);
        }
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
