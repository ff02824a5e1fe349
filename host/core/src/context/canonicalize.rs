//! Converts application values to plain, bounded, canonical data. All errors of a context are
//! detected here.
//!
//! A JSON value keeps its whole canonical text, and its members are entries of their own, so that a
//! dotted path is looked up without parsing. The text of a member is a part of the outer text.

use std::fmt::Write as _;
use std::sync::Arc;

use super::arena::{Draft, Entries, Mark, Node, Sizes, Span, TOP};
use super::deserialize;
use super::limits::{ContextError, ContextLimits};
use super::value::{MAX_SAFE_INTEGER, Value};

/// Maximum size of a context in bytes, whatever its limits: positions in its text have four bytes,
/// and a text occurs at most three times in it.
const MAX_BYTES: usize = 1 << 30;

/// Builds [`Entries`] within limits.
#[derive(Default)]
pub(super) struct Canonicalizer {
    draft: Draft,
    base: Option<Arc<Entries>>,
    sizes: Sizes,
    error: Option<Box<ContextError>>,
    /// Texts with escaped characters, which follow the JSON text in which they occur.
    unquoted: Vec<Unquoted>,
}

/// A key or a text that differs from its part of the JSON text.
struct Unquoted {
    /// The position of its entry.
    entry: usize,
    is_key: bool,
    text: String,
}

/// The sizes of a canonicalizer before a value was added.
struct Before {
    mark: Mark,
    sizes: Sizes,
}

impl Canonicalizer {
    pub(super) fn new(mut limits: ContextLimits) -> Self {
        limits.bytes = limits.bytes.min(MAX_BYTES);
        Self {
            sizes: Sizes {
                limits,
                ..Sizes::default()
            },
            ..Self::default()
        }
    }

    /// Continues with existing entries within their limits.
    pub(super) fn after(entries: &Arc<Entries>) -> Self {
        let (draft, base) = entries.extend();
        Self {
            draft,
            base,
            sizes: entries.sizes(),
            error: entries.error().cloned().map(Box::new),
            unquoted: Vec::new(),
        }
    }

    /// Builds a complete context from the text of a JSON object.
    pub(super) fn object(text: &str, limits: ContextLimits) -> Result<Entries, ContextError> {
        let mut canonicalizer = Self::new(limits);
        check_text(text, None, limits)?;
        if text.trim_ascii_start().starts_with('{') {
            deserialize::object(text, &mut canonicalizer, |error| {
                not_json(error, None, limits)
            })?;
            return Ok(canonicalizer.finish());
        }
        let other = parse(text, None, limits)?;
        let found = article(&other);
        Err(ContextError::NotAnObject { found })
    }

    pub(super) fn error(&self) -> Option<&ContextError> {
        self.error.as_deref()
    }

    /// Returns the deepest nesting of a value that is accepted.
    pub(super) fn depth(&self) -> usize {
        self.sizes.limits.depth.min(PARSER_DEPTH)
    }

    pub(super) fn finish(self) -> Entries {
        Entries::new(self.draft, self.base, self.sizes, self.error)
    }

    /// Sets a value if it fits. Otherwise the entries keep the error and stay as they are.
    pub(super) fn value_if_fits(&mut self, key: &str, value: Value<'_>) {
        let before = self.before();
        let set = self.value(key, value);
        self.keep_error(set, before);
    }

    /// As [`value_if_fits`](Self::value_if_fits), for JSON.
    pub(super) fn json_if_fits(&mut self, key: &str, value: &serde_json::Value) {
        let before = self.before();
        let set = self.json(key, value);
        self.keep_error(set, before);
    }

    /// Marks the entries as incomplete for a reason of the caller's.
    pub(super) fn leave_out(&mut self, error: ContextError) {
        self.error.get_or_insert_with(|| Box::new(error));
    }

    fn before(&self) -> Before {
        Before {
            mark: self.draft.mark(),
            sizes: self.sizes,
        }
    }

    /// Removes the value if it does not fit.
    fn keep_error(&mut self, set: Result<(), ContextError>, before: Before) {
        if let Err(error) = set {
            self.draft.reset(before.mark);
            self.sizes = before.sizes;
            self.unquoted.clear();
            self.leave_out(error);
        }
    }

    fn value(&mut self, key: &str, value: Value<'_>) -> Result<(), ContextError> {
        let node = match value {
            Value::Null => Node::Null,
            Value::Boolean(boolean) => Node::Boolean(boolean),
            Value::Integer(integer) => self.integer(integer.into()),
            Value::Float(float) => Node::Float(canonical(float)),
            Value::Text(text) => {
                self.count(text.len())?;
                Node::Text(self.draft.push_text(text))
            }
            Value::Json(text) => {
                check_text(text, Some(key), self.sizes.limits)?;
                let value = parse(text, Some(key), self.sizes.limits)?;
                return self.json(key, &value);
            }
        };
        self.insert(key, node)
    }

    /// Sets a key to a text.
    pub(super) fn text(&mut self, key: &str, text: &str) -> Result<(), ContextError> {
        self.value(key, Value::Text(text))
    }

