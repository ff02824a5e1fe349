//! Rewrites JSON text member by member.
//!
//! The first pass reads the text without writing. Only if something must change, a second
//! pass writes the result. Members keep their order.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::ProcessingCounts;

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
}

/// Rewrites a text by the rules. Returns `None` if it is not valid JSON or does not change.
/// Arrays and objects deeper than `depth` are cut.
pub(super) fn rewrite(
    text: &str,
    key: &str,
    depth: usize,
    rules: &dyn Rules,
    done: &mut ProcessingCounts,
) -> Option<String> {
    let mut walk = Walk {
        rules,
        depth: depth.min(MAX_DEPTH),
        out: None,
        done: ProcessingCounts::default(),
    };
    walk.text(text, key)?;
    if walk.done == ProcessingCounts::default() {
        return None;
    }
    walk.done = ProcessingCounts::default();
    walk.out = Some(String::with_capacity(text.len()));
    walk.text(text, key)?;
    *done += walk.done;
    walk.out
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
    done: ProcessingCounts,
}

impl Walk<'_> {
    fn text(&mut self, text: &str, key: &str) -> Option<()> {
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
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
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
        self.walk.done.redacted += 1;
        let hidden = self.walk.rules.hidden(text);
        self.walk.write_text(&hidden);
    }

    fn cut(self) {
        self.walk.done.cut += 1;
        self.walk.write_text(TOO_DEEP);
    }

    fn is_too_deep(&self) -> bool {
        self.level >= self.walk.depth
    }
}

impl<'de> Visitor<'de> for Step<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.walk.write("null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.plain(value, false);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.plain(value, true);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.plain(value, true);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.plain(serde_json::Value::from(value), true);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if self.hidden {
            self.hide(text);
            return Ok(());
        }
        let walk = self.walk;
        match walk.rules.text(self.key, text, &mut walk.done) {
            Some(other) => walk.write_text(&other),
            None => walk.write_text(text),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if self.is_too_deep() {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            self.cut();
            return Ok(());
        }
        let Self {
            walk,
            key,
            hidden,
            level,
        } = self;
        walk.write("[");
        for place in 0.. {
            // Written before it is known whether there is another item, and removed if
            // there is none.
            let before = walk.out.as_ref().map(String::len);
            walk.write(if place == 0 { "" } else { "," });
            let step = Step {
                walk,
                key,
                hidden,
                level: level + 1,
            };
            if items.next_element_seed(step)?.is_none() {
                if let (Some(out), Some(before)) = (&mut walk.out, before) {
                    out.truncate(before);
                }
                break;
            }
        }
        walk.write("]");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if self.is_too_deep() {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            self.cut();
            return Ok(());
        }
        let Self {
            walk,
            hidden,
            level,
            ..
        } = self;
        let mut comma = "{";
        while let Some(Key(key)) = members.next_key()? {
            if key == NUMBER {
                let number: String = members.next_value()?;
                walk.write_plain(number);
                return Ok(());
            }
            walk.write(comma);
            comma = ",";
            walk.write_text(&key);
            walk.write(":");
            let hidden = hidden || walk.rules.hides(&key);
            members.next_value_seed(Step {
                walk,
                key: &key,
                hidden,
                level: level + 1,
            })?;
        }
        walk.write(if comma == "{" { "{}" } else { "}" });
        Ok(())
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
mod tests {
    use super::*;

    /// Hides `secret` and replaces `b` with `a`.
    struct Simple;

    impl Rules for Simple {
        fn hides(&self, key: &str) -> bool {
            key == "secret"
        }

        fn hidden(&self, _text: &str) -> String {
            "*".to_owned()
        }

        fn text(&self, _key: &str, text: &str, done: &mut ProcessingCounts) -> Option<String> {
            let is = text == "b";
            done.redacted += u64::from(is);
            is.then(|| "a".to_owned())
        }
    }

    #[test]
    fn rewrite_changes_only_matching_values() {
        for (text, depth, expected) in [
            (
                r#"{"z":1,"secret":"x","a":null}"#,
                9,
                r#"{"z":1,"secret":"*","a":null}"#,
            ),
            (
                r#" [ "b" , 2.50, -7, true, "b" ] "#,
                9,
                r#"["a",2.5,-7,true,"a"]"#,
            ),
            (
                r#"{"secret":{"n":1,"t":["x",null,false]}}"#,
                9,
                r#"{"secret":{"n":"*","t":["*",null,false]}}"#,
            ),
            (
                r#"{"a":{},"b":[],"c":"b"}"#,
                9,
                r#"{"a":{},"b":[],"c":"a"}"#,
            ),
            (
                r#"{"\u0073ecret":"x\ny","k\n":"q\"é"}"#,
                9,
                r#"{"secret":"*","k\n":"q\"é"}"#,
            ),
            (
                r#"{"a":{"b":{"c":1}},"d":[[2]]}"#,
                2,
                r#"{"a":{"b":"…"},"d":["…"]}"#,
            ),
            (
                r#"{"big":18446744073709551615,"secret":1e300}"#,
                9,
                r#"{"big":18446744073709551615,"secret":"*"}"#,
            ),
        ] {
            let mut done = ProcessingCounts::default();
            let written = rewrite(text, "key", depth, &Simple, &mut done);
            assert_eq!(written.as_deref(), Some(expected), "{text}");
            assert!(done.redacted + done.cut > 0);
        }
    }

    #[test]
    fn rewrite_returns_none_without_changes() {
        for text in [
            r#"{"a":[1,{"b":"c"}]}"#,
            "[]",
            "{}",
            "[1,",
            "{]",
            "{} x",
            "no",
            "",
        ] {
            let mut done = ProcessingCounts::default();
            assert_eq!(rewrite(text, "key", 9, &Simple, &mut done), None, "{text}");
            assert_eq!(done, ProcessingCounts::default());
        }
    }

    #[test]
    fn arbitrary_precision_number_is_preserved() {
        let member = [(NUMBER, "1.00000000000000000001")];
        let mut walk = Walk {
            rules: &Simple,
            depth: 9,
            out: Some(String::new()),
            done: ProcessingCounts::default(),
        };
        let step = Step {
            walk: &mut walk,
            key: "key",
            hidden: false,
            level: 0,
        };
        let number = serde::de::value::MapDeserializer::new(member.into_iter());
        let read: Result<(), serde::de::value::Error> = step.deserialize(number);
        assert_eq!(read, Ok(()));
        assert_eq!(walk.out.as_deref(), Some(member[0].1));
    }

    #[test]
    fn deep_nesting_is_cut() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let mut done = ProcessingCounts::default();
        let written = rewrite(&deep, "key", usize::MAX, &Simple, &mut done).unwrap();
        assert_eq!(written.matches('[').count(), MAX_DEPTH);
        assert_eq!(done.cut, 1);
    }
}
