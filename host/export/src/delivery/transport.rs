//! The transport of OTLP requests.

use std::fmt::Debug;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::{Sent, Stop};

/// Sends requests to one backend, on a thread of the exporter, one at a time.
pub(crate) trait Transport: Debug + Send + Sync + 'static {
    /// Sends a request within the time of a batch.
    fn send(&self, request: &ExportTraceServiceRequest, terms: &Terms<'_>) -> Sent;

    /// Called once, after the last request or while it is running. A running request fails.
    fn shutdown(&self) {}
}

/// The conditions for sending one request.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "otlp"), expect(dead_code))]
pub(crate) struct Terms<'a> {
    pub(crate) tries: Tries,
    /// No attempt starts after its deadline.
    pub(crate) stop: &'a Stop,
    /// A larger request is not sent. Measured before compression.
    pub(crate) max_bytes: usize,
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
