//! Rewrites JSON text member by member.
//!
//! The first pass reads the text and keeps the replacements. Only if there are any, a second
//! pass writes the result, so that each text inside is examined once. Members keep their
//! order.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::{self, Write as _};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::{ProcessingCounts, pairs, steps};

/// The maximum depth of JSON, regardless of the configured limit, because the parser
/// recurses on the stack.
const MAX_DEPTH: usize = 100;

/// The replacement for values below the maximum depth.
const TOO_DEEP: &str = "…";

/// The member name that represents a number if another crate enables `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// The rules for rewriting.
pub(super) trait Rules {
    /// Returns `true` if the value of this key is hidden, including all nested values.
    fn hides(&self, key: &str) -> bool;

    /// Returns the replacement for a hidden text.
    fn hidden(&self, text: &str) -> String;

    /// Returns the replacement for a text under this key, or `None` to leave it unchanged.
    /// Updates the counts.
    fn text(&self, key: &str, text: &str, done: &mut ProcessingCounts) -> Option<String>;

    /// Returns the replacement for a key that is a secret itself.
    fn key(&self, key: &str, done: &mut ProcessingCounts) -> Option<String>;
}

/// The result of rewriting a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rewritten {
    /// The text is not valid JSON.
    Invalid,
    /// Nothing must change.
    Unchanged,
    /// The new text.
    Changed(String),
}

/// Rewrites a text by the rules. Arrays and objects deeper than `depth` are cut. The counts
/// are updated only if the text changes.
pub(super) fn rewrite(
    text: &str,
    key: &str,
    depth: usize,
    rules: &dyn Rules,
    done: &mut ProcessingCounts,
) -> Rewritten {
    let mut walk = Walk {
        rules,
        depth: depth.min(MAX_DEPTH),
        out: None,
        place: 0,
        replaced: VecDeque::new(),
        done: ProcessingCounts::default(),
    };
    if walk.text(text, key).is_none() {
        return Rewritten::Invalid;
    }
    if walk.done == ProcessingCounts::default() {
        return Rewritten::Unchanged;
    }
    walk.place = 0;
    walk.out = Some(String::with_capacity(text.len()));
    let written = walk.text(text, key);
    match walk.out.filter(|_| written.is_some()) {
        Some(out) => {
            *done += walk.done;
            Rewritten::Changed(out)
        }
        None => Rewritten::Invalid,
    }
}

/// Returns `true` if the text may be JSON.
pub(super) fn looks_like_json(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'))
}

struct Walk<'a> {
    rules: &'a dyn Rules,
    depth: usize,
    /// `None` during the first pass.
    out: Option<String>,
    /// The number of keys and texts that this pass has visited.
    place: usize,
    /// The replacements of the first pass, with their places.
    replaced: VecDeque<(usize, String)>,
    done: ProcessingCounts,
}

impl Walk<'_> {
    fn text(&mut self, text: &str, key: &str) -> Option<()> {
        steps::count(text.len());
        let mut parser = serde_json::Deserializer::from_str(text);
        let step = Step {
            walk: self,
            key,
            hidden: false,
            level: 0,
        };
        step.deserialize(&mut parser).ok()?;
        parser.end().ok()
    }

    fn write(&mut self, text: &str) {
        if let Some(out) = &mut self.out {
            out.push_str(text);
        }
    }

    fn write_text(&mut self, text: &str) {
        if let Some(out) = &mut self.out {
            // A string is always valid JSON, and writing to a `String` cannot fail.
            out.push_str(&serde_json::Value::from(text).to_string());
        }
    }

    /// Writes a key or a text, or its replacement, which `replace` returns.
    fn write_replaced(
        &mut self,
        text: &str,
        replace: impl FnOnce(&dyn Rules, &mut ProcessingCounts) -> Option<String>,
    ) {
        let place = self.place;
        self.place += 1;
        if self.out.is_none() {
            if let Some(other) = replace(self.rules, &mut self.done) {
                self.replaced.push_back((place, other));
            }
        } else if self.replaced.front().is_some_and(|(of, _)| *of == place)
            && let Some((_, other)) = self.replaced.pop_front()
        {
            self.write_text(&other);
        } else {
            self.write_text(text);
        }
    }

    fn write_plain(&mut self, value: impl fmt::Display) {
        if let Some(out) = &mut self.out {
            let _ = write!(out, "{value}");
        }
    }
}

