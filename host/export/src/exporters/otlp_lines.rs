//! Reads spans from OTLP JSON, as exporters, the OpenTelemetry Collector and other programs write
//! it: one request per line, or a request over several lines.
//!
//! The reader accepts more than the specification: names of enum values, ids in Base64 and in
//! hexadecimal of either case, numbers as text, and field names with underscores.
//!
//! # Source
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use std::fmt;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanKind, TraceId};
use serde_json::{Deserializer, Map, Value as Json};

use super::json_values::{any_value, bytes, field, integer, list, text};
use super::tree::{Event, Shown};

/// The field names of requests with other signals, whose lines have no spans.
const OTHER_SIGNALS: [&str; 3] = ["resourceLogs", "resourceMetrics", "resourceProfiles"];

/// Calls `take` with each span, the name of its service and its trace id. Returns the lines that
/// are not OTLP trace requests.
pub(super) fn read(text: &str, mut take: impl FnMut(&str, TraceId, Shown)) -> Vec<ReadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut refused = Vec::new();
    let (mut line, mut rest) = (1, text);
    while !rest.is_empty() {
        let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let first = rest[..end].trim();
        let mut length = end;
        if !first.is_empty() {
            let parsed = serde_json::from_str(first).or_else(|source| {
                // A request may take several lines.
                let (request, taken) = source
                    .is_eof()
                    .then(|| several_lines(rest))
                    .flatten()
                    .ok_or(source)?;
                length = taken;
                Ok(request)
            });
            let problem = match parsed {
                Ok(request) => requests(&request, &mut take).err(),
                Err(source) => Some(Problem::Json(source)),
            };
            refused.extend(problem.map(|problem| ReadError { line, problem }));
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    refused
}

/// Parses a request that starts here and ends in a later line. Returns its length up to the end of
/// that line.
fn several_lines(text: &str) -> Option<(Json, usize)> {
    let mut values = Deserializer::from_str(text).into_iter();
    let value = values.next()?.ok()?;
    let end = values.byte_offset();
    let rest = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    text[end..rest].trim().is_empty().then_some((value, rest))
}

/// Reads one request or an array of requests.
fn requests(value: &Json, take: &mut impl FnMut(&str, TraceId, Shown)) -> Result<(), Problem> {
    match value {
        Json::Array(values) => values.iter().try_for_each(|value| requests(value, take)),
        Json::Object(request) => self::request(request, take),
        _ => Err(Problem::NoRequest),
    }
}

fn request(
    request: &Map<String, Json>,
    take: &mut impl FnMut(&str, TraceId, Shown),
) -> Result<(), Problem> {
    let Some(of) = field(request, "resourceSpans") else {
        let other = |name: &&str| field(request, name).is_some();
        let is_empty = request.is_empty() || OTHER_SIGNALS.iter().any(other);
        return if is_empty {
            Ok(())
        } else {
            Err(Problem::NoRequest)
        };
    };
    for of in of.as_array().ok_or(Problem::NoRequest)? {
        let Some(of) = of.as_object() else { continue };
        let service = service(of);
        let scopes = list(of, "scopeSpans").chain(list(of, "instrumentationLibrarySpans"));
        let spans = scopes.flat_map(|scope| list(scope, "spans"));
        for span in spans {
            let trace = field(span, "traceId")
                .and_then(bytes)
                .map(TraceId::from_bytes);
            // An invalid id becomes the invalid trace id.
            take(
                &service,
                trace.unwrap_or(TraceId::INVALID),
                self::span(span),
            );
        }
    }
    Ok(())
}

fn service(of: &Map<String, Json>) -> String {
    let resource = field(of, "resource").and_then(Json::as_object);
    let attributes = resource.map(attributes).unwrap_or_default();
    let mut found = attributes
        .into_iter()
        .filter(|(key, _)| key == "service.name");
    found.next().map(|(_, value)| value).unwrap_or_default()
}

fn span(span: &Map<String, Json>) -> Shown {
    let id = |name| {
        field(span, name)
            .and_then(bytes)
            .map_or(0, u64::from_be_bytes)
    };
    Shown {
        id: id("spanId"),
        parent: id("parentSpanId"),
        name: text(span, "name"),
        kind: kind(field(span, "kind")),
        start: time(span, "startTimeUnixNano"),
        end: time(span, "endTimeUnixNano"),
        error: error(span),
        attributes: attributes(span),
        events: list(span, "events").map(event).collect(),
    }
}

fn event(event: &Map<String, Json>) -> Event {
    Event {
        at: time(event, "timeUnixNano"),
        name: text(event, "name"),
        attributes: attributes(event),
    }
}

fn attributes(of: &Map<String, Json>) -> Vec<(String, String)> {
    let pair = |attribute: &Map<String, Json>| {
        let value = field(attribute, "value").map(any_value);
        let shown = match value {
            None | Some(Json::Null) => String::new(),
            Some(Json::String(text)) => text,
            Some(value) => value.to_string(),
        };
        (text(attribute, "key"), shown)
    };
    list(of, "attributes").map(pair).collect()
}

fn time(of: &Map<String, Json>, name: &str) -> SystemTime {
    let nanos = field(of, name).and_then(integer).unwrap_or_default();
    let since = Duration::from_nanos(u64::try_from(nanos).unwrap_or_default());
    SystemTime::UNIX_EPOCH
        .checked_add(since)
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn kind(value: Option<&Json>) -> SpanKind {
    let number = value.and_then(integer);
    let word = enum_word(value, "SPAN_KIND_");
    match (number, word.as_str()) {
        (Some(2), _) | (_, "SERVER") => SpanKind::Server,
        (Some(3), _) | (_, "CLIENT") => SpanKind::Client,
        (Some(4), _) | (_, "PRODUCER") => SpanKind::Producer,
        (Some(5), _) | (_, "CONSUMER") => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

/// Returns the description of a failed span.
fn error(span: &Map<String, Json>) -> Option<String> {
    let status = field(span, "status")?.as_object()?;
    let code = field(status, "code");
    let failed = code.and_then(integer) == Some(2) || enum_word(code, "STATUS_CODE_") == "ERROR";
    failed.then(|| text(status, "message"))
}

/// Returns the name of an enum value without its prefix.
fn enum_word(value: Option<&Json>, prefix: &str) -> String {
    let word = value.and_then(Json::as_str).unwrap_or_default();
    let word = word.to_ascii_uppercase();
    word.strip_prefix(prefix).unwrap_or(&word).to_owned()
}

/// The error for a line that is not an OTLP trace request in JSON.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReadError {
    /// The line number, starting at one.
    pub line: usize,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Json(serde_json::Error),
    NoRequest,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line;
        match &self.problem {
            Problem::Json(error) if error.is_eof() => write!(
                f,
                "line {line} is incomplete; the program was probably killed while writing it"
            ),
            Problem::Json(_) => write!(f, "line {line} is not an OTLP trace request in JSON"),
            Problem::NoRequest => write!(
                f,
                "line {line} is JSON, but not an OTLP trace request; expected an object with \
                 \"resourceSpans\""
            ),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Json(error) => Some(error),
            Problem::NoRequest => None,
        }
    }
}
