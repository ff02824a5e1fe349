//! Keys of the runtime context that are copied onto spans as attributes.

use opentelemetry::{KeyValue, StringValue, Value};

use spanmux_core::RuntimeContext;

/// The copied keys. Each attribute has the name of its key.
#[derive(Debug, Default)]
pub(super) struct CopiedKeys(Vec<String>);

impl FromIterator<String> for CopiedKeys {
    fn from_iter<I: IntoIterator<Item = String>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

impl CopiedKeys {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends the value of each key in `run`, except for keys that are already in `own`
    /// or `to`.
    pub(super) fn copy(&self, run: &RuntimeContext, own: &[KeyValue], to: &mut Vec<KeyValue>) {
        let view = run.view();
        for key in &self.0 {
            let known = |kv: &KeyValue| kv.key.as_str() == key;
            if own.iter().any(known) || to.iter().any(known) {
                continue;
            }
            if let Some(value) = view.get(key).and_then(attribute) {
                to.push(KeyValue::new(key.clone(), value));
            }
        }
    }
}

/// Converts the answer for a key to an attribute value. Returns `None` for null.
fn attribute(value: spanmux_core::Value<'_>) -> Option<Value> {
    Some(match value {
        spanmux_core::Value::Null => return None,
        spanmux_core::Value::Boolean(boolean) => Value::Bool(boolean),
        spanmux_core::Value::Integer(integer) => Value::I64(integer),
        spanmux_core::Value::Float(float) => Value::F64(float),
        spanmux_core::Value::Text(text) | spanmux_core::Value::Json(text) => {
            Value::String(StringValue::from(text.to_owned()))
        }
    })
}
