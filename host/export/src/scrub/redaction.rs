//! Taking sensitive values out.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::keys::{self, Words};
use super::{Scrubbed, texts};

/// Which values are replaced before a span leaves the process.
///
/// By default the values of keys that usually hold secrets, and secrets that are
/// told by their shape (`Bearer …`, `sk-…`) wherever they stand.
///
/// # Examples
/// ```
/// use spanmux::scrub::{Mask, Redaction};
///
/// let redaction = Redaction::default()
///     .keys(["ssn", "card_number"])
///     .except(["session.id"])
///     .mask(Mask::Partial);
/// # let _ = redaction;
/// ```
///
/// It is applied to the attributes of a span, its events and its links; to what is
/// inside of JSON text, and of JSON text in JSON text; and, as far as secrets are told by
/// their shape, to the span's name and to the description of its status. Truths and
/// nulls stay: they are no secrets.
///
/// Text that only begins like JSON is no JSON, so its keys are not looked at.
///
/// # Cost
/// Each key and each text is gone through once, on the exporter's thread. For a value
/// that stays as it is nothing is allocated, except for texts with escapes in JSON;
/// JSON text that changes is gone through twice.
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
        let words = |key: String| Words::new(&key);
        self.keys
            .extend(keys.into_iter().map(Into::into).filter_map(words));
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

    /// Whether the value of this key is hidden.
    pub(super) fn hides(&self, key: &str) -> bool {
        let named = || self.keys.iter().any(|words| words.are_in(key));
        ((self.by_default && keys::is_sensitive(key)) || named()) && !self.excepts(key)
    }

    pub(super) fn excepts(&self, key: &str) -> bool {
        self.except.iter().any(|except| except == key)
    }

    /// What stands in the place of a text.
    pub(super) fn hidden(&self, text: &str) -> String {
        match &self.mask {
            Mask::Partial => partly(text).unwrap_or_else(|| REDACTED.to_owned()),
            Mask::Full => REDACTED.to_owned(),
            Mask::Text(text) => text.clone(),
        }
    }

    /// What a function of the user's wants in the place of a text.
    pub(super) fn custom_text(&self, key: &str, text: &str) -> Option<String> {
        let custom = self.custom.as_ref()?;
        let replaced = catch_unwind(AssertUnwindSafe(|| custom(key, text)));
        replaced.unwrap_or_else(|_| Some(self.hidden(text)))
    }

    /// The text without the secrets in it that are told by their shape; none if there
    /// is none.
    pub(super) fn without_secrets(&self, text: &str, done: &mut Scrubbed) -> Option<String> {
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

/// How long a text is at least of which a part may be seen.
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
