//! Redacts and truncates one attribute value.

use opentelemetry::{Array, StringValue, Value};

use super::{ProcessingCounts, SpanProcessing, json};

/// The maximum nesting of JSON text in JSON text. The arguments of a tool call inside a
/// message are one level. More than a few levels are probably crafted input.
const MAX_NESTED: usize = 4;

impl SpanProcessing {
    /// Redacts and truncates a value in place.
    pub(super) fn value(&self, key: &str, value: &mut Value, done: &mut ProcessingCounts) {
        if self.redaction.hides(key) {
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
        let redact = |text: &mut StringValue| {
            let nested = Nested {
                processing: self,
                left: MAX_NESTED,
            };
            if let Some(other) = nested.redacted(key, text.as_str(), done) {
                *text = other.into();
            }
        };
        match value {
            Value::String(text) => std::iter::once(text).for_each(redact),
            Value::Array(Array::String(texts)) => texts.iter_mut().for_each(redact),
            _ => {}
        }
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
struct Nested<'a> {
    processing: &'a SpanProcessing,
    /// The remaining levels of JSON text in JSON text.
    left: usize,
}

impl Nested<'_> {
    fn redacted(&self, key: &str, text: &str, done: &mut ProcessingCounts) -> Option<String> {
        let redaction = &self.processing.redaction;
        if redaction.excepts(key) {
            return None;
        }
        if let Some(custom) = redaction.custom_text(key, text) {
            done.redacted += 1;
            return Some(custom);
        }
        if self.left > 0 && json::looks_like_json(text) {
            let depth = self.processing.limits.depth;
            let inside = Nested {
                left: self.left - 1,
                ..*self
            };
            if let Some(rewritten) = json::rewrite(text, key, depth, &inside, done) {
                return Some(rewritten);
            }
        }
        redaction.without_secrets(text, done)
    }
}

impl json::Rules for Nested<'_> {
    fn hides(&self, key: &str) -> bool {
        self.processing.redaction.hides(key)
    }

    fn hidden(&self, text: &str) -> String {
        self.processing.redaction.hidden(text)
    }

    fn text(&self, key: &str, text: &str, done: &mut ProcessingCounts) -> Option<String> {
        self.redacted(key, text, done)
    }
}
