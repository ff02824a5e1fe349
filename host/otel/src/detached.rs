//! Contexts with a detached span.

use opentelemetry::Context;
use opentelemetry::baggage::{BaggageExt as _, KeyValueMetadata};

use super::runtime_context::RuntimeContextExt as _;

/// Returns a context with the runtime context, baggage, and suppression flag of
/// `context`, but without its span.
///
/// OpenTelemetry cannot remove the span from a context, and replacing it with an invalid
/// one makes samplers drop the spans below it.
pub fn without_span(context: &Context) -> Context {
    let mut detached = Context::new();
    if let Some(run) = context.runtime_context() {
        detached = detached.with_runtime_context(run.clone());
    }
    if !context.baggage().is_empty() {
        let members = context.baggage().iter();
        detached = detached.with_baggage(members.map(|(key, (value, metadata))| {
            KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone())
        }));
    }
    if context.is_telemetry_suppressed() {
        detached.with_telemetry_suppressed()
    } else {
        detached
    }
}
