//! Converts an ended span of the Python SDK.
//!
//! The attributes of the object are read directly. A conversion to an OTLP message would need
//! the encoder of another package.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, Key, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};

use crate::context::Json;

/// Converts a span, an object with the attributes of `opentelemetry.sdk.trace.ReadableSpan`.
pub(crate) fn from_python(span: &Bound<'_, PyAny>) -> PyResult<SpanData> {
    let py = span.py();
    let parent = span.getattr(intern!(py, "parent"))?;
    let parent = if parent.is_none() {
        SpanContext::NONE
    } else {
        context(&parent)?
    };
    let mut events = SpanEvents::default();
    for event in span.getattr(intern!(py, "events"))?.try_iter()? {
        events.events.push(self::event(&event?)?);
    }
    events.dropped_count = count(span, "dropped_events");
    let mut links = SpanLinks::default();
    for link in span.getattr(intern!(py, "links"))?.try_iter()? {
        links.links.push(self::link(&link?)?);
    }
    links.dropped_count = count(span, "dropped_links");
    Ok(SpanData {
        span_context: context(&span.getattr(intern!(py, "context"))?)?,
        parent_span_id: parent.span_id(),
        parent_span_is_remote: parent.is_remote(),
        span_kind: kind(&span.getattr(intern!(py, "kind"))?)?,
        name: text(&span.getattr(intern!(py, "name"))?)?.into(),
        start_time: time(&span.getattr(intern!(py, "start_time"))?)?,
        end_time: time(&span.getattr(intern!(py, "end_time"))?)?,
        attributes: attributes(&span.getattr(intern!(py, "attributes"))?)?,
        dropped_attributes_count: count(span, "dropped_attributes"),
        events,
        links,
        status: status(&span.getattr(intern!(py, "status"))?)?,
        instrumentation_scope: scope(&span.getattr(intern!(py, "instrumentation_scope"))?)?,
    })
}

/// Converts a mapping of attributes. A value that no attribute can hold becomes JSON.
pub(crate) fn attributes(mapping: &Bound<'_, PyAny>) -> PyResult<Vec<KeyValue>> {
    if mapping.is_none() {
        return Ok(Vec::new());
    }
    let items = mapping.cast::<PyMapping>()?.items()?;
    let mut attributes = Vec::with_capacity(items.len());
    for item in items.iter() {
        let (key, value): (Bound<'_, PyString>, Bound<'_, PyAny>) = item.extract()?;
        if !value.is_none() {
            let key = Key::from(key.to_string_lossy().into_owned());
            attributes.push(KeyValue::new(key, self::value(&value)));
        }
    }
    Ok(attributes)
}

/// Creates a context from numbers.
pub(crate) fn context_of(trace_id: u128, span_id: u64) -> SpanContext {
    SpanContext::new(
        TraceId::from(trace_id),
        SpanId::from(span_id),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    )
}

fn context(context: &Bound<'_, PyAny>) -> PyResult<SpanContext> {
    let py = context.py();
    let flags: u8 = context.getattr(intern!(py, "trace_flags"))?.extract()?;
    let state = context.getattr(intern!(py, "trace_state"))?;
    let state = if state.is_none() || state.len()? == 0 {
        TraceState::NONE
    } else {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in state.call_method0(intern!(py, "items"))?.try_iter()? {
            pairs.push(pair?.extract()?);
        }
        TraceState::from_key_value(pairs).unwrap_or_default()
    };
    Ok(SpanContext::new(
        TraceId::from(
            context
                .getattr(intern!(py, "trace_id"))?
                .extract::<u128>()?,
        ),
        SpanId::from(context.getattr(intern!(py, "span_id"))?.extract::<u64>()?),
        TraceFlags::new(flags),
        context.getattr(intern!(py, "is_remote"))?.is_truthy()?,
        state,
    ))
}

fn event(event: &Bound<'_, PyAny>) -> PyResult<Event> {
    let py = event.py();
    Ok(Event::new(
        text(&event.getattr(intern!(py, "name"))?)?,
        time(&event.getattr(intern!(py, "timestamp"))?)?,
        attributes(&event.getattr(intern!(py, "attributes"))?)?,
        count(event, "dropped_attributes"),
    ))
}

fn link(link: &Bound<'_, PyAny>) -> PyResult<Link> {
    let py = link.py();
    Ok(Link::new(
        context(&link.getattr(intern!(py, "context"))?)?,
        attributes(&link.getattr(intern!(py, "attributes"))?)?,
        count(link, "dropped_attributes"),
    ))
}

