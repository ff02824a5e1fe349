//! Attributes that explain the selection on a root span, and the view of the root span's
//! start attributes that selectors receive.
//!
//! They are set on the root span only, before the application's own attributes, so that
//! an attribute limit does not remove them. Samplers see them too. A value that the
//! application sets for one of these keys is ignored.

use std::sync::OnceLock;

use opentelemetry::{Array, KeyValue, Value};

use super::inbound::Followed;
use super::interner;
use super::otel_tracer::OtelTracer;
use super::selector_names::{self, Names};
use spanmux_core::Reason;
use spanmux_core::Selection;
use spanmux_core::internal::{MAX_SAFE_INTEGER, not_finite};
use spanmux_core::{RuntimeContext, SpanAttributes};

/// The name of the tracer that receives the trace. Always present.
pub const TRACER: &str = "spanmux.tracer";

/// The name of the selector that decided. Absent if all selectors abstained or none is
/// registered.
pub const SELECTOR: &str = "spanmux.selector";

/// The SHA-256 digest of the file from which the selector was loaded, in hexadecimal.
/// Absent for native selectors.
pub const SELECTOR_DIGEST: &str = "spanmux.selector.digest";

/// The fallback cause, as returned by
/// [`Cause::as_str`](spanmux_core::Cause::as_str). Absent if a selector chose the
/// tracer.
pub const FALLBACK: &str = "spanmux.fallback";

/// The fallback cause as a readable message.
pub const FALLBACK_REASON: &str = "spanmux.fallback.reason";

/// The carrier of a selection that came from a remote parent and was
/// [followed](super::Inbound): `tracestate` or `baggage`. Absent otherwise. If present,
/// no selector ran.
pub const INBOUND: &str = "spanmux.inbound";

/// The maximum number of attributes for one selection.
const MOST: usize = 5;

/// The keys above.
const RESERVED: [&str; 6] = [
    TRACER,
    SELECTOR,
    SELECTOR_DIGEST,
    FALLBACK,
    FALLBACK_REASON,
    INBOUND,
];

/// Returns `true` for a key that only a selection sets.
pub(super) fn is_reserved(key: &str) -> bool {
    key.starts_with("spanmux.") && RESERVED.contains(&key)
}

/// Removes the attributes that only a selection sets.
pub(super) fn remove_reserved(own: &mut Vec<KeyValue>) {
    own.retain(|kv| !is_reserved(kv.key.as_str()));
}

/// Returns the attributes that describe a selection, with capacity for `more`.
pub(super) fn of_selection(
    selection: &Selection<OtelTracer>,
    tracer: &str,
    more: usize,
) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(MOST + more);
    attributes.push(KeyValue::new(TRACER, interner::intern(tracer)));
    if let Some(selector) = selection.shared_selector() {
        let Names { name, digest } = selector_names::of(selector);
        if let Some(name) = name {
            attributes.push(KeyValue::new(SELECTOR, name));
        }
        if let Some(digest) = digest {
            attributes.push(KeyValue::new(SELECTOR_DIGEST, digest));
        }
    }
    if let Some(cause) = selection.reason().cause() {
        attributes.push(KeyValue::new(FALLBACK, cause.as_str()));
        attributes.push(KeyValue::new(FALLBACK_REASON, text(selection.reason())));
    }
    attributes
}

/// Returns the attributes that describe a followed inbound selection, with capacity for
/// `more`.
pub(super) fn of_inbound(followed: &Followed, more: usize) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(MOST + more);
    attributes.push(KeyValue::new(TRACER, interner::intern(&followed.name)));
    attributes.push(KeyValue::new(INBOUND, followed.carrier));
    attributes
}

/// Returns the attributes of a root span that follows another, with capacity for `more`.
pub(super) fn of_follower(tracer: &str, more: usize) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(1 + more);
    attributes.push(KeyValue::new(TRACER, interner::intern(tracer)));
    attributes
}

/// Returns the readable fallback cause. The two causes that are not failures are common,
/// so they are not formatted for each trace.
fn text(reason: &Reason) -> Value {
    match reason {
        Reason::NoSelector => "no selector is registered".into(),
        Reason::Abstained => "every selector abstained".into(),
        other => other.to_string().into(),
    }
}

/// The start attributes of a span as a selector sees them.
///
/// Values with a matching type in the contract are read in place. Arrays, and integers
/// outside the range that a selector can receive, become JSON text, which is created on
/// first access.
pub(super) struct StartAttributes<'a> {
    all: &'a [KeyValue],
    /// One cell per attribute, created when the first JSON text is needed.
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

    /// Returns a value that has to be converted to text. A runtime context does the
    /// conversion, so that there is only one canonical form. Values that exceed its
    /// limits are omitted.
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

/// Converts an attribute value to JSON.
///
/// An array becomes a JSON array. JSON has no numbers for NaN and the infinities, so they
/// become the strings "NaN", "Infinity" and "-Infinity", as in OTLP/JSON.
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
        // A kind of value that the API does not have yet.
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
    fn reason_equals_the_message_of_the_fallback() {
        for reason in [
            Reason::NoSelector,
            Reason::Abstained,
            Reason::Failed(Box::new(Fallback::Overloaded)),
        ] {
            assert_eq!(text(&reason), Value::from(reason.to_string()));
        }
    }

    /// Components get answers from a copy of the attributes. Native selectors and the
    /// decision cache read the attributes directly.
    #[test]
    fn copied_attributes_give_the_same_answers() {
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
        // Each value alone, each value before and after another value of the same key,
        // and keys that collide with the span's own keys.
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
        let frozen = live.to_owned_view();
        let frozen = frozen.view();
        assert_eq!(live.keys(), frozen.keys());
        for kv in &attributes {
            let key = format!("span.{}", kv.key);
            assert_eq!(live.get(&key), frozen.get(&key), "{key}");
            assert_eq!(live.contains(&key), live.keys().contains(&key), "{key}");
        }
        assert_eq!(live.get("span.8"), None, "key and text are too large");
        assert_eq!(live.get("span.3.7"), Some(spanmux_core::Value::Text("ä")));
        assert_eq!(live.get("span.7.8"), None, "the last value of a key counts");
        let text = r#"[1.0,"Infinity"]"#;
        assert_eq!(live.get("span.9"), Some(spanmux_core::Value::Json(text)));
    }
}
