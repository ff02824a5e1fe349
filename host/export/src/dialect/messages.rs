//! Messages: one JSON text in the GenAI conventions, numbered attributes in OpenInference and in
//! the older names of Traceloop.

use std::collections::BTreeMap;

use opentelemetry::Value as Attribute;
use serde_json::{Map, Value, json};

use super::edit::Edit;
use super::found::Numbered;

/// The maximum number of messages that are written as numbered attributes.
const MAX_MESSAGES: usize = 256;

/// Parses a list of messages of the GenAI conventions.
pub(super) fn parse(text: &str) -> Option<Vec<Value>> {
    let list: Vec<Value> = serde_json::from_str(text).ok()?;
    let is_message = |value: &Value| value["role"].is_string() && value["parts"].is_array();
    (!list.is_empty() && list.iter().all(is_message)).then_some(list)
}

/// Parses the parts of instructions.
pub(super) fn parts(text: &str) -> Option<Value> {
    let parts: Value = serde_json::from_str(text).ok()?;
    parts.is_array().then_some(parts)
}

/// Converts the text of one message.
pub(super) fn of_text(role: &str, text: &str) -> Value {
    json!({"role": role, "parts": [{"type": "text", "content": text}]})
}

/// Returns the text of a list that consists of one text.
pub(super) fn single_text(messages: &[Value]) -> Option<&str> {
    let [message] = messages else { return None };
    let [part] = message["parts"].as_array()?.as_slice() else {
        return None;
    };
    let text = part["content"].as_str()?;
    (part["type"] == "text").then_some(text)
}

/// Adds `finish_reason` to output messages, which their schema requires.
pub(super) fn complete(messages: &mut [Value], reason: Option<&str>) {
    for message in messages {
        if message["finish_reason"].is_string() {
            continue;
        }
        let parts = message["parts"].as_array();
        let calls = parts.is_some_and(|parts| parts.iter().any(|part| part["type"] == "tool_call"));
        let by_content = if calls { "tool_call" } else { "stop" };
        message["finish_reason"] = reason.unwrap_or(by_content).into();
    }
}

/// The end of the numbered messages that were written.
#[derive(Clone, Copy)]
pub(super) struct Written {
    /// The number of the next message.
    pub(super) next: usize,
    /// `true` if everything was written.
    pub(super) is_complete: bool,
}

/// Writes messages as numbered attributes of OpenInference. `from` is the first number.
pub(super) fn write_numbered(
    messages: &[Value],
    prefix: &str,
    from: usize,
    source: Option<usize>,
    edit: &mut Edit<'_>,
) -> Written {
    let mut writer = Writer {
        prefix,
        end: from + MAX_MESSAGES,
        source,
        edit,
        written: Written {
            next: from,
            is_complete: true,
        },
    };
    for message in messages {
        writer.message(message);
        if !writer.written.is_complete && !writer.has_room() {
            break;
        }
    }
    writer.written
}

struct Writer<'a, 'e> {
    prefix: &'a str,
    /// The number at which writing ends.
    end: usize,
    source: Option<usize>,
    edit: &'a mut Edit<'e>,
    written: Written,
}

impl Writer<'_, '_> {
    fn add(&mut self, name: &str, value: String) {
        let key = format!("{}{}.message.{name}", self.prefix, self.written.next);
        self.edit.add_new(key, value, self.source);
    }

    /// Writes a message. Each result of a tool is a message of its own, because a message of
    /// OpenInference has one `tool_call_id`.
    fn message(&mut self, message: &Value) {
        self.written.is_complete &= has_only(message, &["role", "parts", "finish_reason", "name"]);
        let parts = message["parts"].as_array().map_or(&[][..], Vec::as_slice);
        let is_result = |part: &Value| part["type"] == "tool_call_response";
        let groups = parts.chunk_by(|one, next| !is_result(one) && !is_result(next));
        let mut is_empty = true;
        for group in groups {
            self.group(message, group);
            is_empty = false;
        }
        if is_empty {
            self.group(message, &[]);
        }
    }

    fn has_room(&self) -> bool {
        self.written.next < self.end
    }

