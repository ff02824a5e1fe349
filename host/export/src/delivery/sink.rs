//! Where batches go.

use std::fmt::Debug;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::spill::SpillStore;
use super::{DeliveryCounts, Loss};

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

    /// Called when there is time: after each batch, and while none comes. Says whether
    /// there is more to do at once.
    fn idle(&self) -> bool {
        false
    }

    /// Keeps what the backend cannot take now. Called once, before the first batch.
    /// Says whether it does.
    fn keep(&mut self, _store: SpillStore) -> bool {
        false
    }

    /// Called once, after the last batch.
    fn shutdown(&self) {}
}

/// What became of one batch. What is not accounted for is counted as failed.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) delivered: u64,
    /// Attempts beyond the first.
    pub(crate) retries: u64,
    pub(crate) lost: Vec<(Loss, u64)>,
    /// Spans that are on disk now.
    pub(crate) spilled: u64,
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

    /// Counts a batch of so many spans, each once, whatever it says: a backend may
    /// claim to have refused more than it was sent.
    pub(crate) fn count(&self, spans: u64, counts: &mut DeliveryCounts) {
        let mut left = spans;
        let mut part = |of: u64| {
            let part = of.min(left);
            left -= part;
            part
        };
        counts.spilled += part(self.spilled);
        for (cause, lost) in &self.lost {
            counts.lose(*cause, part(*lost));
        }
        counts.delivered += part(self.delivered);
        counts.lose(Loss::Failed, left);
        counts.retries += self.retries;
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
            Err(error) => Sent::none(spans, cause(&error), error.to_string()),
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

fn cause(error: &OTelSdkError) -> Loss {
    match error {
        OTelSdkError::Timeout(_) => Loss::TimedOut,
        OTelSdkError::AlreadyShutdown => Loss::ShutDown,
        OTelSdkError::InternalFailure(_) => Loss::Failed,
    }
}
