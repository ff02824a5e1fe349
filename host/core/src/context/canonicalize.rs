//! Converts application values to plain, bounded, canonical data. All errors of a context are
//! detected here.
//!
//! A JSON value keeps its whole canonical text and a map of its members, so that a dotted path is
//! looked up without parsing. The text of an inner object is a range of the outer text.

use std::fmt::Write as _;
use std::ops::Range;

use super::limits::{ContextError, ContextLimits};
use super::look_up::LookUp;
use super::map::Map;
use super::value::{MAX_SAFE_INTEGER, Value};

/// The canonical keys and values of a context or of a root span.
#[derive(Clone, Default)]
pub(super) struct Entries {
    map: Map<Entry>,
    /// `false` if no value is an object, so that no dotted path has a value. Most contexts have none,
    /// and most dotted keys that a selector asks for are absent.
    has_objects: bool,
    /// The limits, and the sizes so far.
    limits: ContextLimits,
    counted: usize,
    bytes: usize,
    /// The first value that was left out because it did not fit.
    error: Option<Box<ContextError>>,
}

#[derive(Clone)]
struct Entry {
    /// The canonical text of a JSON value. Empty for other values.
    json: Box<str>,
    node: Node,
}

#[derive(Clone)]
enum Node {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(Box<str>),
    /// An array, or an integer that is too large: its range in the canonical text.
    Json(Range<usize>),
    /// An object: its range in the canonical text, and its members.
    Object(Range<usize>, Box<Map<Node>>),
}

impl Node {
    #[inline(always)]
    fn value<'a>(&'a self, json: &'a str) -> Value<'a> {
        match self {
            Node::Null => Value::Null,
            Node::Boolean(boolean) => Value::Boolean(*boolean),
            Node::Integer(integer) => Value::Integer(*integer),
            Node::Float(float) => Value::Float(*float),
            Node::Text(text) => Value::Text(text),
            // The range was cut from this text at character boundaries.
            Node::Json(range) | Node::Object(range, _) => {
                Value::Json(json.get(range.clone()).unwrap_or_default())
            }
        }
    }

    fn members(&self) -> Option<&Map<Node>> {
        match self {
            Node::Object(_, members) => Some(members),
            _ => None,
        }
    }
}

impl Entries {
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    #[inline]
    pub(super) fn error(&self) -> Option<&ContextError> {
        self.error.as_deref()
    }

    /// Returns `false` if no dotted path has a value.
    #[inline]
    pub(super) fn has_objects(&self) -> bool {
        self.has_objects
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.map.keys()
    }

    pub(super) fn sorted_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self.keys().collect();
        keys.sort_unstable();
        keys
    }

    /// Returns the value of a dotted path: the longest prefix that names an object, then the rest
    /// inside that object.
    pub(super) fn dotted(&self, key: impl LookUp) -> Option<Value<'_>> {
        if !self.has_objects {
            return None;
        }
        let ((entry, members), rest) = longest_object(&key, 0, |end| {
            let entry = self.map.get(key.hash(0, end), &key.text()[..end])?;
            Some((entry, entry.node.members()?))
        })?;
        member(members, &key, rest, &entry.json)
    }

    /// Returns the value of a literal key.
    #[inline(always)]
    pub(super) fn literal(&self, key: &impl LookUp) -> Option<Value<'_>> {
        let text = key.text();
        let entry = self.map.get(key.hash(0, text.len()), text)?;
        Some(entry.node.value(&entry.json))
    }
}

/// Applies the same rule inside an object to the key from `start` on. Each step descends one
/// object, so the recursion ends within `ContextLimits::depth` steps.
fn member<'a>(
    members: &'a Map<Node>,
    key: &impl LookUp,
    start: usize,
    json: &'a str,
) -> Option<Value<'a>> {
    let find = |end: usize| members.get(key.hash(start, end), &key.text()[start..end]);
    if let Some(node) = find(key.text().len()) {
        return Some(node.value(json));
    }
    let (inner, rest) = longest_object(key, start, |end| find(end)?.members())?;
    member(inner, key, rest, json)
}

/// Splits the key from `start` on at the last dot whose prefix `find` resolves. Returns the result
/// and the start of the rest.
fn longest_object<T>(
    key: &impl LookUp,
    start: usize,
    find: impl Fn(usize) -> Option<T>,
) -> Option<(T, usize)> {
    let mut end = key.text().len();
    while let Some(dot) = key.text()[start..end].rfind('.') {
        end = start + dot;
        if let Some(found) = find(end) {
            return Some((found, end + 1));
        }
    }
    None
}

