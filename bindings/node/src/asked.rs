//! The values of asked keys, handed over as the arguments of one call and lent to the selectors
//! without a copy.

use std::sync::Arc;

use arrayvec::ArrayVec;
use napi::bindgen_prelude::{FromNapiValue, Function, FunctionCallContext, Unknown};
use napi::{Env, Error, Result, ValueType};
use napi_derive::napi;
use spanmux_core::{ContextSource, ContextView, Value};
use spanmux_embed::Tracers;

/// The values that one call can hand over. With more, a look-up of one key among them and the call
/// itself cost about as much as the whole context.
const MAX_KEYS: usize = 32;

/// The number of asked keys up to which decisions can be recalled.
#[napi]
pub const MAX_ASKED_KEYS: u32 = MAX_KEYS as u32;

/// The decision is not learned, or the whole context is needed.
const UNKNOWN: i32 = -1;

/// The keys that learned decisions ask.
#[napi(object)]
pub struct NativeKeys {
    pub generation: f64,
    pub keys: Vec<String>,
}

/// Returns a function that recalls learned decisions. Its arguments are the values of the keys, in
/// order. It returns the number of the decision, or a negative number.
///
/// A call of a method looks its object up, which takes longer than everything that the function does.
pub(crate) fn recalling(
    env: &Env,
    tracers: Arc<Tracers>,
    asked: NativeKeys,
) -> Result<Function<'_, (), i32>> {
    let (generation, keys) = (asked.generation as u64, asked.keys);
    env.create_function_from_closure("recall", move |call| {
        let number = AskedFacts::read(&keys, &call).ok().and_then(|facts| {
            let view = ContextView::over(&facts, None);
            let selection = tracers.recall_asked(generation, &view)?;
            let (_, number) = tracers.number_of(&selection)?;
            i32::try_from(number).ok()
        });
        Ok(number.unwrap_or(UNKNOWN))
    })
}

/// The facts of a context under the asked keys.
struct AskedFacts<'a> {
    keys: &'a [String],
    values: ArrayVec<Held, MAX_KEYS>,
}

impl<'a> AskedFacts<'a> {
    /// Reads the values of the keys.
    ///
    /// # Errors
    /// Returns an error if a value is absent or not plain, or if there are too many.
    fn read(keys: &'a [String], call: &FunctionCallContext<'_>) -> Result<Self> {
        let mut values = ArrayVec::new();
        for place in 0..keys.len() {
            let held = Held::read(call.get(place)?)?;
            let pushed = values.try_push(held);
            pushed.map_err(|error| Error::from_reason(error.to_string()))?;
        }
        Ok(Self { keys, values })
    }
}

impl ContextSource for AskedFacts<'_> {
    fn get(&self, key: &str) -> Option<Value<'_>> {
        let place = self.keys.iter().position(|known| known == key)?;
        self.values.get(place)?.value()
    }

    fn each_key<'a>(&'a self, each: &mut dyn FnMut(&'a str)) {
        for (key, held) in self.keys.iter().zip(&self.values) {
            if held.value().is_some() {
                each(key);
            }
        }
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
