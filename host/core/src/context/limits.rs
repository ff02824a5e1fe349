//! Limits of a runtime context, and the errors for exceeding them.

use std::fmt;

/// Limits of a runtime context. A context comes from a request, so its sender determines its size.
///
/// # Examples
/// ```
/// use spanmux::{ContextError, ContextLimits, RuntimeContext};
///
/// let small = ContextLimits::default().keys(1);
/// let error = RuntimeContext::from_json_within(r#"{"a": 1, "b": 2}"#, small).unwrap_err();
/// assert!(matches!(error, ContextError::TooManyKeys { limit: 1 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextLimits {
    /// Number of keys and of members of objects, counted together.
    pub keys: usize,
    /// Total size of keys and values in bytes. JSON values count with the size of their text. At most
    /// 1 GiB, whatever is set.
    pub bytes: usize,
    /// Nesting of arrays and objects. A plain value has depth 0.
    pub depth: usize,
}

impl ContextLimits {
    /// Sets [`keys`](#structfield.keys).
    #[must_use]
    pub fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    /// Sets [`bytes`](#structfield.bytes).
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets [`depth`](#structfield.depth).
    #[must_use]
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }
}

impl ContextLimits {
    /// More than any observed service passes, and few enough to hash within a millisecond.
    pub const KEYS: usize = 16_384;
    /// A request with more data should pass a few of its fields instead.
    pub const BYTES: usize = 1024 * 1024;
    /// Sufficient for handwritten documents, and far below the depth that exhausts a small thread
    /// stack.
    pub const DEPTH: usize = 32;
}

impl Default for ContextLimits {
    fn default() -> Self {
        Self {
            keys: Self::KEYS,
            bytes: Self::BYTES,
            depth: Self::DEPTH,
        }
    }
}

/// The reason why a value cannot be part of a runtime context.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextError {
    /// More keys and members than the limit.
    TooManyKeys {
        /// [`ContextLimits::keys`]
        limit: usize,
    },
    /// More bytes than the limit.
    TooManyBytes {
        /// [`ContextLimits::bytes`]
        limit: usize,
    },
    /// Arrays and objects are nested deeper than the limit.
    TooDeep {
        /// [`ContextLimits::depth`]
        limit: usize,
    },
    /// Valid JSON, but not an object.
    NotAnObject {
        /// The kind of value with its article.
        found: &'static str,
    },
    /// Invalid JSON.
    Json {
        /// The key of the value, or `None` for the whole context.
        key: Option<String>,
        /// The parser's message with line and column.
        message: String,
    },
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyKeys { limit } => write!(
                f,
                "the runtime context has more than {limit} keys; pass the few that selectors \
                 read, or raise `ContextLimits::keys`"
            ),
            Self::TooManyBytes { limit } => write!(
                f,
                "the runtime context has more than {limit} bytes; pass the few fields that \
                 selectors read, or raise `ContextLimits::bytes`"
            ),
            Self::TooDeep { limit } => write!(
                f,
                "the runtime context is nested deeper than {limit} levels; pass what selectors \
                 read as keys of its own, or raise `ContextLimits::depth`"
            ),
            Self::NotAnObject { found } => {
                write!(f, "expected a JSON object, found {found}")
            }
            Self::Json { key: None, message } => {
                write!(f, "the runtime context is not JSON: {message}")
            }
            Self::Json {
                key: Some(key),
                message,
            } => write!(
                f,
                "the value of `{}` is not JSON: {message}",
                key.escape_debug()
            ),
        }
    }
}

impl std::error::Error for ContextError {}
