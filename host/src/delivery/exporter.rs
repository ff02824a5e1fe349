//! A sink as the SDK wants its exporters, with a meter.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::{Loss, Meter, Sent, Sink};
use crate::scrub::Scrub;
use crate::selector::panic_message;

/// Counts what becomes of each span of a sink. A sink that panics loses its batch
/// and not its thread.
#[derive(Debug)]
pub(crate) struct Metered {
    sink: Box<dyn Sink>,
    scrub: Scrub,
    meter: Arc<Meter>,
}

impl Metered {
    pub(crate) fn new(sink: Box<dyn Sink>, scrub: Scrub, meter: Arc<Meter>) -> Self {
        Self { sink, scrub, meter }
    }

    fn send(&self, batch: Vec<SpanData>) -> Sent {
        let spans = batch.len() as u64;
        catch_unwind(AssertUnwindSafe(|| self.sink.send(batch)))
            .unwrap_or_else(|panic| Sent::none(spans, Loss::Failed, panic_message(&*panic)))
    }

    fn count(&self, spans: u64, sent: &Sent) {
        self.meter.delivered(sent.delivered);
        self.meter.retried(sent.retries);
        let mut told = sent.delivered;
        for (cause, spans) in &sent.lost {
            self.meter.lost(*cause, *spans);
            told += spans;
        }
        self.meter.lost(Loss::Failed, spans.saturating_sub(told));
    }
}

impl SpanExporter for Metered {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        self.scrub.batch(&mut batch);
        let spans = batch.len() as u64;
        let sent = self.send(batch);
        self.count(spans, &sent);
        match sent.message {
            Some(message) => Err(OTelSdkError::InternalFailure(message)),
            None => Ok(()),
        }
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        self.sink.shutdown();
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.sink.set_resource(resource);
    }
}
