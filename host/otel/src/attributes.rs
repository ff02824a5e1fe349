//! The attributes by which a root span says why its trace is where it is, and how
//! its start attributes look to a selector.
//!
//! They stand on the root span alone, before the application's own, so that a
//! limit on attributes does not cut them off. A sampler sees them too.

use std::sync::OnceLock;

use opentelemetry::{Array, KeyValue, Value};

use super::inbound::Followed;
use super::otel_tracer::OtelTracer;
use super::texts;
use spanmux_core::Reason;
use spanmux_core::Selection;
use spanmux_core::internal::{MAX_SAFE_INTEGER, not_finite};
use spanmux_core::{RuntimeContext, SpanAttributes};

/// The name of the tracer that receives the trace. Always there.
pub const TRACER: &str = "spanmux.tracer";

/// The name of the selector that decided. Absent if all abstained, or if there is
/// none.
pub const SELECTOR: &str = "spanmux.selector";

/// What the selector was loaded from: the SHA-256 of the file in hex. Absent for
/// native code.
pub const SELECTOR_DIGEST: &str = "spanmux.selector.digest";

/// Why no selector chose the tracer, in the word of
/// [`Cause::as_str`](spanmux_core::Cause::as_str). Absent if one did.
pub const FALLBACK: &str = "spanmux.fallback";

/// The same for a person to read.
pub const FALLBACK_REASON: &str = "spanmux.fallback.reason";

/// Present if the choice came in with a remote parent and was
/// [followed](super::Inbound): by what it came, `tracestate` or `baggage`. No
/// selector was asked then.
pub const INBOUND: &str = "spanmux.inbound";

/// How many attributes a reason has at most.
const MOST: usize = 5;

/// The attributes that tell of a selection, with room for `more`.
pub(super) fn of_selection(
    selection: &Selection<OtelTracer>,
    tracer: &str,
    more: usize,
) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(MOST + more);
    attributes.push(KeyValue::new(TRACER, texts::shared(tracer)));
    if let Some(selector) = selection.selector() {
        attributes.push(KeyValue::new(SELECTOR, texts::shared(selector.name())));
        if let Some(digest) = selector.digest() {
            attributes.push(KeyValue::new(SELECTOR_DIGEST, texts::shared(digest)));
        }
    }
    if let Some(cause) = selection.reason().cause() {
        attributes.push(KeyValue::new(FALLBACK, cause.as_str()));
        attributes.push(KeyValue::new(FALLBACK_REASON, text(selection.reason())));
    }
    attributes
}

/// The attributes that tell of a choice that came in, with room for `more`.
pub(super) fn of_inbound(followed: &Followed, more: usize) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(MOST + more);
    attributes.push(KeyValue::new(TRACER, texts::shared(&followed.name)));
    attributes.push(KeyValue::new(INBOUND, followed.carrier));
    attributes
}

/// The attributes of a root that follows another, with room for `more`.
pub(super) fn of_follower(tracer: &str, more: usize) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(1 + more);
    attributes.push(KeyValue::new(TRACER, texts::shared(tracer)));
    attributes
}

/// What a person reads. The two that are no failure are the usual ones, and are
/// not written anew for each trace.
fn text(reason: &Reason) -> Value {
    match reason {
        Reason::NoSelector => "no selector is registered".into(),
        Reason::Abstained => "every selector abstained".into(),
        other => other.to_string().into(),
    }
}

/// The attributes that a span starts with, as a selector sees them.
///
/// What the contract has a case for is read where it lies. An array, and an
/// integer that a selector cannot be given as one, is JSON text, which is made
/// when it is first asked for.
pub(super) struct StartAttributes<'a> {
    all: &'a [KeyValue],
    /// Of each attribute, once one of them was needed.
    json: OnceLock<Box<[OnceLock<RuntimeContext>]>>,
}

impl<'a> StartAttributes<'a> {
    pub(super) fn new(all: &'a [KeyValue]) -> Self {
        Self {
            all,
            json: OnceLock::new(),
        }
    }

