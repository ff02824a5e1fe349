//! The destination of batches.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::{DeliveryCounts, Loss, Splitter, Stop, Transport};

/// Sends batches to one backend, on the thread of the exporter, one at a time.
///
/// Reports the outcome of each span. The result of an SDK exporter cannot do that, because
/// a backend may accept only part of a batch.
pub(crate) trait Sink: Debug + Send + Sync + 'static {
    /// Sends a batch. The sink decides how many attempts it makes.
    fn send(&self, batch: Vec<SpanData>) -> Sent;

    /// Sets the resource that all spans of the tracer share. Called once, before the first
    /// batch.
    fn set_resource(&mut self, _resource: &Resource) {}

    /// Sets the signal that ends waits between attempts. Called once, before the first batch.
    fn set_stop(&mut self, _stop: Arc<Stop>) {}

    /// Separates encoding from sending, for an exporter with a disk buffer. Called once,
    /// after `set_resource`. Returns `None` if the sink does not support it.
    fn into_parts(self: Box<Self>) -> Option<Parts> {
        None
    }

    /// Called once, after the last batch.
    fn shutdown(&self) {}
}

/// Converts a batch to a request.
pub(crate) type Encode = Box<dyn Fn(Vec<SpanData>) -> ExportTraceServiceRequest + Send + Sync>;

/// The parts of a sink whose requests can be buffered on disk.
pub(crate) struct Parts {
    /// The exporter and its endpoint, as a prefix of error messages.
    pub(crate) place: String,
    pub(crate) encode: Encode,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) splitter: Splitter,
}

/// The outcome of one batch. Spans that are not accounted for are counted as failed.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) delivered: u64,
    /// Attempts beyond the first.
    pub(crate) retries: u64,
    pub(crate) lost: Vec<(Loss, u64)>,
    /// Spans that were buffered on disk.
    pub(crate) buffered: u64,
    /// The error for the log. It names the backend and the remedy, and contains no secret.
    pub(crate) message: Option<String>,
    /// The spans failed for a reason that is not their content, so the same spans may succeed
    /// later.
    pub(crate) later: bool,
    /// The time for which the backend asked not to be called. Only with `later`.
    pub(crate) wait: Option<Duration>,
    /// The backend refuses the credentials of the exporter. Only with `later`.
    pub(crate) denied: bool,
    /// The request was not accepted because of its size.
    pub(crate) too_large: Option<TooLarge>,
    /// Delivered spans with shortened values. Included in `delivered`.
    pub(crate) shortened: u64,
    /// The part of the request that may succeed later, if the rest of it is settled. Only with
    /// `later`; `None` means the whole request.
    pub(crate) rest: Option<ExportTraceServiceRequest>,
}

/// The place where a request was found to be too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "otlp"), allow(dead_code))]
pub(crate) enum TooLarge {
    /// It exceeds the limit of the exporter and was not sent.
    Unsent,
    /// The backend refused it.
    Refused,
}

impl Sent {
    pub(crate) fn all(spans: u64) -> Self {
        Self {
            delivered: spans,
            ..Self::default()
        }
    }

    pub(crate) fn none(spans: u64, cause: Loss, message: impl Into<String>) -> Self {
        Self {
            lost: vec![(cause, spans)],
            message: Some(message.into()),
            ..Self::default()
        }
    }

    /// Adds the outcome of a batch of `spans` spans to `counts`. Every span is counted
    /// exactly once, even if a backend claims to have refused more spans than it was sent.
    pub(crate) fn count(&self, spans: u64, counts: &mut DeliveryCounts) {
        let mut left = spans;
        let mut part = |of: u64| {
            let part = of.min(left);
            left -= part;
            part
        };
        counts.buffered += part(self.buffered);
        for (cause, lost) in &self.lost {
            counts.lose(*cause, part(*lost));
        }
        counts.delivered += part(self.delivered);
        counts.lose(Loss::Failed, left);
        counts.retries += self.retries;
        counts.shortened += self.shortened;
    }

    /// Returns the outcome of the spans that are not part of `rest`. Without a rest, nothing is
    /// settled while the request may succeed later.
    pub(crate) fn settled(&self) -> Self {
        let retries = self.retries;
        if self.later && self.rest.is_none() {
            return Self {
                retries,
                ..Self::default()
            };
        }
        Self {
            delivered: self.delivered,
            lost: self.lost.clone(),
            retries,
            shortened: self.shortened,
            ..Self::default()
        }
    }

    /// Returns the number of spans with an outcome.
    pub(crate) fn spans(&self) -> u64 {
        let lost: u64 = self.lost.iter().map(|(_, spans)| spans).sum();
        self.delivered.saturating_add(lost)
    }

    /// Like [`count`](Self::count), for spans from the disk buffer.
    pub(crate) fn count_replayed(&self, spans: u64, counts: &mut DeliveryCounts) {
        let before = counts.delivered;
        self.count(spans, counts);
        counts.replayed += counts.delivered - before;
    }
}

/// An SDK exporter from the application. Its results are trusted.
#[derive(Debug)]
pub(crate) struct SdkSink<E>(pub(crate) E);

impl<E: SpanExporter + 'static> Sink for SdkSink<E> {
    fn send(&self, batch: Vec<SpanData>) -> Sent {
        let spans = batch.len() as u64;
        match futures_executor::block_on(self.0.export(batch)) {
            Ok(()) => Sent::all(spans),
            Err(error) => Sent::none(spans, cause(&error), error.to_string()),
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }

    fn shutdown(&self) {
        if let Err(error) = self.0.shutdown() {
            tracing::debug!(%error, "an exporter failed to shut down");
        }
    }
}

fn cause(error: &OTelSdkError) -> Loss {
    match error {
        OTelSdkError::Timeout(_) => Loss::TimedOut,
        OTelSdkError::AlreadyShutdown => Loss::ShutDown,
        OTelSdkError::InternalFailure(_) => Loss::Failed,
    }
}
