//! The text form of a tracer's name in the `tracestate` header, the same in every language.

use napi_derive::napi;

/// Encodes the name of a tracer for the `spanmux` member of `tracestate`.
#[napi]
pub fn encode_name(name: String) -> String {
    spanmux_otel::internal::encode_tracer_name(&name)
}