    /// Sets a key to a JSON value.
    pub(super) fn json(
        &mut self,
        key: &str,
        value: &serde_json::Value,
    ) -> Result<(), ContextError> {
        if let serde_json::Value::String(text) = value {
            return self.text(key, text);
        }
        let start = self.draft.text.len();
        let is_addressable = true;
        let node = self.node(key, value, 0, is_addressable)?;
        if !matches!(node, Node::Json(_) | Node::Object(..)) {
            self.draft.text.truncate(start);
        }
        for Unquoted {
            entry,
            is_key,
            text,
        } in std::mem::take(&mut self.unquoted)
        {
            let part = self.draft.push_text(&text);
            if is_key {
                self.draft.patch(entry, Some(part), None);
            } else {
                self.draft.patch(entry, None, Some(Node::Text(part)));
            }
        }
        self.insert(key, node)
    }

    /// Sets a key to a number, a boolean or null of a JSON document, which count with the size of
    /// their text.
    pub(super) fn scalar(&mut self, key: &str, value: Value<'_>) -> Result<(), ContextError> {
        let start = self.draft.text.len();
        let text = &mut self.draft.text;
        // Writing to a String cannot fail.
        let _ = match value {
            Value::Null => text.write_str("null"),
            Value::Boolean(boolean) => write!(text, "{boolean}"),
            Value::Float(float) => write!(text, "{float:?}"),
            Value::Integer(integer) => {
                // Integers are frequent, and their digits are counted faster than written.
                let digits = integer.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1;
                self.count(digits + usize::from(integer < 0))?;
                Ok(())
            }
            Value::Text(_) | Value::Json(_) => Ok(()),
        };
        let written = self.draft.text.len() - start;
        self.draft.text.truncate(start);
        self.count(written)?;
        self.value(key, value)
    }

    fn insert(&mut self, key: &str, node: Node) -> Result<(), ContextError> {
        self.count_key(key)?;
        let name = self.draft.push_text(key);
        self.draft.push(TOP, key, name, node);
        Ok(())
    }

