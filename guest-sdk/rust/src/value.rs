//! One value of the runtime context.

/// A value of the runtime context, in the case that it fits.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The key is there and its value is null.
    Null,
    /// A truth value.
    Boolean(bool),
    /// From -(2^53 - 1) to 2^53 - 1. Any other integer is [`Value::Json`].
    Integer(i64),
    /// Any number written with a point or an exponent: `1.0` is a float and `1`
    /// an integer.
    Float(f64),
    /// Unicode text, also empty.
    Text(String),
    /// An array, an object, or an integer that [`Value::Integer`] cannot carry,
    /// as JSON text in one canonical form: no white space, members sorted by the
    /// bytes of their names.
    Json(String),
}

impl Value {
    /// The name of the case, with its article, as it stands in an error message.
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
