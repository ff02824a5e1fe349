//! Secret values, which are never shown.

use std::fmt;
use std::sync::Arc;

/// The replacement for a secret in output.
const HIDDEN: &str = "***";

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

    /// Removes the secret from a text of another party. A backend may echo an invalid key.
    pub(super) fn hide(&self, text: String) -> String {
        // Shorter values are ids rather than secrets, and occur in ordinary text.
        if self.0.len() >= 8 && text.contains(&*self.0) {
            text.replace(&*self.0, HIDDEN)
        } else {
            text
        }
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
