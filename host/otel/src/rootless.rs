//! Contexts without a span.

use opentelemetry::Context;
use opentelemetry::baggage::{BaggageExt as _, KeyValueMetadata};

use super::runtime_context::RuntimeContextExt as _;

/// What is known of a run, in a context without a span: its runtime context, its
/// baggage, and whether telemetry is suppressed.
///
/// OpenTelemetry cannot take the span out of a context, and an invalid one in its
/// place makes samplers drop what starts below.
pub fn without_span(context: &Context) -> Context {
    let mut rootless = Context::new();
    if let Some(run) = context.runtime_context() {
        rootless = rootless.with_runtime_context(run.clone());
    }
    if !context.baggage().is_empty() {
        let members = context.baggage().iter();
        rootless = rootless.with_baggage(members.map(|(key, (value, metadata))| {
            KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone())
        }));
    }
    match context.is_telemetry_suppressed() {
        true => rootless.with_telemetry_suppressed(),
        false => rootless,
    }
}