fn status(status: &Bound<'_, PyAny>) -> PyResult<Status> {
    let py = status.py();
    let code = status.getattr(intern!(py, "status_code"))?;
    Ok(match code.getattr(intern!(py, "value"))?.extract::<u8>()? {
        1 => Status::Ok,
        2 => {
            let description = status.getattr(intern!(py, "description"))?;
            Status::error(if description.is_none() {
                String::new()
            } else {
                text(&description)?
            })
        }
        _ => Status::Unset,
    })
}

fn kind(kind: &Bound<'_, PyAny>) -> PyResult<SpanKind> {
    let value = kind.getattr(intern!(kind.py(), "value"))?;
    Ok(match value.extract::<u8>()? {
        1 => SpanKind::Server,
        2 => SpanKind::Client,
        3 => SpanKind::Producer,
        4 => SpanKind::Consumer,
        _ => SpanKind::Internal,
    })
}

fn scope(scope: &Bound<'_, PyAny>) -> PyResult<InstrumentationScope> {
    if scope.is_none() {
        return Ok(InstrumentationScope::default());
    }
    let py = scope.py();
    let name = text(&scope.getattr(intern!(py, "name"))?)?;
    let mut builder = InstrumentationScope::builder(name)
        .with_attributes(attributes(&scope.getattr(intern!(py, "attributes"))?)?);
    let version = scope.getattr(intern!(py, "version"))?;
    if version.is_truthy()? {
        builder = builder.with_version(text(&version)?);
    }
    let schema = scope.getattr(intern!(py, "schema_url"))?;
    if schema.is_truthy()? {
        builder = builder.with_schema_url(text(&schema)?);
    }
    Ok(builder.build())
}

/// Reads a count that not every version of the SDK has.
fn count(of: &Bound<'_, PyAny>, name: &str) -> u32 {
    let count = of.getattr(name).ok();
    count.and_then(|count| count.extract().ok()).unwrap_or(0)
}

/// Converts nanoseconds since the epoch. `None` is the epoch.
fn time(nanos: &Bound<'_, PyAny>) -> PyResult<SystemTime> {
    if nanos.is_none() {
        return Ok(SystemTime::UNIX_EPOCH);
    }
    // Every number of nanoseconds in 64 bits is a time that the standard library can hold.
    Ok(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos.extract::<u64>().unwrap_or(0)))
}

fn text(text: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(match text.cast::<PyString>() {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => text.str()?.to_string_lossy().into_owned(),
    })
}

fn value(value: &Bound<'_, PyAny>) -> Value {
    if let Ok(text) = value.cast::<PyString>() {
        return Value::String(text.to_string_lossy().into_owned().into());
    }
    // A bool is an int in Python.
    if let Ok(boolean) = value.cast::<PyBool>() {
        return Value::Bool(boolean.is_true());
    }
    if value.is_instance_of::<PyInt>()
        && let Ok(integer) = value.extract()
    {
        return Value::I64(integer);
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        return Value::F64(float.value());
    }
    let is_list = value.is_instance_of::<PyTuple>() || value.is_instance_of::<PyList>();
    if is_list && let Some(array) = array(value) {
        return Value::Array(array);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Value::String(
            String::from_utf8_lossy(bytes.as_bytes())
                .into_owned()
                .into(),
        );
    }
    let json = serde_json::to_string(&Json { value, depth: 0 });
    let json = json.or_else(|error| value.str().map(|text| text.to_string()).map_err(|_| error));
    Value::String(json.unwrap_or_else(|error| error.to_string()).into())
}

/// Converts a list whose items have one type.
fn array(list: &Bound<'_, PyAny>) -> Option<Array> {
    let items: Vec<Value> = list
        .try_iter()
        .ok()?
        .map(|item| Some(value(&item.ok()?)))
        .collect::<Option<_>>()?;
    fn all<T>(items: &[Value], of: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
        items.iter().map(of).collect()
    }
    let first = list.try_iter().ok()?.next();
    // Items of another type have become text already.
    let is_text = first.is_none_or(|item| item.is_ok_and(|item| item.is_instance_of::<PyString>()));
    Some(match items.first() {
        None => Array::String(Vec::new()),
        Some(Value::String(_)) if is_text => Array::String(all(&items, |it| match it {
            Value::String(text) => Some(StringValue::clone(text)),
            _ => None,
        })?),
        Some(Value::Bool(_)) => Array::Bool(all(&items, |it| match it {
            Value::Bool(boolean) => Some(*boolean),
            _ => None,
        })?),
        Some(Value::I64(_)) => Array::I64(all(&items, |it| match it {
            Value::I64(integer) => Some(*integer),
            _ => None,
        })?),
        Some(Value::F64(_)) => Array::F64(all(&items, |it| match it {
            Value::F64(float) => Some(*float),
            _ => None,
        })?),
        _ => return None,
    })
}