/// One value, under a key or in an array under a key.
struct Step<'w, 'a, 'k> {
    walk: &'w mut Walk<'a>,
    key: &'k str,
    /// Replaces the value and all nested values.
    hidden: bool,
    level: usize,
}

impl<'de> DeserializeSeed<'de> for Step<'_, '_, '_> {
    /// `true` for a text that is the name of a hidden field, or such an option of a command.
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<bool, D::Error> {
        parser.deserialize_any(self)
    }
}

impl Step<'_, '_, '_> {
    /// Writes a number or a boolean, which is replaced only if it can be a secret.
    fn plain(self, value: impl fmt::Display, may_be_secret: bool) {
        if self.hidden && may_be_secret {
            self.hide("")
        } else {
            self.walk.write_plain(value)
        }
    }

    fn hide(self, text: &str) {
        self.walk.write_replaced(text, |rules, done| {
            done.redacted += 1;
            Some(rules.hidden(text))
        });
    }

    fn cut(self) {
        self.walk.write_replaced("", |_, done| {
            done.cut += 1;
            Some(TOO_DEEP.to_owned())
        });
    }

    fn is_too_deep(&self) -> bool {
        self.level >= self.walk.depth
    }
}

impl<'de> Visitor<'de> for Step<'_, '_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        self.walk.write("null");
        Ok(false)
    }

    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        self.plain(value, false);
        Ok(false)
    }

    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        self.plain(value, true);
        Ok(false)
    }

    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        self.plain(value, true);
        Ok(false)
    }

    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        self.plain(serde_json::Value::from(value), true);
        Ok(false)
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        if self.hidden {
            self.hide(text);
            return Ok(false);
        }
        let Self { walk, key, .. } = self;
        walk.write_replaced(text, |rules, done| rules.text(key, text, done));
        let names_a_field = pairs::is_name(key) || text.starts_with("--");
        Ok(names_a_field && walk.rules.hides(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        if self.is_too_deep() {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            self.cut();
            return Ok(false);
        }
        let Self {
            walk,
            key,
            hidden,
            level,
        } = self;
        walk.write("[");
        // `["--password", "x"]`: the arguments of a command.
        let mut follows_option = false;
        for place in 0.. {
            // Written before it is known whether there is another item, and removed if
            // there is none.
            let before = walk.out.as_ref().map(String::len);
            walk.write(if place == 0 { "" } else { "," });
            let step = Step {
                walk,
                key,
                hidden: hidden || follows_option,
                level: level + 1,
            };
            let item = items.next_element_seed(step)?;
            follows_option = item.unwrap_or_default();
            if item.is_none() {
                if let (Some(out), Some(before)) = (&mut walk.out, before) {
                    out.truncate(before);
                }
                break;
            }
        }
        walk.write("]");
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        if self.is_too_deep() {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            self.cut();
            return Ok(false);
        }
        let Self {
            walk,
            hidden,
            level,
            ..
        } = self;
        let mut comma = "{";
        let mut is_named = false;
        while let Some(Key(key)) = members.next_key()? {
            if key == NUMBER {
                let text: String = members.next_value()?;
                let step = Step {
                    walk,
                    key: &key,
                    hidden,
                    level,
                };
                // A text can also contain this name.
                if text.bytes().all(|byte| b"+-.0123456789eE".contains(&byte)) {
                    step.plain(text, true);
                    return Ok(false);
                }
                return Err(serde::de::Error::custom("expected a number"));
            }
            walk.write(comma);
            comma = ",";
            walk.write_replaced(&key, |rules, done| rules.key(&key, done));
            walk.write(":");
            let hidden = hidden || walk.rules.hides(&key) || (is_named && pairs::is_value(&key));
            let names_a_field = members.next_value_seed(Step {
                walk,
                key: &key,
                hidden,
                level: level + 1,
            })?;
            is_named |= names_a_field && pairs::is_name(&key);
        }
        walk.write(if comma == "{" { "{}" } else { "}" });
        Ok(false)
    }
}

/// A key, borrowed from the text unless it contains escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

#[cfg(test)]
mod tests;
