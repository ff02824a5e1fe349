//! A list of tracers, for which a policy decides.

use std::sync::Arc;

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Result, ValueType};
use napi_derive::napi;
use spanmux_core::{RootSpan, RuntimeContext, RuntimeContextBuilder, Value};
use spanmux_embed::Tracers;

use crate::context::Facts;
use crate::decision::NativeDecision;
use crate::selector::{Answer, with_answers};

/// The decision is not learned, or the whole context is needed.
const UNKNOWN: i32 = -1;

/// The root span that is about to start.
#[napi(object, object_to_js = false)]
pub struct NativeSpan {
    pub name: String,
    pub kind: String,
    pub attributes: Option<Facts>,
}

/// The keys that learned decisions ask.
#[napi(object)]
pub struct NativeKeys {
    pub generation: f64,
    pub keys: Vec<String>,
}

/// A list of tracers of a policy.
#[napi]
pub struct TracerList {
    pub(crate) tracers: Arc<Tracers>,
}

#[napi]
impl TracerList {
    /// Decides one trace, for which the functions of the policy have given these answers.
    #[napi]
    pub fn decide(
        &self,
        facts: Facts,
        span: Option<NativeSpan>,
        answers: Vec<Answer>,
    ) -> NativeDecision {
        let context = facts.context();
        let span = span.map(|span| {
            let attributes = span.attributes.map(Facts::attributes);
            (span.name, span.kind, attributes.unwrap_or_default())
        });
        let selection = with_answers(answers, || match &span {
            Some((name, kind, attributes)) => {
                let span = RootSpan::with_attributes(name, kind, attributes);
                self.tracers.select(&context.view_with_span(&span))
            }
            None => self.tracers.select(&context.view()),
        });
        NativeDecision::new(&self.tracers, &selection)
    }

    /// Returns the keys that learned decisions ask, or `None` if they may ask any key.
    #[napi]
    pub fn asked_keys(&self) -> Option<NativeKeys> {
        let asked = self.tracers.asked_keys()?;
        Some(NativeKeys {
            generation: asked.generation as f64,
            keys: asked.keys,
        })
    }

    /// Decides one trace from learned decisions. The arguments after `keys` are the values of the
    /// asked keys, in order. Returns the number of the decision, or a negative number if the
    /// whole context is needed.
    #[napi]
    #[allow(clippy::too_many_arguments)] // An array would take one call of the engine per value.
    pub fn recall(
        &self,
        keys: &KeyList,
        a: Unknown<'_>,
        b: Unknown<'_>,
        c: Unknown<'_>,
        d: Unknown<'_>,
        e: Unknown<'_>,
        f: Unknown<'_>,
        g: Unknown<'_>,
        h: Unknown<'_>,
    ) -> i32 {
        let mut builder = RuntimeContext::builder();
        for (key, value) in keys.keys.iter().zip([a, b, c, d, e, f, g, h]) {
            builder = match set(builder, key, value) {
                Ok(builder) => builder,
                Err(_) => return UNKNOWN,
            };
        }
        let context = builder.build();
        let selection = self.tracers.recall_asked(keys.generation, &context.view());
        let number = selection.and_then(|selection| self.tracers.number_of(&selection));
        number.map_or(UNKNOWN, |(_, number)| {
            i32::try_from(number).unwrap_or(UNKNOWN)
        })
    }
}

/// Asked keys, kept on this side so that a call hands over their values alone.
#[napi]
pub struct KeyList {
    generation: u64,
    keys: Vec<String>,
}

#[napi]
impl KeyList {
    #[napi(constructor)]
    pub fn new(asked: NativeKeys) -> Self {
        Self {
            generation: asked.generation as u64,
            keys: asked.keys,
        }
    }
}

/// Sets a key to a plain value. `undefined` is absent.
fn set(
    builder: RuntimeContextBuilder,
    key: &str,
    value: Unknown<'_>,
) -> Result<RuntimeContextBuilder> {
    Ok(match value.get_type()? {
        ValueType::Undefined => builder,
        ValueType::Null => builder.set(key, Value::Null),
        ValueType::Boolean => builder.set(key, bool::from_unknown(value)?),
        ValueType::String => builder.set(key, String::from_unknown(value)?.as_str()),
        ValueType::Number => match f64::from_unknown(value)? {
            // TypeScript hands over safe integers only.
            whole if whole.fract() == 0.0 => builder.set(key, whole as i64),
            float => builder.set(key, float),
        },
        other => {
            return Err(napi::Error::from_reason(format!(
                "not a plain value: {other}"
            )));
        }
    })
}