    fn group(&mut self, message: &Value, parts: &[Value]) {
        if !self.has_room() {
            self.written.is_complete = false;
            return;
        }
        self.add("role", text(&message["role"]));
        if let Some(name) = message.get("name") {
            self.add("name", text(name));
        }
        let texts = parts.iter().filter(|part| part["type"] == "text").count();
        let (mut calls, mut contents) = (0, 0);
        for part in parts {
            let kind = part["type"].as_str().unwrap_or_default();
            let members: &[&str] = match kind {
                "text" | "reasoning" => &["type", "content"],
                "tool_call" => &["type", "id", "name", "arguments"],
                "tool_call_response" => &["type", "id", "response"],
                "blob" => &["type", "modality", "mime_type", "content"],
                "uri" => &["type", "modality", "uri"],
                "file" => &["type", "modality", "file_id"],
                _ => &[],
            };
            self.written.is_complete &= members.is_empty() || has_only(part, members);
            match kind {
                "text" if texts == 1 => self.add("content", text(&part["content"])),
                "text" | "reasoning" => {
                    self.add(&content(contents, "type"), kind.to_owned());
                    self.add(&content(contents, "text"), text(&part["content"]));
                    contents += 1;
                }
                "tool_call" => {
                    let call = format!("tool_calls.{calls}.tool_call");
                    self.add(&format!("{call}.id"), text(&part["id"]));
                    self.add(&format!("{call}.function.name"), text(&part["name"]));
                    let arguments = text(&part["arguments"]);
                    self.add(&format!("{call}.function.arguments"), arguments);
                    calls += 1;
                }
                "tool_call_response" => {
                    self.add("tool_call_id", text(&part["id"]));
                    self.add("content", text(&part["response"]));
                }
                "blob" | "uri" | "file" => {
                    let modality = text(&part["modality"]);
                    self.add(&content(contents, "type"), modality.clone());
                    let url = content(contents, &format!("{modality}.{modality}.url"));
                    self.add(&url, url_of(part));
                    contents += 1;
                }
                _ => {
                    self.add(&content(contents, "type"), "text".to_owned());
                    self.add(&content(contents, "text"), part.to_string());
                    contents += 1;
                }
            }
        }
        self.written.next += 1;
    }
}

/// Returns `true` if an object has no other members.
pub(super) fn has_only(value: &Value, members: &[&str]) -> bool {
    let object = value.as_object();
    object.is_some_and(|object| object.keys().all(|name| members.contains(&name.as_str())))
}

fn content(number: usize, name: &str) -> String {
    format!("contents.{number}.message_content.{name}")
}

fn url_of(part: &Value) -> String {
    match part["type"].as_str() {
        Some("uri") => text(&part["uri"]),
        Some("file") => format!("file:{}", text(&part["file_id"])),
        _ => {
            let (mime_type, bytes) = (text(&part["mime_type"]), text(&part["content"]));
            format!("data:{mime_type};base64,{bytes}")
        }
    }
}

/// Returns a text unchanged and any other value as JSON text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Messages that were read from numbered attributes.
#[derive(Default)]
pub(super) struct Read {
    pub(super) messages: Vec<Value>,
    /// The positions of the attributes that are in the messages.
    pub(super) positions: Vec<usize>,
}

/// Reads numbered attributes of OpenInference or Traceloop as messages.
pub(super) fn read_numbered(numbered: &Numbered<'_>, role: &'static str) -> Read {
    let mut read = Read::default();
    for parts in numbered.values() {
        let mut draft = Draft::default();
        let before = read.positions.len();
        for part in parts {
            let name = part.name.strip_prefix("message.").unwrap_or(part.name);
            if draft.set(name, part.value).is_some() {
                read.positions.push(part.position);
            }
        }
        if read.positions.len() > before {
            read.messages.push(draft.message(role));
        }
    }
    read
}

/// A message while its attributes are read.
#[derive(Default)]
struct Draft {
    role: Option<String>,
    name: Option<String>,
    content: Option<String>,
    tool_call_id: Option<String>,
    finish_reason: Option<String>,
    /// The call of a function in the earlier form, without an id.
    function: Option<Call>,
    calls: BTreeMap<usize, Call>,
    contents: BTreeMap<usize, Content>,
}

