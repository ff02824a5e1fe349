//! Shortens lists of messages so that they stay lists of messages.
//!
//! A reader that validates a list against its schema drops the whole list for one invalid item,
//! so the mark is a text part of a message, and messages and parts are left out as a whole.
//!
//! # Source
//! The JSON schemas of the GenAI conventions, `gen-ai-input-messages.json` and
//! `gen-ai-output-messages.json`.

use serde_json::{Map, Value, json};

use super::SHORTEST;
use super::json::size;

/// The members of a part that its schema requires to be texts.
const TEXTS: [&str; 8] = [
    "type",
    "content",
    "id",
    "name",
    "modality",
    "mime_type",
    "uri",
    "file_id",
];

/// Returns the items if the value is a list of messages.
pub(super) fn of(value: &mut Value) -> Option<&mut Vec<Value>> {
    let list = value.as_array_mut()?;
    let is_message = |item: &Value| item["role"].is_string() && item["parts"].is_array();
    (!list.is_empty() && list.iter().all(is_message)).then_some(list)
}

/// Shortens a list whose texts are short already.
pub(super) fn shorten(list: &mut Vec<Value>, most: usize) {
    parts_of(list).flatten().for_each(replace_values);
    let mut length = 1 + list.iter().map(|item| size(item) + 1).sum::<usize>();
    let mut omitted = 0;
    // The first message often has the instructions, and the last ones are the newest.
    while length + SHORTEST > most && list.len() > 1 {
        let oldest = list.remove(usize::from(list.len() > 2));
        length -= size(&oldest) + 1;
        omitted += 1;
    }
    if length + SHORTEST > most
        && let Some(parts) = parts_of(list).next()
    {
        leave_out_parts(parts, most.saturating_sub(SHORTEST * 2));
    }
    if omitted > 0
        && let Some(parts) = parts_of(list).next()
    {
        parts.insert(0, mark(format!("…[+{omitted} messages]")));
    }
}

fn parts_of(list: &mut [Value]) -> impl Iterator<Item = &mut Vec<Value>> {
    list.iter_mut()
        .filter_map(|message| message.get_mut("parts")?.as_array_mut())
}

/// Replaces arguments and results, which may have any type, by a mark.
fn replace_values(part: &mut Value) {
    let members = part.as_object_mut().into_iter().flat_map(Map::iter_mut);
    for (_, member) in members.filter(|(name, _)| !TEXTS.contains(&name.as_str())) {
        let length = size(member);
        if length > SHORTEST && (member.is_array() || member.is_object()) {
            *member = format!("…[+{length}]").into();
        }
    }
}

fn leave_out_parts(parts: &mut Vec<Value>, most: usize) {
    let mut length = 0;
    let kept = parts.iter().take_while(|part| {
        length += size(part) + 1;
        length <= most
    });
    let kept = kept.count();
    let omitted = parts.len() - kept;
    if omitted > 0 {
        parts.truncate(kept);
        parts.push(mark(format!("…[+{omitted} parts]")));
    }
}

fn mark(text: String) -> Value {
    json!({"type": "text", "content": text})
}