    /// Converts `value` and appends its canonical text. The members of an object are entries if a
    /// path can name them: inside of an array, none can.
    fn node(
        &mut self,
        key: &str,
        value: &serde_json::Value,
        depth: usize,
        is_addressable: bool,
    ) -> Result<Node, ContextError> {
        let start = self.draft.text.len();
        let node = match value {
            serde_json::Value::Null => {
                self.draft.text.push_str("null");
                Node::Null
            }
            serde_json::Value::Bool(boolean) => {
                let text = if *boolean { "true" } else { "false" };
                self.draft.text.push_str(text);
                Node::Boolean(*boolean)
            }
            serde_json::Value::Number(number) => self.number(key, number)?,
            serde_json::Value::String(text) => Node::Text(self.quote(text)),
            serde_json::Value::Array(items) => {
                self.descend(depth)?;
                self.draft.text.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.draft.text.push(',');
                    }
                    self.node(key, item, depth + 1, false)?;
                }
                self.draft.text.push(']');
                Node::Json(self.draft.since(start))
            }
            serde_json::Value::Object(object) => {
                self.descend(depth)?;
                let number = if is_addressable {
                    self.draft.next_object()
                } else {
                    TOP
                };
                // Sorted here and not by the map: another crate can switch the map to insertion
                // order.
                let mut sorted: Vec<_> = object.iter().collect();
                sorted.sort_unstable_by_key(|(name, _)| name.as_bytes());
                self.draft.text.push('{');
                for (index, (name, item)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        self.draft.text.push(',');
                    }
                    self.count_key(name)?;
                    let part = self.quote(name);
                    self.draft.text.push(':');
                    let node = self.node(key, item, depth + 1, is_addressable)?;
                    if is_addressable {
                        self.member(number, name, part, item, node);
                    }
                }
                self.draft.text.push('}');
                Node::Object(self.draft.since(start), number)
            }
        };
        let written = self.draft.text.len() - start;
        if depth == 0 {
            self.count(written)?;
        } else if self.sizes.bytes + written > self.sizes.limits.bytes {
            return Err(self.too_many_bytes());
        }
        Ok(node)
    }

    /// Adds the entry of a member of an object. `part` is the quoted key without the quotes.
    fn member(
        &mut self,
        object: u32,
        name: &str,
        part: Span,
        item: &serde_json::Value,
        node: Node,
    ) {
        let entry = self.draft.entries.len();
        self.draft.push(object, name, part, node);
        if part.length as usize != name.len() {
            self.unquoted.push(Unquoted {
                entry,
                is_key: true,
                text: name.to_owned(),
            });
        }
        if let (serde_json::Value::String(text), Node::Text(part)) = (item, node)
            && part.length as usize != text.len()
        {
            self.unquoted.push(Unquoted {
                entry,
                is_key: false,
                text: text.clone(),
            });
        }
    }

    /// Appends an integer if it is too large for a value of its own.
    fn integer(&mut self, integer: i128) -> Node {
        match i64::try_from(integer) {
            Ok(small) if (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(&small) => {
                Node::Integer(small)
            }
            _ => {
                let start = self.draft.text.len();
                // Writing to a String cannot fail.
                let _ = write!(self.draft.text, "{integer}");
                Node::Json(self.draft.since(start))
            }
        }
    }

    /// Converts a JSON number and appends its text. The order of the checks gives the same result
    /// whether or not another crate enables arbitrary precision in the parser.
    fn number(&mut self, key: &str, number: &serde_json::Number) -> Result<Node, ContextError> {
        let float = number.as_f64().filter(|float| float.is_finite());
        let negative_zero = float.is_some_and(|float| float == 0.0 && float.is_sign_negative());
        let integer = match (number.as_i64(), number.as_u64()) {
            _ if negative_zero => None,
            (Some(integer), _) => Some(i128::from(integer)),
            (None, Some(integer)) => Some(i128::from(integer)),
            (None, None) => None,
        };
        if let Some(integer) = integer {
            let node = self.integer(integer);
            if let Node::Integer(small) = node {
                let _ = write!(self.draft.text, "{small}");
            }
            return Ok(node);
        }
        let float = float.ok_or_else(|| ContextError::Json {
            key: Some(key.to_owned()),
            message: format!("the number {number} is out of range"),
        })?;
        // The `Debug` form of the standard library has the fewest digits that parse to the same
        // number, and always a point or an exponent.
        let _ = write!(self.draft.text, "{float:?}");
        Ok(Node::Float(float))
    }

    /// Appends a quoted text, and returns the part inside of the quotes.
    fn quote(&mut self, text: &str) -> Span {
        let json = &mut self.draft.text;
        json.push('"');
        let start = json.len();
        for character in text.chars() {
            match character {
                '"' => json.push_str("\\\""),
                '\\' => json.push_str("\\\\"),
                '\n' => json.push_str("\\n"),
                '\r' => json.push_str("\\r"),
                '\t' => json.push_str("\\t"),
                '\u{8}' => json.push_str("\\b"),
                '\u{c}' => json.push_str("\\f"),
                control if control < ' ' => {
                    let _ = write!(json, "\\u{:04x}", u32::from(control));
                }
                other => json.push(other),
            }
        }
        let inside = self.draft.since(start);
        self.draft.text.push('"');
        inside
    }

    fn descend(&self, depth: usize) -> Result<(), ContextError> {
        if depth >= self.sizes.limits.depth {
            return Err(ContextError::TooDeep {
                limit: self.sizes.limits.depth,
            });
        }
        Ok(())
    }

    fn count_key(&mut self, key: &str) -> Result<(), ContextError> {
        self.sizes.counted += 1;
        if self.sizes.counted > self.sizes.limits.keys {
            return Err(ContextError::TooManyKeys {
                limit: self.sizes.limits.keys,
            });
        }
        self.count(key.len())
    }

    fn count(&mut self, bytes: usize) -> Result<(), ContextError> {
        self.sizes.bytes = self.sizes.bytes.saturating_add(bytes);
        if self.sizes.bytes > self.sizes.limits.bytes {
            return Err(self.too_many_bytes());
        }
        Ok(())
    }

    fn too_many_bytes(&self) -> ContextError {
        ContextError::TooManyBytes {
            limit: self.sizes.limits.bytes,
        }
    }
}

/// The maximum depth of the parser, independent of the limit.
const PARSER_DEPTH: usize = 127;

/// Checks the size and the nesting of a text before it is parsed: the parser recurses, and the
/// caller's stack may be small.
fn check_text(text: &str, key: Option<&str>, limits: ContextLimits) -> Result<(), ContextError> {
    if text.len() > limits.bytes {
        return Err(ContextError::TooManyBytes {
            limit: limits.bytes,
        });
    }
    let outermost = usize::from(key.is_none());
    let limit = limits.depth.saturating_add(outermost);
    let opening = text.bytes().filter(|byte| matches!(byte, b'[' | b'{'));
    // To count the brackets is many times faster, and few texts have more of them.
    if opening.count() > limit && nesting(text) > limit {
        return Err(ContextError::TooDeep {
            limit: limits.depth,
        });
    }
    Ok(())
}

fn parse(
    text: &str,
    key: Option<&str>,
    limits: ContextLimits,
) -> Result<serde_json::Value, ContextError> {
    serde_json::from_str(text).map_err(|error| not_json(error, key, limits))
}

fn not_json(error: serde_json::Error, key: Option<&str>, limits: ContextLimits) -> ContextError {
    let message = error.to_string();
    if message.starts_with("recursion limit exceeded") {
        return ContextError::TooDeep {
            limit: limits.depth.min(PARSER_DEPTH),
        };
    }
    ContextError::Json {
        key: key.map(str::to_owned),
        message,
    }
}

/// Returns the maximum nesting of brackets outside of strings.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn article(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(_) => "an array",
        serde_json::Value::Object(_) => "an object",
    }
}

/// Maps every NaN to one bit pattern, so that equal contexts have equal bits. -0.0 is kept.
fn canonical(float: f64) -> f64 {
    if float.is_nan() { f64::NAN } else { float }
}
