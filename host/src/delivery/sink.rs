//! Where batches go.

use std::fmt::Debug;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::Loss;

/// Takes batches to one backend, on the exporter's own thread, one at a time.
///
/// It says the truth about each span, which the result of the SDK's own exporters
/// does not: a batch may be taken in part.
pub(crate) trait Sink: Debug + Send + Sync + 'static {
    /// Sends a batch, with as many attempts as it thinks right.
    fn send(&self, batch: Vec<SpanData>) -> Sent;

    /// What all of the tracer's spans have in common. Called once, before the first
    /// batch.
    fn set_resource(&mut self, _resource: &Resource) {}

    /// Called once, after the last batch.
    fn shutdown(&self) {}
}

/// What became of one batch. What is neither delivered nor lost is not accounted
/// for, and is counted as failed.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) delivered: u64,
    /// Attempts beyond the first.
    pub(crate) retries: u64,
    pub(crate) lost: Vec<(Loss, u64)>,
    /// What went wrong, for the log: it names the backend and the remedy, and no
    /// secret.
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
}

/// An exporter for the SDK that somebody else made. It is believed.
#[derive(Debug)]
pub(crate) struct SdkSink<E>(pub(crate) E);

impl<E: SpanExporter + 'static> Sink for SdkSink<E> {
    fn send(&self, batch: Vec<SpanData>) -> Sent {
        let spans = batch.len() as u64;
        match futures_executor::block_on(self.0.export(batch)) {
            Ok(()) => Sent::all(spans),
            Err(error) => Sent::none(spans, Loss::Failed, error.to_string()),
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }

    fn shutdown(&self) {
        if let Err(error) = self.0.shutdown() {
            tracing::debug!(%error, "an exporter did not shut down");
        }
    }
}