    fn value(&self, place: usize, value: &'a Value) -> Option<spanmux_core::Value<'_>> {
        Some(match value {
            Value::Bool(boolean) => spanmux_core::Value::Boolean(*boolean),
            Value::I64(integer) if integer.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs() => {
                spanmux_core::Value::Integer(*integer)
            }
            Value::F64(float) => match not_finite(*float) {
                Some(word) => spanmux_core::Value::Text(word),
                None => spanmux_core::Value::Float(*float),
            },
            Value::String(text) => spanmux_core::Value::Text(text.as_str()),
            other => return self.frozen(place, other),
        })
    }

    /// A value whose text has to be made. A runtime context makes it, so that
    /// there is one canonical form; what is too large for one is left out.
    fn frozen(&self, place: usize, value: &Value) -> Option<spanmux_core::Value<'_>> {
        let cells = || self.all.iter().map(|_| OnceLock::new()).collect();
        let frozen = self.json.get_or_init(cells).get(place)?.get_or_init(|| {
            let builder = RuntimeContext::builder().set_json("", &json(value));
            builder.build()
        });
        SpanAttributes::get(frozen, "")
    }
}

impl SpanAttributes for StartAttributes<'_> {
    fn get(&self, key: &str) -> Option<spanmux_core::Value<'_>> {
        let place = self.all.iter().rposition(|kv| kv.key.as_str() == key)?;
        self.value(place, &self.all.get(place)?.value)
    }

    fn each_key<'s>(&'s self, show: &mut dyn FnMut(&'s str)) {
        self.all.iter().for_each(|kv| show(kv.key.as_str()));
    }
}

/// An attribute's value as JSON.
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

#[cfg(test)]
mod tests {
    use spanmux_core::Fallback;

    use super::*;

    #[test]
    fn a_reason_reads_as_the_fallback_itself() {
        for reason in [
            Reason::NoSelector,
            Reason::Abstained,
            Reason::Failed(Box::new(Fallback::Overloaded)),
        ] {
            assert_eq!(text(&reason), Value::from(reason.to_string()));
        }
    }

    /// A component is answered from a copy, native code and learned decisions are
    /// not.
    #[test]
    fn a_copy_of_the_attributes_gives_the_same_answers() {
        use spanmux_core::RootSpan;

        let large = "x".repeat(RootSpan::MAX_ATTRIBUTE_BYTES);
        let array = Array::String(vec![large.clone().into()]);
        let values = [
            Value::Bool(true),
            Value::I64(MAX_SAFE_INTEGER),
            Value::I64(MAX_SAFE_INTEGER + 1),
            Value::I64(i64::MIN),
            Value::F64(-0.0),
            Value::F64(f64::NAN),
            Value::F64(f64::NEG_INFINITY),
            Value::String("ä".into()),
            Value::String(large.into()),
            Value::Array(Array::F64(vec![1.0, f64::INFINITY])),
            Value::Array(array),
        ];
        // Every value alone, and every value in front of and behind another of
        // the same key, and keys that the span's own hide.
        let mut attributes = Vec::new();
        for (i, a) in values.iter().enumerate() {
            attributes.push(KeyValue::new(format!("{i}"), a.clone()));
            for (j, b) in values.iter().enumerate() {
                attributes.push(KeyValue::new(format!("{i}.{j}"), a.clone()));
                attributes.push(KeyValue::new(format!("{i}.{j}"), b.clone()));
            }
        }
        attributes.push(KeyValue::new("name", "hidden"));
        attributes.push(KeyValue::new("", "empty"));

        let start = StartAttributes::new(&attributes);
        let span = RootSpan::with_attributes("root", "server", &start);
        let context = RuntimeContext::empty();
        let live = context.view_with_span(&span);
        let frozen = live.freeze();
        let frozen = frozen.view();
        assert_eq!(live.keys(), frozen.keys());
        for kv in &attributes {
            let key = format!("span.{}", kv.key);
            assert_eq!(live.get(&key), frozen.get(&key), "{key}");
            assert_eq!(live.has(&key), live.keys().contains(&key), "{key}");
        }
        assert_eq!(live.get("span.8"), None, "its key and text are too large");
        assert_eq!(live.get("span.3.7"), Some(spanmux_core::Value::Text("ä")));
        assert_eq!(live.get("span.7.8"), None, "the last of a key counts");
        let text = r#"[1.0,"Infinity"]"#;
        assert_eq!(live.get("span.9"), Some(spanmux_core::Value::Json(text)));
    }
}
