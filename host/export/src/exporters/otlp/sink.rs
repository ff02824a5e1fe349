//! Converts batches of spans to requests.

use std::sync::Arc;

use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use parking_lot::Mutex;

use crate::delivery::{
    Loss, Parts, Pause, Sent, Sink, SizeLimits, Splitter, Stop, Terms, Transport, Tries,
};

/// Converts each batch to a request, once for all attempts.
#[derive(Debug)]
pub(super) struct OtlpSink {
    /// The exporter and its endpoint, as a prefix of error messages.
    pub(super) place: String,
    pub(super) transport: Arc<dyn Transport>,
    /// Resource attributes for this backend, in addition to those of the tracer.
    pub(super) additions: Vec<KeyValue>,
    pub(super) resource: ResourceAttributesWithSchema,
    pub(super) stop: Arc<Stop>,
    /// The backend asked not to be called. Applies to all batches.
    paused: Mutex<Pause>,
    denied: Mutex<Denied>,
    splitter: Splitter,
}

/// The refusals of the credentials of an exporter.
#[derive(Debug, Default)]
struct Denied {
    pause: Pause,
    /// The answer of the backend.
    answer: String,
}

impl OtlpSink {
    pub(super) fn new(
        place: String,
        transport: Arc<dyn Transport>,
        additions: Vec<KeyValue>,
        limits: SizeLimits,
    ) -> Self {
        Self {
            place,
            transport,
            additions,
            resource: ResourceAttributesWithSchema::default(),
            stop: Arc::default(),
            paused: Mutex::default(),
            denied: Mutex::default(),
            splitter: Splitter::new(limits),
        }
    }

    /// Sends a request unless the backend has refused the credentials of the exporter a short
    /// time ago. The times grow, so that a wrong key does not cause a request for every batch.
    fn deliver(&self, request: &ExportTraceServiceRequest, max_bytes: usize) -> Sent {
        let mut denied = self.denied.lock();
        if let Some(left) = denied.pause.left() {
            let (answer, left) = (&denied.answer, left.as_secs() + 1);
            let message = format!("{answer}; not sent, the next attempt is in {left} s");
            return Sent::none(super::spans(request), Loss::Rejected, message);
        }
        let sent = self.deliver_in_time(request, max_bytes);
        if sent.denied {
            denied.pause.refused();
            denied.answer = sent.message.clone().unwrap_or_default();
        } else if sent.delivered > 0 {
            *denied = Denied::default();
        }
        sent
    }

    /// Sends a request. While the backend asks to wait, the whole exporter waits, and spans
    /// stay in the queue. A shutdown that ends before the wait loses the request.
    fn deliver_in_time(&self, request: &ExportTraceServiceRequest, max_bytes: usize) -> Sent {
        let terms = Terms {
            tries: Tries::Several,
            stop: &self.stop,
            max_bytes,
        };
        let mut paused = self.paused.lock();
        let mut retries = 0;
        let mut refused: Option<Sent> = None;
        loop {
            if let Some(left) = paused.left()
                && !self.stop.wait(left)
            {
                let message = "the backend asked to wait until after the shutdown";
                let none = Sent::none(super::spans(request), Loss::Unavailable, message);
                return Sent {
                    retries,
                    ..refused.unwrap_or(none)
                };
            }
            retries += u64::from(refused.is_some());
            let sent = self.transport.send(request, &terms);
            retries += sent.retries;
            if sent.wait.is_none() {
                *paused = Pause::default();
                return Sent { retries, ..sent };
            }
            paused.failed(sent.wait);
            refused = Some(sent);
        }
    }
}

impl Sink for OtlpSink {
    fn send(&self, batch: Vec<SpanData>) -> Sent {
        if batch.is_empty() {
            return Sent::default();
        }
        // Sending must not create spans.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let request = ExportTraceServiceRequest { resource_spans };
        let sent = self.splitter.send(&request, false, |part, max_bytes| {
            self.deliver(part, max_bytes)
        });
        Sent {
            message: sent.message.map(|said| format!("{}: {said}", self.place)),
            ..sent
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        let own = resource
            .iter()
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let schema = resource.schema_url().map(str::to_owned);
        let merged = Resource::builder_empty()
            .with_attributes(own)
            .with_attributes(self.additions.clone())
            .build();
        self.resource = (&merged).into();
        self.resource.schema_url = schema;
    }

    fn set_stop(&mut self, stop: Arc<Stop>) {
        self.stop = stop;
    }

    fn into_parts(self: Box<Self>) -> Option<Parts> {
        let resource = self.resource;
        let encode = move |batch| {
            let resource_spans = group_spans_by_resource_and_scope(batch, &resource);
            ExportTraceServiceRequest { resource_spans }
        };
        Some(Parts {
            place: self.place,
            encode: Box::new(encode),
            transport: self.transport,
            splitter: self.splitter,
        })
    }

    fn shutdown(&self) {
        self.transport.shutdown();
    }
}
