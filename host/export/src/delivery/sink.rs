//! The destination of batches.

use std::fmt::Debug;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::disk_buffer::DiskBufferStore;
use super::{DeliveryCounts, Loss};

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

    /// Performs background work. Called after each batch and while no batch is due. Returns
    /// `true` if there is more to do immediately.
    fn idle(&self) -> bool {
        false
    }

    /// Enables a disk buffer for spans that the backend cannot accept at the moment. Called
    /// once, before the first batch. Returns `false` if the sink does not support it.
    fn keep(&mut self, _store: DiskBufferStore) -> bool {
        false
    }

    /// Called once, after the last batch.
    fn shutdown(&self) {}
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
