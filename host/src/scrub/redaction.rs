//! Taking sensitive values out.

use std::fmt;
use std::sync::Arc;

use opentelemetry_sdk::trace::SpanData;

/// Which values are replaced before a span leaves the process.
///
/// By default the values of keys that usually hold secrets, and secrets that are
/// told by their shape (`Bearer …`, `sk-…`) wherever they stand.
///
/// # Examples
/// ```
/// use spanway::scrub::{Mask, Redaction};
///
/// let redaction = Redaction::default()
///     .keys(["ssn", "card_number"])
///     .except(["session.id"])
///     .mask(Mask::Partial);
/// # let _ = redaction;
/// ```
#[derive(Clone)]
#[must_use = "a redaction does nothing until a tracer has it"]
pub struct Redaction {
    by_default: bool,
    in_texts: bool,
    keys: Vec<String>,
    except: Vec<String>,
    mask: Mask,
    custom: Option<Arc<CustomRedaction>>,
}

/// Given a key and a text; what to write in its place, or none to leave it.
type CustomRedaction = dyn Fn(&str, &str) -> Option<String> + Send + Sync;

/// What stands in the place of a sensitive value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mask {
    /// `[REDACTED]`.
    #[default]
    Full,
    /// The first and the last three characters of a text of 16 or more, so that a
    /// person can tell one key from another: `sk-…f3Q`. `[REDACTED]` otherwise.
    Partial,
    /// A text of your own.
    Text(String),
}

impl Default for Redaction {
    fn default() -> Self {
        Self {
            by_default: true,
            in_texts: true,
            keys: Vec::new(),
            except: Vec::new(),
            mask: Mask::Full,
            custom: None,
        }
    }
}

impl Redaction {
    /// Redacts nothing but what is added.
    pub fn none() -> Self {
        Self {
            by_default: false,
            in_texts: false,
            ..Self::default()
        }
    }

    /// Redacts the values of these keys too, wherever they stand. Compared word by
    /// word: `card_number` matches `cardNumber`, `user.card-number` and
    /// `CARD_NUMBER_2`.
    pub fn keys(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.keys.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Leaves the values of these keys as they are, whatever else is said. The whole
    /// key must be the same.
    pub fn except(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.except.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Whether secrets that are told by their shape are replaced inside of texts.
    /// They are by default.
    pub fn in_texts(mut self, in_texts: bool) -> Self {
        self.in_texts = in_texts;
        self
    }

    /// What stands in the place of a sensitive value.
    pub fn mask(mut self, mask: Mask) -> Self {
        self.mask = mask;
        self
    }

    /// Asks a function of your own about each text, with its key: it says what to
    /// write in its place, or nothing to leave it. If it panics, the text is
    /// replaced by the mask: what was to be hidden must not get out by a fault.
    pub fn custom(
        mut self,
        replace: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.custom = Some(Arc::new(replace));
        self
    }

    pub(crate) fn redact(&self, _span: &mut SpanData) {}
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction")
            .field("by_default", &self.by_default)
            .field("in_texts", &self.in_texts)
            .field("keys", &self.keys)
            .field("except", &self.except)
            .field("mask", &self.mask)
            .field("custom", &self.custom.is_some())
            .finish()
    }
}
