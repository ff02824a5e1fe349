//! Values of the runtime context.

/// A value of the runtime context.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The key exists and its value is null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An integer from -(2^53 - 1) to 2^53 - 1. Any other integer is a [`Value::Json`].
    Integer(i64),
    /// A number written with a decimal point or an exponent: `1.0` is a float and `1`
    /// is an integer.
    Float(f64),
    /// Unicode text, possibly empty.
    Text(String),
    /// An array, an object, or an integer outside the range of [`Value::Integer`], as
    /// canonical JSON text: no white space, members sorted by the bytes of their names.
    Json(String),
}

impl Value {
    /// Returns the name of the variant with its article, for error messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Text(_) => "text",
            Self::Json(_) => "json",
        }
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<i32> for Value {
    fn from(integer: i32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<u32> for Value {
    fn from(integer: u32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<f64> for Value {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
