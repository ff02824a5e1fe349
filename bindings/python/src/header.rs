//! The text form of a tracer's name in the `tracestate` header, the same in every language.

use pyo3::prelude::*;

/// Encodes the name of a tracer for the `spanmux` member of `tracestate`.
#[pyfunction]
pub(crate) fn encode_name(name: &str) -> String {
    spanmux_otel::internal::encode_tracer_name(name)
}
