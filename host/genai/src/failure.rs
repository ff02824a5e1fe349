//! Errors, recorded as the conventions define.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;

use opentelemetry::KeyValue;

use super::keys;
use super::limits::ContentLimits;

/// The value that the conventions define for an error without a type.
const OTHER: &str = "_OTHER";

/// An error: its low-cardinality type, and its message with its causes.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: Cow<'static, str>,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(kind: Cow<'static, str>, message: &str, limits: &ContentLimits) -> Self {
        Self {
            kind,
            message: limits.text(message),
        }
    }

    pub(super) fn of<E: Error + ?Sized>(error: &E, limits: &ContentLimits) -> Self {
        let name = type_name::<E>();
        let kind = if name.starts_with("dyn ") {
            OTHER
        } else {
            name
        };
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            // Writing to a String cannot fail.
            let _ = write!(message, ": {error}");
            cause = error.source();
        }
        Self::new(kind.into(), &message, limits)
    }

    /// Returns the attributes of the `exception` event.
    pub(super) fn exception(&self) -> Vec<KeyValue> {
        vec![
            KeyValue::new(keys::EXCEPTION_TYPE, self.kind.clone()),
            KeyValue::new(keys::EXCEPTION_MESSAGE, self.message.clone()),
        ]
    }
}
