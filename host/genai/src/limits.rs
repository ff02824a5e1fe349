//! Limits for content.

use serde_json::{Map, Value, json};
use spanmux_otel::internal::{kept_and_omitted, safe_end};

/// Limits for the content of one attribute. Truncated content ends with a count of the
/// omitted part.
///
/// A string ends with `…[1200 more characters]` and a list with `…[12 more]`. An object gets
/// a member `…` with `[3 more]`, and a value below the maximum depth becomes `…[3 deeper]`.
/// The result is still valid JSON.
///
/// A list of messages stays a list of messages, as the schemas of the conventions require: the
/// texts, arguments and results in it are truncated, messages and parts are left out as a whole,
/// and the count is a text part of the last message. Base64 media that exceed the limits become a
/// text part with their type and size. Lists of other objects, such as documents, end without a
/// count.
///
/// A text is truncated before a secret rather than inside it: exporters redact later, and
/// could not recognize a part of a key.
///
/// # Examples
/// ```
/// use spanmux::genai::ContentLimits;
///
/// let limits = ContentLimits::new().text_bytes(4 * 1024);
/// assert_eq!(limits.total_bytes, 256 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentLimits {
    /// Maximum size of one string, in bytes. Defaults to 32,768: a long document in a
    /// prompt.
    pub text_bytes: usize,
    /// Maximum size of one attribute in bytes, before JSON escaping. Defaults to 262,144:
    /// backends refuse requests of a few megabytes, and a batch contains many spans.
    pub total_bytes: usize,
    /// Maximum nesting depth of lists and objects. Defaults to 16: a message has four levels
    /// above the arguments of a tool.
    pub depth: usize,
    /// Maximum number of items of one list, members of one object, or messages of one
    /// generation. Defaults to 256.
    pub items: usize,
}

impl ContentLimits {
    /// Creates the default limits.
    pub const fn new() -> Self {
        Self {
            text_bytes: 32 * 1024,
            total_bytes: 256 * 1024,
            depth: 16,
            items: 256,
        }
    }

    /// Sets the maximum number of bytes of one text.
    pub fn text_bytes(mut self, bytes: usize) -> Self {
        self.text_bytes = bytes;
        self
    }

    /// Sets the maximum number of bytes of one attribute.
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// Sets the maximum depth of lists and objects.
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// Sets the maximum number of items of a list, members of an object, or messages of a
    /// generation.
    pub fn items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// Truncates a string.
    pub(super) fn text(&self, text: &str) -> String {
        let mut left = self.total_bytes;
        self.cut_text(text, &mut left)
    }

    /// Truncates a value and formats it as JSON.
    pub(super) fn json(&self, value: &Value) -> String {
        let mut left = self.total_bytes;
        self.cut(value, self.depth, &mut left).to_string()
    }

    fn cut(&self, value: &Value, depth: usize, left: &mut usize) -> Value {
        match value {
            Value::String(text) => self.cut_text(text, left).into(),
            Value::Array(items) if depth == 0 => deeper(items.len()),
            Value::Object(members) if depth == 0 => deeper(members.len()),
            Value::Array(items) => self.cut_list(items, depth, left),
            Value::Object(members) => self.cut_object(members, depth, left),
            other => {
                *left = left.saturating_sub(8);
                other.clone()
            }
        }
    }

    fn cut_text(&self, text: &str, left: &mut usize) -> String {
        let most = self.text_bytes.min(*left);
        if text.len() <= most {
            *left -= text.len();
            return text.to_owned();
        }
        let (kept, more) = kept_and_omitted(text, safe_end(text, most));
        *left -= most;
        format!("{kept}…[{more} more characters]")
    }

    fn cut_list(&self, items: &[Value], depth: usize, left: &mut usize) -> Value {
        let mut kept = Vec::new();
        for item in items {
            if kept.len() == self.items || *left == 0 {
                let more = items.len() - kept.len();
                if !items.iter().all(Value::is_object) {
                    kept.push(format!("…[{more} more]").into());
                }
                break;
            }
            *left = left.saturating_sub(1);
            kept.push(self.cut(item, depth - 1, left));
        }
        kept.into()
    }

    /// Returns `true` if a text is within the limits as a whole.
    pub(super) fn fits(&self, text: &str) -> bool {
        text.len() <= self.text_bytes.min(self.total_bytes)
    }

    /// Truncates a list of messages in the format of the GenAI conventions.
    pub(super) fn messages(&self, list: &Value) -> Value {
        let list = list.as_array().map_or(&[][..], Vec::as_slice);
        let mut left = self.total_bytes;
        let mut kept = Vec::new();
        for message in list {
            if kept.len() == self.items.max(1) || (left == 0 && !kept.is_empty()) {
                break;
            }
            kept.push(self.message(message, &mut left));
        }
        let more = list.len() - kept.len();
        if more > 0 {
            add_mark(kept.last_mut(), format!("…[{more} more messages]"));
        }
        kept.into()
    }

