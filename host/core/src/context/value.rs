//! A value of a runtime context, in the cases of the contract.

/// The largest integer that every guest language reads exactly: 2^53 - 1.
pub const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// A value that is borrowed from a runtime context, in the cases of the contract in
/// `wit/selector.wit`.
///
/// Floats compare by bits, and NaN has one bit pattern, so values can be compared and cached
/// without exceptions.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// The key exists and its value is null.
    Null,
    /// True or false.
    Boolean(bool),
    /// From -(2^53 - 1) to 2^53 - 1 when read. Any integer may be set. One outside the range is
    /// read as [`Json`](Value::Json).
    Integer(i64),
    /// A number written with a point or an exponent, or set as a float.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// An array, an object or a large integer as canonical JSON text.
    Json(&'a str),
}

impl<'a> Value<'a> {
    /// Returns the size of its text in bytes.
    #[doc(hidden)]
    pub fn bytes(self) -> usize {
        match self {
            Value::Text(text) | Value::Json(text) => text.len(),
            _ => 0,
        }
    }

    /// Returns the text if the value is [`Text`](Value::Text).
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Value::Null, Value::Null) => true,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::Integer(a), Value::Integer(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Text(a), Value::Text(b)) | (Value::Json(a), Value::Json(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value<'_> {}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::Text(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(boolean: bool) -> Self {
        Value::Boolean(boolean)
    }
}

impl From<i32> for Value<'_> {
    fn from(integer: i32) -> Self {
        Value::Integer(integer.into())
    }
}

impl From<u32> for Value<'_> {
    fn from(integer: u32) -> Self {
        Value::Integer(integer.into())
    }
}

impl From<i64> for Value<'_> {
    fn from(integer: i64) -> Self {
        Value::Integer(integer)
    }
}

impl From<f64> for Value<'_> {
    fn from(float: f64) -> Self {
        Value::Float(float)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// Returns the JSON string for a float that is not a JSON number.
pub fn not_finite(float: f64) -> Option<&'static str> {
    match float {
        _ if float.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}
