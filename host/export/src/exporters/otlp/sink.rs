//! Converts batches of spans to requests.

use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use crate::delivery::{BufferedTransport, DiskBufferStore, Sent, Sink, Transport as _};

/// Converts each batch to a request, once for all attempts.
#[derive(Debug)]
pub(super) struct OtlpSink {
    /// The exporter and its endpoint, as a prefix of error messages.
    pub(super) place: String,
    pub(super) transport: BufferedTransport,
    /// Resource attributes for this backend, in addition to those of the tracer.
    pub(super) additions: Vec<KeyValue>,
    pub(super) resource: ResourceAttributesWithSchema,
}

impl Sink for OtlpSink {
    fn send(&self, batch: Vec<SpanData>) -> Sent {
        if batch.is_empty() {
            return Sent::default();
        }
        // Sending must not create spans.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let sent = self
            .transport
            .send(&ExportTraceServiceRequest { resource_spans });
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

    fn idle(&self) -> bool {
        // Replaying must not create spans either.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        self.transport.idle()
    }

    fn keep(&mut self, store: DiskBufferStore) -> bool {
        self.transport.keep_in(store);
        true
    }

    fn shutdown(&self) {
        self.transport.shutdown();
    }
}
