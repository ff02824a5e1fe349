//! The errors of changes to the registry, and the checks that make them.

use std::fmt;

use crate::tracer_names::{MAX_NAME_BYTES, MAX_TRACER_BYTES, MAX_TRACERS, TracerNames};

/// Checks a name by itself.
pub(super) fn check_name(name: &str) -> Result<(), RegisterError> {
    if name.is_empty() {
        return Err(RegisterError::EmptyName);
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(RegisterError::TooLong {
            name: name.to_owned(),
            bytes: name.len(),
            limit: MAX_NAME_BYTES,
        });
    }
    Ok(())
}

/// Checks that one more name fits into the limits and is not taken.
pub(super) fn check_room(names: &TracerNames, name: &str) -> Result<(), RegisterError> {
    let owned = || name.to_owned();
    if names.contains(name) {
        return Err(RegisterError::Duplicate { name: owned() });
    }
    if names.len() >= MAX_TRACERS {
        return Err(RegisterError::TooMany {
            name: owned(),
            limit: MAX_TRACERS,
        });
    }
    let bytes = names.bytes() + name.len();
    if bytes > MAX_TRACER_BYTES {
        return Err(RegisterError::TooManyBytes {
            name: owned(),
            bytes,
            limit: MAX_TRACER_BYTES,
        });
    }
    Ok(())
}

/// Bytes of a name that is too long that its error shows.
const SHOWN_BYTES: usize = 64;

/// The reason why a tracer was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// The name is taken.
    Duplicate {
        /// The name.
        name: String,
    },
    /// The name is empty, which no selector could distinguish from a missing answer.
    EmptyName,
    /// The name is longer than [`MAX_NAME_BYTES`].
    TooLong {
        /// The name.
        name: String,
        /// The length of the name in bytes.
        bytes: usize,
        /// The maximum length in bytes.
        limit: usize,
    },
    /// The registry has [`MAX_TRACERS`] tracers.
    TooMany {
        /// The name of the refused tracer.
        name: String,
        /// The maximum number of tracers.
        limit: usize,
    },
    /// The names of all tracers together would exceed [`MAX_TRACER_BYTES`].
    TooManyBytes {
        /// The name of the refused tracer.
        name: String,
        /// The size of all names with this one, in bytes.
        bytes: usize,
        /// The maximum size in bytes.
        limit: usize,
    },
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { name } => write!(
                f,
                "a tracer named \"{}\" is registered already; unregister it first or choose \
                 another name",
                name.escape_debug()
            ),
            Self::EmptyName => {
                f.write_str("a tracer's name is empty; give it one that a selector can answer")
            }
            Self::TooLong { name, bytes, limit } => {
                let start = &name[..name.floor_char_boundary(SHOWN_BYTES)];
                write!(
                    f,
                    "the name of the tracer \"{}…\" has {bytes} bytes, and `MAX_NAME_BYTES` is \
                     {limit}; choose a shorter one",
                    start.escape_debug()
                )
            }
            Self::TooMany { name, limit } => write!(
                f,
                "the tracer \"{}\" was not registered: the registry has {limit} tracers, which is \
                 `MAX_TRACERS`; unregister one first, or let several share a tracer and \
                 distinguish them by an attribute",
                name.escape_debug()
            ),
            Self::TooManyBytes { name, bytes, limit } => write!(
                f,
                "the tracer \"{}\" was not registered: the names of all tracers would have {bytes} \
                 bytes, and `MAX_TRACER_BYTES` is {limit}; unregister one first or choose shorter \
                 names",
                name.escape_debug()
            ),
        }
    }
}

impl std::error::Error for RegisterError {}

/// No tracer has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTracerError {
    /// The name.
    pub name: String,
    /// The registered names.
    pub known: Vec<String>,
}

impl fmt::Display for UnknownTracerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no tracer is named \"{}\"; registered are: {}",
            self.name.escape_debug(),
            if self.known.is_empty() {
                "none".to_owned()
            } else {
                self.known.join(", ")
            }
        )
    }
}

impl std::error::Error for UnknownTracerError {}