/// Builds [`Entries`] within limits.
pub(super) struct Canonicalizer {
    entries: Entries,
}

impl Canonicalizer {
    pub(super) fn new(limits: ContextLimits) -> Self {
        Self::after(Entries {
            limits,
            ..Entries::default()
        })
    }

    /// Continues with existing entries within their limits.
    pub(super) fn after(entries: Entries) -> Self {
        Self { entries }
    }

    /// Builds a complete context from the text of a JSON object.
    pub(super) fn object(text: &str, limits: ContextLimits) -> Result<Entries, ContextError> {
        let members = match parse(text, None, limits)? {
            serde_json::Value::Object(members) => members,
            other => {
                return Err(ContextError::NotAnObject {
                    found: article(&other),
                });
            }
        };
        let mut canonicalizer = Self::new(limits);
        for (key, value) in &members {
            canonicalizer.json(key, value)?;
        }
        Ok(canonicalizer.finish())
    }

    pub(super) fn error(&self) -> Option<&ContextError> {
        self.entries.error()
    }

    /// Returns the deepest nesting of a value that is accepted.
    pub(super) fn depth(&self) -> usize {
        self.entries.limits.depth.min(PARSER_DEPTH)
    }

    pub(super) fn finish(self) -> Entries {
        self.entries
    }

    /// Sets a value if it fits. Otherwise the entries keep the error and stay as they are.
    pub(super) fn value_if_fits(&mut self, key: &str, value: Value<'_>) {
        let before = self.counts();
        let set = self.value(key, value);
        self.keep_error(set, before);
    }

    /// As [`value_if_fits`](Self::value_if_fits), for JSON.
    pub(super) fn json_if_fits(&mut self, key: &str, value: &serde_json::Value) {
        let before = self.counts();
        let set = self.json(key, value);
        self.keep_error(set, before);
    }

    /// Marks the entries as incomplete for a reason of the caller's.
    pub(super) fn leave_out(&mut self, error: ContextError) {
        self.entries.error.get_or_insert_with(|| Box::new(error));
    }

    fn counts(&self) -> (usize, usize) {
        (self.entries.counted, self.entries.bytes)
    }

    /// Restores the counts if the value was left out.
    fn keep_error(&mut self, set: Result<(), ContextError>, before: (usize, usize)) {
        if let Err(error) = set {
            (self.entries.counted, self.entries.bytes) = before;
            self.leave_out(error);
        }
    }

    fn value(&mut self, key: &str, value: Value<'_>) -> Result<(), ContextError> {
        let mut json = String::new();
        let node = match value {
            Value::Null => Node::Null,
            Value::Boolean(boolean) => Node::Boolean(boolean),
            Value::Integer(integer) => integer_node(integer.into(), &mut json),
            Value::Float(float) => Node::Float(canonical(float)),
            Value::Text(text) => {
                self.count(text.len())?;
                Node::Text(text.into())
            }
            Value::Json(text) => {
                let value = parse(text, Some(key), self.entries.limits)?;
                return self.json(key, &value);
            }
        };
        self.insert(key, node, json)
    }

    fn json(&mut self, key: &str, value: &serde_json::Value) -> Result<(), ContextError> {
        let mut json = String::new();
        let node = match value {
            serde_json::Value::String(text) => {
                self.count(text.len())?;
                Node::Text(text.as_str().into())
            }
            value => self.node(key, value, 0, &mut json)?,
        };
        self.insert(key, node, json)
    }

    fn insert(&mut self, key: &str, node: Node, mut json: String) -> Result<(), ContextError> {
        self.count_key(key)?;
        if !matches!(node, Node::Json(_) | Node::Object(..)) {
            json.clear();
        }
        // Also if a later value of the key replaces the object: this costs a look-up and no more.
        self.entries.has_objects |= node.members().is_some();
        let entry = Entry {
            json: json.into_boxed_str(),
            node,
        };
        self.entries.map.insert(key, entry);
        Ok(())
    }

