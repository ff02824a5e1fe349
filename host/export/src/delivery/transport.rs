//! The transport of OTLP requests.

use std::fmt::Debug;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::{Sent, Stop};

/// Sends requests to one backend, on a thread of the exporter, one at a time.
pub(crate) trait Transport: Debug + Send + Sync + 'static {
    /// Sends a request within the time of a batch. No attempt starts after the deadline of
    /// `stop`.
    fn send(&self, request: &ExportTraceServiceRequest, tries: Tries, stop: &Stop) -> Sent;

    /// Called once, after the last request or while it is running. A running request fails.
    fn shutdown(&self) {}
}

/// The number of attempts that a transport may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tries {
    /// One, to find out whether a backend is back.
    One,
    /// Two, in case that a connection was closed. Then the request goes to disk.
    Two,
    /// As many as the time of a batch allows.
    #[cfg_attr(not(any(feature = "otlp", test)), expect(dead_code))]
    Several,
}
