//! Secret values, which are never shown.

use std::fmt;
use std::sync::Arc;

/// The replacement for a secret in output.
pub(super) const HIDDEN: &str = "***";

/// A key or a token. `Debug` and `Display` show `***`.
///
/// # Examples
/// ```
/// use spanmux::exporters::Secret;
///
/// let key = Secret::from("sk-lf-1234");
/// assert_eq!(format!("{key} {key:?}"), "*** ***");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for Secret {
    fn from(value: T) -> Self {
        Self(value.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}
