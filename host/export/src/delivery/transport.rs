//! The way to one backend over OTLP.

use std::fmt::Debug;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::Sent;

/// Sends requests to one backend, on the exporter's own thread, one at a time.
pub(crate) trait Transport: Debug + Send + Sync + 'static {
    /// Sends a request, with as many attempts as it thinks right within the time
    /// that a batch may take.
    fn send(&self, request: &ExportTraceServiceRequest) -> Sent;

    /// Called once, after the last request.
    fn shutdown(&self) {}
}
