//! The positions of the keys of a file, and the values that came from outside of the file.

use super::check::{Places, Taken};
use super::document::Source;
use super::problem::Problem;

/// The shortest value that is hidden outside of quotes. A shorter one could be a part of any word.
const SHORT: usize = 3;

/// A file with the positions of its keys.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) source: Source,
    pub(super) places: Places,
    pub(super) taken: Taken,
}

impl Located {
    /// Creates a problem at a key of the file. Values from the environment or from files appear as
    /// they are written in the file.
    pub(super) fn problem(&self, key: &str, message: impl Into<String>) -> Problem {
        let at = self.places.get(key).copied().unwrap_or_default();
        self.source.problem(at, key, self.hide(message.into()))
    }

    /// Returns the value at a key as written, if it came from outside.
    pub(super) fn taken(&self, key: &str) -> Option<&str> {
        self.taken.get(key).map(|taken| taken.written.as_str())
    }

    /// Returns `true` if a text contains a part of the value at a key.
    pub(super) fn shows(&self, key: &str, text: &str) -> bool {
        let value = self.taken.get(key).map_or("", |taken| &taken.value);
        let parts = value.split(|c: char| !c.is_alphanumeric());
        let mut parts = parts.filter(|part| !matches!(*part, "" | "http" | "https"));
        parts.any(|part| text.contains(part))
    }

    fn hide(&self, mut message: String) -> String {
        for taken in self.taken.values() {
            let quoted = format!("{:?}", taken.value);
            message = message.replace(&quoted, &format!("{:?}", taken.written));
            if taken.value.len() >= SHORT {
                message = message.replace(&taken.value, &taken.written);
            }
        }
        message
    }
}
