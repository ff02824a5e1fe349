//! Spans that another SDK of the process starts and ends, such as that of another language.

use opentelemetry::trace::SpanContext;
use opentelemetry_sdk::trace::SpanData;

use super::otel_tracer::OtelTracer;
use super::user_code;

/// The methods for spans of another SDK. Only the exporters of a
/// [`TracerConfig`](super::TracerConfig) receive them.
#[doc(hidden)]
impl OtelTracer {
    /// Records that a sampled span starts.
    pub fn foreign_span_started(&self, context: &SpanContext) {
        for exporting in self.stats().exporters() {
            user_code::run("exporter", || exporting.pipeline().start(context));
        }
    }

    /// Delivers a span that has ended.
    pub fn foreign_span_ended(&self, span: SpanData) {
        let (last, others) = match self.stats().exporters().split_last() {
            Some(split) => split,
            None => return,
        };
        for exporting in others {
            user_code::run("exporter", || exporting.pipeline().end(span.clone()));
        }
        user_code::run("exporter", || last.pipeline().end(span));
    }
}
