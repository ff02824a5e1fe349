//! Redacts one value, and then truncates it.

use opentelemetry::{Array, StringValue, Value};

use super::json::Rewritten;
use super::{ProcessingCounts, Redaction, SpanProcessing, json};

/// The maximum nesting of JSON text in JSON text. The arguments of a tool call inside a
/// message are one level. More than a few levels are probably crafted input.
pub(super) const MAX_NESTED: usize = 4;

impl SpanProcessing {
    /// Redacts and truncates a value in place. `hides` is the verdict on its key.
    pub(super) fn value(
        &self,
        key: &str,
        hides: bool,
        value: &mut Value,
        done: &mut ProcessingCounts,
    ) {
        if hides {
            self.hide(value, done)
        } else {
            self.redact(key, value, done)
        }
        self.cut(value, done);
    }

    fn hide(&self, value: &mut Value, done: &mut ProcessingCounts) {
        let hidden = |text: &StringValue| self.redaction.hidden(text.as_str()).into();
        match value {
            Value::Bool(_) | Value::Array(Array::Bool(_)) => return,
            Value::String(text) => *text = hidden(text),
            Value::Array(Array::String(texts)) => {
                texts.iter_mut().for_each(|text| *text = hidden(text));
            }
            _ => *value = Value::String(self.redaction.hidden("").into()),
        }
        done.redacted += 1;
    }

    fn redact(&self, key: &str, value: &mut Value, done: &mut ProcessingCounts) {
        let mut redact = |text: &mut StringValue| {
            if let Some(other) = self.redacted(key, text.as_str(), done) {
                *text = other.into();
            }
        };
        match value {
            Value::String(text) => redact(text),
            Value::Array(Array::String(texts)) => {
                texts.iter_mut().for_each(redact);
                self.hide_arguments(texts, done);
            }
            _ => {}
        }
    }

    /// Hides the arguments of a command line after an option such as `--password`.
    fn hide_arguments(&self, texts: &mut [StringValue], done: &mut ProcessingCounts) {
        for at in 1..texts.len() {
            let (before, this) = (texts[at - 1].as_str(), texts[at].as_str());
            let is_value = before.starts_with('-') && !this.starts_with('-');
            if is_value && !before.contains('=') && self.redaction.hides(before) {
                texts[at] = self.redaction.hidden(this).into();
                done.redacted += 1;
            }
        }
    }

    /// Returns a text of a span without secrets, or `None` if it has none.
    pub(super) fn redacted(
        &self,
        key: &str,
        text: &str,
        done: &mut ProcessingCounts,
    ) -> Option<String> {
        let nested = Nested {
            redaction: &self.redaction,
            depth: self.limits.depth,
            left: MAX_NESTED,
        };
        nested.redacted(key, text, done)
    }

    fn cut(&self, value: &mut Value, done: &mut ProcessingCounts) {
        let mut cut = |text: &mut StringValue| {
            if let Some(other) = self.limits.cut_text(text.as_str()) {
                *text = other.into();
                done.cut += 1;
            }
        };
        match value {
            Value::String(text) => cut(text),
            Value::Array(array) => {
                let shorter = self.limits.cut_items(array);
                if let Array::String(texts) = array {
                    texts.iter_mut().for_each(cut);
                }
                done.cut += u64::from(shorter);
            }
            _ => {}
        }
    }
}

/// The rules for texts and for JSON inside texts.
#[derive(Clone, Copy)]
pub(super) struct Nested<'a> {
    pub(super) redaction: &'a Redaction,
    /// The maximum depth of JSON.
    pub(super) depth: usize,
    /// The remaining levels of JSON text in JSON text.
    pub(super) left: usize,
}

impl Nested<'_> {
    pub(super) fn redacted(
        &self,
        key: &str,
        text: &str,
        done: &mut ProcessingCounts,
    ) -> Option<String> {
        let redaction = self.redaction;
        if redaction.excepts(key) {
            return None;
        }
        if let Some(custom) = redaction.custom_text(key, text) {
            done.redacted += 1;
            return Some(custom);
        }
        if self.left > 0 && json::looks_like_json(text) {
            let inside = Nested {
                left: self.left - 1,
                ..*self
            };
            match json::rewrite(text, key, self.depth, &inside, done) {
                Rewritten::Changed(text) => return Some(text),
                Rewritten::Unchanged => return None,
                Rewritten::Invalid => {}
            }
        }
        redaction.without_secrets(text, done)
    }
}

impl json::Rules for Nested<'_> {
    fn hides(&self, key: &str) -> bool {
        self.redaction.hides(key)
    }

    fn hidden(&self, text: &str) -> String {
        self.redaction.hidden(text)
    }

    fn text(&self, key: &str, text: &str, done: &mut ProcessingCounts) -> Option<String> {
        self.redacted(key, text, done)
    }

    fn key(&self, key: &str, done: &mut ProcessingCounts) -> Option<String> {
        self.redaction.without_secrets(key, done)
    }
}
