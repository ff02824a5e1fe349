//! Reads a context from any format of serde. Plain values are written straight into the context.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::RuntimeContext;
use super::canonicalize::Canonicalizer;
use super::limits::{ContextError, ContextLimits};
use super::value::Value;

/// Reads the text of a JSON object. `not_json` converts the errors of the parser.
pub(super) fn object(
    text: &str,
    canonicalizer: &mut Canonicalizer,
    not_json: impl Fn(serde_json::Error) -> ContextError,
) -> Result<(), ContextError> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let mut refused = None;
    let object = Object {
        canonicalizer,
        refused: &mut refused,
    };
    let read = parser.deserialize_map(object).and_then(|()| parser.end());
    match (read, refused) {
        (_, Some(error)) => Err(error),
        (Err(error), None) => Err(not_json(error)),
        (Ok(()), None) => Ok(()),
    }
}

/// Reads a context within the default [`ContextLimits`].
///
/// A value that does not fit is an error.
///
/// # Examples
/// ```
/// use spanmux::RuntimeContext;
///
/// #[derive(serde::Deserialize)]
/// struct Request {
///     prompt: String,
///     context: RuntimeContext,
/// }
///
/// let request: Request = serde_json::from_str(
///     r#"{"prompt": "Where is my order?", "context": {"tenant": "acme", "user": {"tier": "gold"}}}"#,
/// )?;
/// assert_eq!(request.context.view().text("user.tier"), Some("gold"));
/// # assert_eq!(request.prompt, "Where is my order?");
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<'de> Deserialize<'de> for RuntimeContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut canonicalizer = Canonicalizer::new(ContextLimits::default());
        let mut refused = None;
        deserializer.deserialize_map(Object {
            canonicalizer: &mut canonicalizer,
            refused: &mut refused,
        })?;
        Ok(Self::of(canonicalizer.finish()))
    }
}

struct Object<'c> {
    canonicalizer: &'c mut Canonicalizer,
    /// The error of a value that does not fit.
    refused: &'c mut Option<ContextError>,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a runtime context: an object with any keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            map.next_value_seed(OneValue {
                canonicalizer: &mut *self.canonicalizer,
                refused: &mut *self.refused,
                key: &key,
            })?;
        }
        Ok(())
    }
}

/// The value of one key.
struct OneValue<'c> {
    canonicalizer: &'c mut Canonicalizer,
    refused: &'c mut Option<ContextError>,
    key: &'c str,
}

impl OneValue<'_> {
    fn keep<E: Error>(self, set: Result<(), ContextError>) -> Result<(), E> {
        set.map_err(|error| {
            let message = E::custom(&error);
            *self.refused = Some(error);
            message
        })
    }

    fn scalar<E: Error>(self, value: Value<'_>) -> Result<(), E> {
        let set = self.canonicalizer.scalar(self.key, value);
        self.keep(set)
    }

    fn json<E: Error>(self, value: &serde_json::Value) -> Result<(), E> {
        let set = self.canonicalizer.json(self.key, value);
        self.keep(set)
    }
}

impl<'de> DeserializeSeed<'de> for OneValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.scalar(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Value::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Value::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.scalar(Value::Integer(value)),
            Err(_) => self.json(&value.into()),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if value.is_finite() {
            self.scalar(Value::Float(value))
        } else {
            // As serde_json does, which has no number for it.
            self.scalar(Value::Null)
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        let set = self.canonicalizer.text(self.key, value);
        self.keep(set)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let value = serde_json::Value::deserialize(SeqAccessDeserializer::new(seq))?;
        self.json(&value)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        // Also a number, if another crate enables arbitrary precision in the parser.
        let value = serde_json::Value::deserialize(MapAccessDeserializer::new(map))?;
        self.json(&value)
    }
}

/// A text that is borrowed from the input if that has it as it is.
struct Text<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(key)))
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(key.to_owned())))
            }
        }

        deserializer.deserialize_str(Read)
    }
}