#[derive(Default)]
struct Call {
    id: Option<String>,
    name: String,
    arguments: String,
}

#[derive(Default)]
struct Content {
    kind: String,
    text: Option<String>,
    url: Option<String>,
}

impl Draft {
    /// Reads an attribute. Returns `None` if it has no place in a message.
    fn set(&mut self, name: &str, value: &Attribute) -> Option<()> {
        let value = value.to_string();
        match name {
            "role" => self.role = Some(value),
            "name" => self.name = Some(value),
            "content" => self.content = Some(value),
            "tool_call_id" => self.tool_call_id = Some(value),
            "finish_reason" => self.finish_reason = Some(value),
            "function_call_name" => self.function.get_or_insert_default().name = value,
            "function_call_arguments_json" => {
                self.function.get_or_insert_default().arguments = value;
            }
            _ => return self.set_numbered(name, value),
        }
        Some(())
    }

    fn set_numbered(&mut self, name: &str, value: String) -> Option<()> {
        let (list, rest) = name.split_once('.')?;
        let (number, name) = rest.split_once('.')?;
        let number: usize = number.parse().ok()?;
        let last = name.rsplit('.').next()?;
        match list {
            "tool_calls" => {
                if !["id", "name", "arguments"].contains(&last) {
                    return None;
                }
                let call = self.calls.entry(number).or_default();
                match last {
                    "id" => call.id = Some(value),
                    "name" => call.name = value,
                    _ => call.arguments = value,
                }
            }
            "contents" => {
                if !["type", "text", "url"].contains(&last) {
                    return None;
                }
                let content = self.contents.entry(number).or_default();
                match last {
                    "type" => content.kind = value,
                    "text" => content.text = Some(value),
                    _ => content.url = Some(value),
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn message(self, role: &'static str) -> Value {
        let mut parts = Vec::new();
        if let Some(id) = self.tool_call_id {
            let response = parsed(&self.content.unwrap_or_default());
            parts.push(json!({"type": "tool_call_response", "id": id, "response": response}));
        } else if let Some(text) = self.content.filter(|text| !text.is_empty()) {
            parts.push(json!({"type": "text", "content": text}));
        }
        parts.extend(self.contents.into_values().map(Content::part));
        let calls = self.function.into_iter().chain(self.calls.into_values());
        parts.extend(calls.map(Call::part));
        let mut message = Map::new();
        let role = self.role.unwrap_or_else(|| role.to_owned());
        message.insert("role".to_owned(), role.into());
        message.insert("parts".to_owned(), parts.into());
        if let Some(name) = self.name {
            message.insert("name".to_owned(), name.into());
        }
        if let Some(reason) = self.finish_reason {
            message.insert("finish_reason".to_owned(), reason.into());
        }
        Value::Object(message)
    }
}

impl Call {
    fn part(self) -> Value {
        let arguments = parsed(&self.arguments);
        let mut part = json!({"type": "tool_call", "name": self.name, "arguments": arguments});
        if let Some(id) = self.id {
            part["id"] = id.into();
        }
        part
    }
}

impl Content {
    fn part(self) -> Value {
        if let Some(url) = self.url {
            return media(&self.kind, &url);
        }
        let kind = if self.kind == "reasoning" {
            "reasoning"
        } else {
            "text"
        };
        json!({"type": kind, "content": self.text.unwrap_or_default()})
    }
}

fn media(modality: &str, url: &str) -> Value {
    let data = url.strip_prefix("data:");
    if let Some((mime_type, content)) = data.and_then(|data| data.split_once(";base64,")) {
        return json!({
            "type": "blob", "modality": modality, "mime_type": mime_type, "content": content
        });
    }
    if let Some(id) = url.strip_prefix("file:").filter(|id| !id.starts_with('/')) {
        return json!({"type": "file", "modality": modality, "file_id": id});
    }
    json!({"type": "uri", "modality": modality, "uri": url})
}

/// Returns JSON text as a value and any other text unchanged.
pub(super) fn parsed(text: &str) -> Value {
    let is_json = text.starts_with(['{', '[']);
    let value = is_json.then(|| serde_json::from_str(text).ok());
    value.flatten().unwrap_or_else(|| text.into())
}
