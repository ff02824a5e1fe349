//! Converts facts to a runtime context.

use napi_derive::napi;
use serde_json::{Map, Value as Json};
use spanmux_core::{ContextLimits, RuntimeContext, RuntimeContextBuilder};

/// The maximum size of a context in bytes.
#[napi]
pub const MAX_CONTEXT_BYTES: u32 = ContextLimits::BYTES as u32;

/// The maximum number of keys of a context, with the members of objects.
#[napi]
pub const MAX_CONTEXT_KEYS: u32 = ContextLimits::KEYS as u32;

/// The maximum nesting of a value.
#[napi]
pub const MAX_CONTEXT_DEPTH: u32 = ContextLimits::DEPTH as u32;

/// Facts that TypeScript has read from an object.
#[napi(object, object_to_js = false)]
pub struct Facts {
    /// A JSON object with the values that JSON can hold.
    pub json: String,
    /// The keys of the numbers that JSON cannot hold: NaN, the infinities and negative zero.
    pub float_keys: Option<Vec<String>>,
    /// Their values.
    pub floats: Option<Vec<f64>>,
    /// The key of the first value that could not be read.
    pub refused: Option<String>,
    /// The reason.
    pub problem: Option<String>,
}

impl Facts {
    /// Builds a context from everything that fits. A value that was refused makes it incomplete, so
    /// that the decision goes to the fallback tracer and names the key.
    pub(crate) fn context(self) -> RuntimeContext {
        let mut builder = RuntimeContext::builder();
        if let Some(key) = self.refused {
            let message = self.problem.unwrap_or_default();
            builder = builder.set_json(&key, &Refused(message));
        }
        match serde_json::from_str::<Map<String, Json>>(&self.json) {
            Ok(members) => builder = all(builder, &members),
            Err(error) => builder = builder.set_json("context", &Refused(error.to_string())),
        }
        let floats = self.floats.into_iter().flatten();
        for (key, float) in self.float_keys.iter().flatten().zip(floats) {
            builder = builder.set(key, float);
        }
        builder.build()
    }

    /// Builds the attributes of a span. Values that do not fit are absent.
    pub(crate) fn attributes(self) -> RuntimeContext {
        Self {
            refused: None,
            ..self
        }
        .context()
    }
}

fn all(mut builder: RuntimeContextBuilder, members: &Map<String, Json>) -> RuntimeContextBuilder {
    for (key, value) in members {
        builder = match value {
            Json::String(text) => builder.set(key, text.as_str()),
            value => builder.set_json(key, value),
        };
    }
    builder
}

/// Fails to serialize, so that the context is incomplete.
struct Refused(String);

impl serde::Serialize for Refused {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(&self.0))
    }
}
