//! The transport of OTLP requests.

use std::fmt::Debug;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::Sent;

/// Sends requests to one backend, on the thread of the exporter, one at a time.
pub(crate) trait Transport: Debug + Send + Sync + 'static {
    /// Sends a request. The transport decides how many attempts it makes within the time of
    /// a batch.
    fn send(&self, request: &ExportTraceServiceRequest) -> Sent;

    /// Called once, after the last request.
    fn shutdown(&self) {}
}
