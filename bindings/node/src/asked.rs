//! The values of asked keys, handed over as the arguments of one call and lent to the selectors
//! without a copy.

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Error, Result, ValueType};
use napi_derive::napi;
use spanmux_core::{ContextSource, Value};

/// The values that one call hands over.
pub(crate) const MAX_KEYS: usize = 8;

/// The keys that learned decisions ask.
#[napi(object)]
pub struct NativeKeys {
    pub generation: f64,
    pub keys: Vec<String>,
}

/// Asked keys, kept on this side so that a call hands over their values alone.
#[napi]
pub struct KeyList {
    pub(crate) generation: u64,
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

/// The facts of a context under the asked keys.
pub(crate) struct AskedFacts<'a> {
    keys: &'a [String],
    values: [Held; MAX_KEYS],
}

impl<'a> AskedFacts<'a> {
    /// Reads the values of the keys, in order.
    ///
    /// # Errors
    /// Returns an error if one of them is not a plain value.
    pub(crate) fn read(list: &'a KeyList, values: [Unknown<'_>; MAX_KEYS]) -> Result<Self> {
        let mut held = [const { Held::Absent }; MAX_KEYS];
        for ((held, value), _) in held.iter_mut().zip(values).zip(&list.keys) {
            *held = Held::read(value)?;
        }
        Ok(Self {
            keys: &list.keys,
            values: held,
        })
    }

    fn facts(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        let keys = self.keys.iter().map(String::as_str);
        let values = self.values.iter().map(Held::value);
        let pairs = keys.zip(values);
        pairs.filter_map(|(key, value)| Some((key, value?)))
    }
}

impl ContextSource for AskedFacts<'_> {
    fn get(&self, key: &str) -> Option<Value<'_>> {
        let place = self.keys.iter().position(|known| known == key)?;
        self.values.get(place)?.value()
    }

    fn each_key<'a>(&'a self, each: &mut dyn FnMut(&'a str)) {
        self.facts().for_each(|(key, _)| each(key));
    }
}

/// A value that JavaScript has handed over.
enum Held {
    Absent,
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

impl Held {
    /// `undefined` is absent.
    fn read(value: Unknown<'_>) -> Result<Self> {
        Ok(match value.get_type()? {
            ValueType::Undefined => Self::Absent,
            ValueType::Null => Self::Null,
            ValueType::Boolean => Self::Boolean(bool::from_unknown(value)?),
            ValueType::String => Self::Text(String::from_unknown(value)?),
            ValueType::Number => match f64::from_unknown(value)? {
                // TypeScript hands over safe integers only.
                whole if whole.fract() == 0.0 => Self::Integer(whole as i64),
                float => Self::Float(float),
            },
            other => {
                let message = format!("not a plain value: {other}");
                return Err(Error::from_reason(message));
            }
        })
    }

    fn value(&self) -> Option<Value<'_>> {
        Some(match self {
            Self::Absent => return None,
            Self::Null => Value::Null,
            Self::Boolean(boolean) => Value::Boolean(*boolean),
            Self::Integer(integer) => Value::Integer(*integer),
            Self::Float(float) => Value::Float(*float),
            Self::Text(text) => Value::Text(text),
        })
    }
}
