//! Redaction of sensitive values.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::keys::{self, Words};
use super::value::{MAX_NESTED, Nested};
use super::{ProcessingCounts, percent, texts};

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
/// Redaction applies to every text that leaves the process: the attributes of a span, its
/// events, its links, its instrumentation scope and its resource, the names of the span and
/// its events (which are log messages if they come from the `tracing` layer), and the
/// description of its status. It includes values inside JSON text and JSON text nested in
/// JSON text. Booleans and nulls are never secrets and remain unchanged.
///
/// A text that is not JSON is searched for named fields in any notation: JSON that was cut
/// off, JSON lines, server-sent events, the repr of Python, form bodies, URLs, headers,
/// options of a command line. If it is unclear where a value ends, too much is redacted.
///
/// Values are redacted before they are [truncated](super::AttributeLimits), so that no part
/// of a secret remains at the end of a truncated text.
///
/// # Cost
/// Each key and each text is read once, on the thread of the exporter, in linear time for
/// every input. Unchanged values allocate nothing, except for JSON texts with escapes. JSON
/// text that changes is read twice.
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

    /// Excludes these keys from all other rules. The whole key must match exactly. The value is also
    /// excluded under the name to which a [dialect](crate::exporters::Dialect) translates its key.
    pub fn except(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.except.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Enables or disables replacing secrets inside texts that are recognized by their
    /// shape, or by a name in front of them without quotes. Enabled by default.
    pub fn in_texts(mut self, in_texts: bool) -> Self {
        self.in_texts = in_texts;
        self
    }

    /// Sets the replacement for sensitive values.
    pub fn mask(mut self, mask: Mask) -> Self {
        self.mask = mask;
        self
    }

    /// Calls a function for each text, with its key (`span.name`, `event.name`,
    /// `status.description`, `scope.name`, `scope.version` and `scope.schema_url` for texts
    /// that are not attributes). The function returns the replacement, or `None` to leave
    /// the text unchanged. If it panics, the mask replaces the text, so
    /// that a bug does not reveal a secret.
    pub fn custom(
        mut self,
        replace: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.custom = Some(Arc::new(replace));
        self
    }

    /// Returns a text as an exporter would receive it as the value of an attribute, before
    /// it is truncated. Intended for testing a configuration.
    ///
    /// # Examples
    /// ```
    /// use spanmux::redaction::Redaction;
    ///
    /// let redaction = Redaction::default();
    /// assert_eq!(redaction.redact("http.request.body", "user=x&password=y"),
    ///     "user=x&password=[REDACTED]");
    /// assert_eq!(redaction.redact("db_password", "y"), "[REDACTED]");
    /// ```
    pub fn redact<'a>(&self, key: &str, text: &'a str) -> Cow<'a, str> {
        if self.hides(key) {
            return Cow::Owned(self.hidden(text));
        }
        let nested = Nested {
            redaction: self,
            depth: usize::MAX,
            left: MAX_NESTED,
        };
        let redacted = nested.redacted(key, text, &mut ProcessingCounts::default());
        redacted.map_or(Cow::Borrowed(text), Cow::Owned)
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

    /// Replaces the secrets in a text that is not JSON. Returns `None` if there are none.
    pub(super) fn without_secrets(
        &self,
        text: &str,
        done: &mut ProcessingCounts,
    ) -> Option<String> {
        if !self.in_texts && !self.by_default && self.keys.is_empty() {
            return None;
        }
        let Some(decoded) = percent::decode(text) else {
            return self.without(text, texts::secrets(text, self), done);
        };
        let encoded = texts::secrets(&decoded.text, self);
        let encoded = encoded.map(|secret| decoded.original(secret));
        let mut secrets: Vec<_> = texts::secrets(text, self).chain(encoded).collect();
        secrets.sort_unstable_by_key(|secret| secret.start);
        secrets.dedup_by(|next, before| {
            let overlaps = next.start < before.end;
            if overlaps {
                before.end = before.end.max(next.end);
            }
            overlaps
        });
        self.without(text, secrets.into_iter(), done)
    }

    /// Replaces these parts of a text.
    fn without(
        &self,
        text: &str,
        secrets: impl Iterator<Item = Range<usize>>,
        done: &mut ProcessingCounts,
    ) -> Option<String> {
        let mut written: Option<String> = None;
        let mut from = 0;
        for secret in secrets {
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

impl texts::Names for Redaction {
    fn hides(&self, name: &str) -> bool {
        self.hides(name)
    }

    fn hides_parameter(&self, name: &str) -> bool {
        self.by_default && keys::is_signature(name) && !self.excepts(name)
    }

    fn in_texts(&self) -> bool {
        self.in_texts
    }
}

const REDACTED: &str = "[REDACTED]";

/// The minimum length of a text that is partially shown.
const MIN_PARTLY: usize = 16;

/// The length of a text that is partially shown.
const MASKED: usize = 7;

fn partly(text: &str) -> Option<String> {
    // A text that is masked already stays, because spans are redacted again when they are translated.
    if text.chars().count() == MASKED && text.chars().nth(3) == Some('…') {
        return Some(text.to_owned());
    }
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
