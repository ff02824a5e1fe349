//! The attributes by which a root span says why its trace is where it is, and how
//! its start attributes look to a selector.
//!
//! They stand on the root span alone, before the application's own, so that a
//! limit on attributes does not cut them off. A sampler sees them too.

use std::sync::Arc;

use opentelemetry::{Array, KeyValue, Value};

use super::otel_tracer::OtelTracer;
use crate::registry::Selection;

/// The name of the tracer that receives the trace. Always there.
pub const TRACER: &str = "spanway.tracer";

/// The name of the selector that decided. Absent if all abstained, or if there is
/// none.
pub const SELECTOR: &str = "spanway.selector";

/// What the selector was loaded from: the SHA-256 of the file in hex. Absent for
/// native code.
pub const SELECTOR_DIGEST: &str = "spanway.selector.digest";

/// Why no selector chose the tracer, in the word of
/// [`FallbackKind::as_str`](crate::FallbackKind::as_str). Absent if one did.
pub const FALLBACK: &str = "spanway.fallback";

/// The same for a person to read.
pub const FALLBACK_REASON: &str = "spanway.fallback.reason";

/// How many attributes a reason has at most.
const MOST: usize = 5;

/// `own` behind the attributes that tell of a selection.
pub(super) fn with_reason(
    selection: &Selection<OtelTracer>,
    tracer: Arc<str>,
    own: Option<Vec<KeyValue>>,
) -> Vec<KeyValue> {
    let own = own.unwrap_or_default();
    let mut attributes = Vec::with_capacity(own.len() + MOST);
    attributes.push(KeyValue::new(TRACER, tracer));
    if let Some(selector) = selection.selector() {
        attributes.push(KeyValue::new(SELECTOR, selector.name().to_owned()));
        if let Some(digest) = selector.digest() {
            attributes.push(KeyValue::new(SELECTOR_DIGEST, digest.to_owned()));
        }
    }
    if let Some(fallback) = selection.fallback() {
        attributes.push(KeyValue::new(FALLBACK, fallback.kind().as_str()));
        attributes.push(KeyValue::new(FALLBACK_REASON, fallback.to_string()));
    }
    attributes.extend(own);
    attributes
}

/// An attribute's value as a selector sees it.
///
/// An array is a JSON array. JSON has no number for NaN and the infinities, so
/// they are the texts "NaN", "Infinity" and "-Infinity", as in the JSON form of
/// OTLP.
pub(super) fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(boolean) => (*boolean).into(),
        Value::I64(integer) => (*integer).into(),
        Value::F64(float) => json_float(*float),
        Value::String(text) => text.as_str().into(),
        Value::Array(Array::Bool(items)) => items.as_slice().into(),
        Value::Array(Array::I64(items)) => items.as_slice().into(),
        Value::Array(Array::F64(items)) => items.iter().copied().map(json_float).collect(),
        Value::Array(Array::String(items)) => items.iter().map(|text| text.as_str()).collect(),
        // A kind of value that the API has not yet.
        other => other.to_string().into(),
    }
}

fn json_float(float: f64) -> serde_json::Value {
    not_finite(float).map_or_else(|| float.into(), Into::into)
}

/// The word for a float that is no JSON number.
pub(super) fn not_finite(float: f64) -> Option<&'static str> {
    match float {
        _ if float.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}
