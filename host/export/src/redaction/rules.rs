//! Redaction of sensitive values.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::keys::{self, Words};
use super::{ProcessingCounts, texts};

/// Settings for replacing sensitive values before a span leaves the process.
///
/// By default, it replaces the values of keys that usually hold secrets, and secrets that
/// can be recognized by their shape (`Bearer …`, `sk-…`) anywhere in a text.
///
/// # Examples
/// ```
/// use spanmux::redaction::{Mask, Redaction};
///
/// let redaction = Redaction::default()
///     .keys(["ssn", "card_number"])
///     .except(["session.id"])
///     .mask(Mask::Partial);
/// # let _ = redaction;
/// ```
///
/// Redaction applies to the attributes of a span, its events and its links, including
/// values inside JSON text and JSON text nested in JSON text. In the name of the span and
/// the description of its status, it replaces only secrets that are recognized by their
/// shape. Booleans and nulls are never secrets and remain unchanged.
///
/// Invalid JSON is treated as plain text, so the keys in it are ignored.
///
/// # Cost
/// Each key and each text is scanned once, on the thread of the exporter. Unchanged values
/// allocate nothing, except for JSON texts with escapes. JSON text that changes is scanned
/// twice.
#[derive(Clone)]
#[must_use = "a redaction does nothing until a tracer has it"]
pub struct Redaction {
    by_default: bool,
    in_texts: bool,
    keys: Vec<Words>,
    except: Vec<String>,
    mask: Mask,
    custom: Option<Arc<CustomRedaction>>,
}

/// Takes a key and a text. Returns the replacement, or `None` to leave the text unchanged.
type CustomRedaction = dyn Fn(&str, &str) -> Option<String> + Send + Sync;

/// The replacement for a sensitive value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mask {
    /// `[REDACTED]`.
    #[default]
    Full,
    /// The first and the last three characters of a text with at least 16 characters, which
    /// distinguishes keys: `sk-…f3Q`. `[REDACTED]` for shorter texts.
    Partial,
    /// A custom text.
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
    /// Creates a redaction without default rules.
    pub fn none() -> Self {
        Self {
            by_default: false,
            in_texts: false,
            ..Self::default()
        }
    }

    /// Also redacts the values of these keys, at any level. Keys are compared word by word:
    /// `card_number` matches `cardNumber`, `user.card-number` and `CARD_NUMBER_2`.
    pub fn keys(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let words = |key: String| Words::new(&key);
        self.keys
            .extend(keys.into_iter().map(Into::into).filter_map(words));
        self
    }

    /// Excludes these keys from all other rules. The whole key must match exactly.
    pub fn except(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.except.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Enables or disables replacing secrets inside texts that are recognized by their
    /// shape. Enabled by default.
    pub fn in_texts(mut self, in_texts: bool) -> Self {
        self.in_texts = in_texts;
        self
    }

    /// Sets the replacement for sensitive values.
    pub fn mask(mut self, mask: Mask) -> Self {
        self.mask = mask;
        self
    }

    /// Calls a function for each text, with its key. The function returns the replacement,
    /// or `None` to leave the text unchanged. If it panics, the mask replaces the text, so
    /// that a bug does not reveal a secret.
    pub fn custom(
        mut self,
        replace: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.custom = Some(Arc::new(replace));
        self
    }

    /// Returns `true` if the value of this key is redacted.
    pub(super) fn hides(&self, key: &str) -> bool {
        let named = || self.keys.iter().any(|words| words.are_in(key));
        ((self.by_default && keys::is_sensitive(key)) || named()) && !self.excepts(key)
    }

    pub(super) fn excepts(&self, key: &str) -> bool {
        self.except.iter().any(|except| except == key)
    }

    /// Returns the replacement for a text.
    pub(super) fn hidden(&self, text: &str) -> String {
        match &self.mask {
            Mask::Partial => partly(text).unwrap_or_else(|| REDACTED.to_owned()),
            Mask::Full => REDACTED.to_owned(),
            Mask::Text(text) => text.clone(),
        }
    }

    /// Returns the replacement from the custom function.
    pub(super) fn custom_text(&self, key: &str, text: &str) -> Option<String> {
        let custom = self.custom.as_ref()?;
        let replaced = catch_unwind(AssertUnwindSafe(|| custom(key, text)));
        replaced.unwrap_or_else(|_| Some(self.hidden(text)))
    }

    /// Replaces the secrets in a text that are recognized by their shape. Returns `None` if
    /// there are none.
    pub(super) fn without_secrets(
        &self,
        text: &str,
        done: &mut ProcessingCounts,
    ) -> Option<String> {
        if !self.in_texts {
            return None;
        }
        let mut written: Option<String> = None;
        let mut from = 0;
        for secret in texts::secrets(text) {
            let out = written.get_or_insert_default();
            out.push_str(&text[from..secret.start]);
            out.push_str(&self.hidden(&text[secret.start..secret.end]));
            from = secret.end;
            done.redacted += 1;
        }
        let mut written = written?;
        written.push_str(&text[from..]);
        Some(written)
    }
}

const REDACTED: &str = "[REDACTED]";

/// The minimum length of a text that is partially shown.
const MIN_PARTLY: usize = 16;

fn partly(text: &str) -> Option<String> {
    text.char_indices().nth(MIN_PARTLY - 1)?;
    let (head, _) = text.char_indices().nth(3)?;
    let (tail, _) = text.char_indices().nth_back(2)?;
    Some(format!("{}…{}", &text[..head], &text[tail..]))
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