    /// Converts `value` and appends its canonical text to `json`.
    fn node(
        &mut self,
        key: &str,
        value: &serde_json::Value,
        depth: usize,
        json: &mut String,
    ) -> Result<Node, ContextError> {
        let start = json.len();
        let node = match value {
            serde_json::Value::Null => {
                json.push_str("null");
                Node::Null
            }
            serde_json::Value::Bool(boolean) => {
                json.push_str(if *boolean { "true" } else { "false" });
                Node::Boolean(*boolean)
            }
            serde_json::Value::Number(number) => number_node(key, number, json)?,
            serde_json::Value::String(text) => {
                quote(text, json);
                Node::Text(text.as_str().into())
            }
            serde_json::Value::Array(items) => {
                self.descend(depth)?;
                json.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    self.node(key, item, depth + 1, json)?;
                }
                json.push(']');
                Node::Json(start..json.len())
            }
            serde_json::Value::Object(object) => {
                self.descend(depth)?;
                // Sorted here and not by the map: another crate can switch the map to insertion
                // order.
                let mut sorted: Vec<_> = object.iter().collect();
                sorted.sort_unstable_by_key(|(name, _)| name.as_bytes());
                let mut members = Map::default();
                json.push('{');
                for (index, (name, item)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    self.count_key(name)?;
                    quote(name, json);
                    json.push(':');
                    let node = self.node(key, item, depth + 1, json)?;
                    members.insert(name, node);
                }
                json.push('}');
                Node::Object(start..json.len(), Box::new(members))
            }
        };
        if depth == 0 {
            self.count(json.len())?;
        } else if self.entries.bytes + json.len() > self.entries.limits.bytes {
            return Err(self.too_many_bytes());
        }
        Ok(node)
    }

    fn descend(&self, depth: usize) -> Result<(), ContextError> {
        if depth >= self.entries.limits.depth {
            return Err(ContextError::TooDeep {
                limit: self.entries.limits.depth,
            });
        }
        Ok(())
    }

    fn count_key(&mut self, key: &str) -> Result<(), ContextError> {
        self.entries.counted += 1;
        if self.entries.counted > self.entries.limits.keys {
            return Err(ContextError::TooManyKeys {
                limit: self.entries.limits.keys,
            });
        }
        self.count(key.len())
    }

    fn count(&mut self, bytes: usize) -> Result<(), ContextError> {
        self.entries.bytes = self.entries.bytes.saturating_add(bytes);
        if self.entries.bytes > self.entries.limits.bytes {
            return Err(self.too_many_bytes());
        }
        Ok(())
    }

    fn too_many_bytes(&self) -> ContextError {
        ContextError::TooManyBytes {
            limit: self.entries.limits.bytes,
        }
    }
}

/// The maximum depth of the parser, independent of the limit.
const PARSER_DEPTH: usize = 127;

fn parse(
    text: &str,
    key: Option<&str>,
    limits: ContextLimits,
) -> Result<serde_json::Value, ContextError> {
    if text.len() > limits.bytes {
        return Err(ContextError::TooManyBytes {
            limit: limits.bytes,
        });
    }
    // Checked before parsing: the parser recurses, and the caller's stack may be small.
    let outermost = usize::from(key.is_none());
    if nesting(text) > limits.depth.saturating_add(outermost) {
        return Err(ContextError::TooDeep {
            limit: limits.depth,
        });
    }
    serde_json::from_str(text).map_err(|error| {
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
    })
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

fn integer_node(integer: i128, json: &mut String) -> Node {
    let start = json.len();
    // Writing to a String cannot fail.
    let _ = write!(json, "{integer}");
    match i64::try_from(integer) {
        Ok(small) if (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(&small) => {
            Node::Integer(small)
        }
        _ => Node::Json(start..json.len()),
    }
}

/// Converts a JSON number. The order of the checks gives the same result whether or not another
/// crate enables arbitrary precision in the parser.
fn number_node(
    key: &str,
    number: &serde_json::Number,
    json: &mut String,
) -> Result<Node, ContextError> {
    let float = number.as_f64().filter(|float| float.is_finite());
    let negative_zero = float.is_some_and(|float| float == 0.0 && float.is_sign_negative());
    if !negative_zero {
        if let Some(integer) = number.as_i64() {
            return Ok(integer_node(integer.into(), json));
        }
        if let Some(integer) = number.as_u64() {
            return Ok(integer_node(integer.into(), json));
        }
    }
    let float = float.ok_or_else(|| ContextError::Json {
        key: Some(key.to_owned()),
        message: format!("the number {number} is out of range"),
    })?;
    // The `Debug` form of the standard library has the fewest digits that parse to the same number,
    // and always a point or an exponent.
    let _ = write!(json, "{float:?}");
    Ok(Node::Float(float))
}

fn quote(text: &str, json: &mut String) {
    json.push('"');
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
    json.push('"');
}
