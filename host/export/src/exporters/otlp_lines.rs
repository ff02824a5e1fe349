//! Reads spans from OTLP JSON lines.

use std::fmt;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanKind, TraceId};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use opentelemetry_proto::tonic::trace::v1::span::Event as OtlpEvent;
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};

use super::tree::{Event, Shown};

/// Calls `take` with each span, the name of its service and its trace id.
pub(super) fn read(
    lines: &str,
    mut take: impl FnMut(&str, TraceId, Shown),
) -> Result<(), ReadError> {
    for (place, line) in lines.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let request: ExportTraceServiceRequest =
            serde_json::from_str(line).map_err(|source| ReadError {
                line: place + 1,
                source,
            })?;
        for of in request.resource_spans {
            let service = service(&of);
            for span in of.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                take(&service, trace(&span), span.into());
            }
        }
    }
    Ok(())
}

fn service(of: &ResourceSpans) -> String {
    let attributes = of.resource.iter().flat_map(|resource| &resource.attributes);
    let mut found = attributes.filter(|attribute| attribute.key == "service.name");
    found.next().map(|kv| shown(&kv.value)).unwrap_or_default()
}

/// An id with an invalid length becomes the invalid trace id.
fn trace(span: &Span) -> TraceId {
    let bytes = span.trace_id.as_slice().try_into();
    bytes.map_or(TraceId::INVALID, TraceId::from_bytes)
}

fn span_id(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

fn time(nanos: u64) -> SystemTime {
    let since = Duration::from_nanos(nanos);
    SystemTime::UNIX_EPOCH
        .checked_add(since)
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn attributes(attributes: Vec<KeyValue>) -> Vec<(String, String)> {
    let pair = |kv: KeyValue| (kv.key, shown(&kv.value));
    attributes.into_iter().map(pair).collect()
}

/// Formats a value as the console shows it.
fn shown(value: &Option<AnyValue>) -> String {
    match value.as_ref().and_then(|value| value.value.as_ref()) {
        None => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BoolValue(boolean)) => boolean.to_string(),
        Some(Value::IntValue(integer)) => integer.to_string(),
        Some(Value::DoubleValue(float)) => float.to_string(),
        Some(Value::ArrayValue(array)) => {
            let items = array.values.iter().map(|item| shown(&Some(item.clone())));
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }
        Some(other) => format!("{other:?}"),
    }
}

impl From<Span> for Shown {
    fn from(span: Span) -> Self {
        let error = span
            .status
            .filter(|status| status.code() == StatusCode::Error);
        Self {
            id: span_id(&span.span_id),
            parent: span_id(&span.parent_span_id),
            kind: match span.kind {
                2 => SpanKind::Server,
                3 => SpanKind::Client,
                4 => SpanKind::Producer,
                5 => SpanKind::Consumer,
                _ => SpanKind::Internal,
            },
            start: time(span.start_time_unix_nano),
            end: time(span.end_time_unix_nano),
            error: error.map(|status| status.message),
            events: span.events.into_iter().map(Event::from).collect(),
            name: span.name,
            attributes: attributes(span.attributes),
        }
    }
}

impl From<OtlpEvent> for Event {
    fn from(event: OtlpEvent) -> Self {
        Self {
            at: time(event.time_unix_nano),
            name: event.name,
            attributes: attributes(event.attributes),
        }
    }
}

/// The error for a line that is not an OTLP trace request in JSON.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReadError {
    /// The line number, starting at one.
    pub line: usize,
    source: serde_json::Error,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} is not an OTLP trace request in JSON, as the file exporter writes them",
            self.line
        )
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