    /// Returns the definitions of the first tools. They stay a list of definitions.
    pub(super) fn tools(&self, names: &[String]) -> Value {
        let mut left = self.total_bytes;
        let kept = names.iter().take(self.items).take_while(|name| {
            let fits = name.len() <= left;
            left = left.saturating_sub(name.len() + PART_BYTES);
            fits
        });
        kept.map(|name| json!({"type": "function", "name": name}))
            .collect()
    }

    fn message(&self, message: &Value, left: &mut usize) -> Value {
        let mut kept = message.clone();
        let parts = message["parts"].as_array().map_or(&[][..], Vec::as_slice);
        let mut some = Vec::new();
        for part in parts {
            if some.len() == self.items || *left == 0 {
                break;
            }
            *left = left.saturating_sub(PART_BYTES);
            some.push(self.part(part, left));
        }
        let more = parts.len() - some.len();
        kept["parts"] = some.into();
        if more > 0 {
            add_mark(Some(&mut kept), format!("…[{more} more parts]"));
        }
        kept
    }

    fn part(&self, part: &Value, left: &mut usize) -> Value {
        let kind = part["type"].as_str().unwrap_or_default();
        let (name, value) = match kind {
            "blob" => {
                let length = part["content"].as_str().map_or(0, str::len);
                if length > self.text_bytes.min(*left) {
                    let mime_type = part["mime_type"].as_str().unwrap_or_default();
                    return text_part(media_mark(mime_type, length));
                }
                *left -= length;
                return part.clone();
            }
            "tool_call" => ("arguments", &part["arguments"]),
            "tool_call_response" => ("response", &part["response"]),
            _ => ("content", &part["content"]),
        };
        let mut kept = part.clone();
        if !value.is_null() {
            // The list, the message, its parts and the part are four levels.
            kept[name] = self.cut(value, self.depth.saturating_sub(4), left);
        }
        kept
    }

    fn cut_object(&self, members: &Map<String, Value>, depth: usize, left: &mut usize) -> Value {
        let mut kept = Map::new();
        for (name, member) in members {
            // Names are never truncated, so that redaction by name still recognises them.
            if kept.len() == self.items || name.len() >= *left {
                let more = members.len() - kept.len();
                kept.insert("…".to_owned(), format!("[{more} more]").into());
                break;
            }
            *left -= name.len();
            kept.insert(name.clone(), self.cut(member, depth - 1, left));
        }
        kept.into()
    }
}

/// The bytes that a part has beside its content.
const PART_BYTES: usize = 32;

/// Returns `true` for a list of messages in the format of the GenAI conventions.
pub(super) fn is_messages(value: &Value) -> bool {
    let list = value.as_array().filter(|list| !list.is_empty());
    list.is_some_and(|list| {
        list.iter()
            .all(|message| message["role"].is_string() && message["parts"].is_array())
    })
}

/// Returns the text that replaces media of this many bytes of base64.
pub(super) fn media_mark(mime_type: &str, base64: usize) -> String {
    format!("…[{mime_type}, {} bytes]", base64 / 4 * 3)
}

fn text_part(text: String) -> Value {
    json!({"type": "text", "content": text})
}

fn add_mark(message: Option<&mut Value>, mark: String) {
    let parts = message.and_then(|message| message["parts"].as_array_mut());
    if let Some(parts) = parts {
        parts.push(text_part(mark));
    }
}

fn deeper(items: usize) -> Value {
    format!("…[{items} deeper]").into()
}

impl Default for ContentLimits {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: ContentLimits = ContentLimits {
        text_bytes: 4,
        total_bytes: 20,
        depth: 2,
        items: 3,
    };

    #[test]
    fn long_and_deep_content_is_truncated_and_counted() {
        for (value, kept) in [
            (json!("äb"), json!("äb")),
            (json!("äbäb"), json!("äb…[2 more characters]")),
            (json!([1, 2.5, null]), json!([1, 2.5, null])),
            (
                json!([["1234", "1234"], ["1234", "1234"], "x"]),
                json!([
                    ["1234", "1234"],
                    ["1234", "12…[2 more characters]"],
                    "…[1 more]"
                ]),
            ),
            (
                json!(["", "", "", "", ""]),
                json!(["", "", "", "…[2 more]"]),
            ),
            (
                json!({"a": 1, "b": [[1, 2], []]}),
                json!({"a": 1, "b": ["…[2 deeper]", "…[0 deeper]"]}),
            ),
            (
                json!({"a": "", "b": "", "c": "", "d": ""}),
                json!({"a": "", "b": "", "c": "", "…": "[1 more]"}),
            ),
            (
                json!({"a name that is too long": 1}),
                json!({"…": "[1 more]"}),
            ),
        ] {
            assert_eq!(SMALL.json(&value), kept.to_string());
        }
        assert_eq!(SMALL.text("12345678"), "1234…[4 more characters]");
    }

    #[test]
    fn total_size_is_bounded_for_any_shape() {
        let mut value = json!("x".repeat(100));
        for _ in 0..12 {
            value = json!({"a": [value.clone(), value.clone()], "b": value});
        }
        let limits = ContentLimits {
            text_bytes: 50,
            total_bytes: 1_000,
            depth: 100,
            items: 100,
        };
        let text = limits.json(&value);
        assert!(text.len() < 10_000, "{} bytes", text.len());
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
}
