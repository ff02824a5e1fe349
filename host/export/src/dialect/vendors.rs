//! Fields that a vendor reads in a form of its own.

use std::time::{Duration, SystemTime};

use opentelemetry::{Array, StringValue, Value};
use serde_json::{Map, Value as Json};

use super::Dialect;
use super::edit::{Added, Edit};
use super::fields::Id;
use super::found::PROMPTS;
use super::kinds::Kind;
use super::messages;

/// The prefixes of metadata: every key has an attribute of its own.
pub(super) const LANGFUSE_METADATA: &str = "langfuse.trace.metadata.";
pub(super) const LANGSMITH_METADATA: &str = "langsmith.metadata.";

/// The maximum number of metadata keys of a span.
const MAX_METADATA: usize = 64;

/// Writes the session and the conversation. LangSmith has one thread, which is the conversation.
pub(super) fn sessions(edit: &mut Edit<'_>, is_ai: bool) {
    for (id, other) in [
        (Id::Session, Id::Conversation),
        (Id::Conversation, Id::Session),
    ] {
        let own = edit.found.first(id);
        let Some((source, value)) = own.or_else(|| edit.found.first(other)) else {
            return;
        };
        let field = id.field();
        for names in edit.dialect.lists(field).into_iter().flatten() {
            // A session of the web is not a conversation.
            let is_web = id == Id::Conversation && own.is_none() && !is_ai;
            if !(is_web && names == field.gen_ai) {
                edit.write_names(id, names, value.clone(), Some(source));
            }
        }
        edit.supersede(id, other);
    }
}

/// Writes the tags: a list, or a text with commas for LangSmith.
pub(super) fn tags(edit: &mut Edit<'_>) {
    let Some((source, value)) = edit.found.first(Id::Tags) else {
        return;
    };
    let is_list = matches!(value, Value::Array(_));
    if is_list && edit.dialect != Dialect::LangSmith {
        edit.copy(Id::Tags);
        return;
    }
    let texts: Vec<StringValue> = match value {
        Value::Array(Array::String(texts)) => texts.clone(),
        Value::String(text) => {
            let parts = text.as_str().split(',').map(str::trim);
            parts.map(|part| part.to_owned().into()).collect()
        }
        _ => return,
    };
    if edit.dialect == Dialect::LangSmith {
        let texts: Vec<_> = texts.iter().map(StringValue::as_str).collect();
        let joined = texts.join(", ");
        edit.write_names(Id::Tags, Id::Tags.field().langsmith, joined, Some(source));
        return;
    }
    let list = Value::Array(Array::String(texts));
    edit.write(Id::Tags, list.clone(), Some(source));
    if edit.has_value(Id::Tags, &list) {
        edit.retire(Id::Tags, value);
    }
}

/// Writes the finish reason: a list in the GenAI conventions, one text in OpenInference.
pub(super) fn finish_reason(edit: &mut Edit<'_>) {
    let list = edit.found.first(Id::FinishReasons);
    let single = edit.found.first(Id::FinishReason);
    if edit.dialect.has_open_inference()
        && let Some((source, value @ Value::Array(Array::String(texts)))) = list
        && let Some(first) = texts.first()
    {
        let first = Value::String(first.clone());
        edit.write(Id::FinishReason, first.clone(), Some(source));
        if texts.len() == 1 && edit.has_value(Id::FinishReason, &first) {
            edit.retire(Id::FinishReasons, value);
        }
    }
    if let (None, Some((source, value @ Value::String(single)))) = (list, single)
        && edit.dialect.has_gen_ai()
    {
        let texts = vec![single.clone()];
        let texts = Value::Array(Array::String(texts));
        edit.write(Id::FinishReasons, texts, Some(source));
        edit.retire(Id::FinishReason, value);
    }
}

/// Writes metadata as attributes by key, for Langfuse and LangSmith.
pub(super) fn metadata(edit: &mut Edit<'_>) {
    let prefix = match edit.dialect {
        Dialect::Langfuse => LANGFUSE_METADATA,
        Dialect::LangSmith => LANGSMITH_METADATA,
        _ => return,
    };
    let Some((source, Value::String(text))) = edit.found.first(Id::Metadata) else {
        return;
    };
    let members: Option<Map<String, Json>> = serde_json::from_str(text.as_str()).ok();
    for (name, value) in members.into_iter().flatten().take(MAX_METADATA) {
        let key = format!("{prefix}{name}");
        edit.add(key, messages::text(&value), Some(source));
    }
}

/// Writes the fields that only Langfuse reads, and removes those that it takes for others.
pub(super) fn langfuse(edit: &mut Edit<'_>, kind: &Kind, start: SystemTime) {
    let details = [
        (Id::InputCost, "input"),
        (Id::OutputCost, "output"),
        (Id::Cost, "total"),
    ];
    let mut cost = Map::new();
    for (id, name) in details {
        if let Some(number) = edit.found.number(id) {
            cost.insert(name.to_owned(), number.into());
        }
    }
    if !cost.is_empty() && !kind.is_agent() {
        edit.write(Id::CostDetails, Json::Object(cost).to_string(), None);
    }
    let seconds = edit.found.number(Id::FirstChunk);
    let after = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    if let Some(time) = after.and_then(|after| start.checked_add(after)) {
        edit.write(Id::CompletionStart, rfc3339(time), None);
    }
    let [cache_write, older] = Id::CacheWriteTokens.field().gen_ai else {
        return;
    };
    let has_older = edit.value_of(older).is_some();
    let is_misread = |key: &str| {
        let is_prompt = key.strip_prefix(PROMPTS).is_some_and(is_about_prompt);
        let is_part = key.strip_prefix(USAGE).is_some_and(is_of_modality);
        is_prompt || is_part || key == *cache_write && has_older
    };
    for position in edit.found.positions_of_keys(is_misread) {
        let key = edit.found.key(position);
        if let Some(variable) = key.strip_prefix(VARIABLE) {
            let value = edit.found.at(position).clone();
            let key = format!("{LANGFUSE_VARIABLE}{variable}");
            edit.add(key, value, Some(position));
        }
        edit.removed.push(position);
    }
    let added = |of: &Added| !is_misread(of.attribute.key.as_str());
    edit.added.retain(added);
}

/// The prefix of everything that Langfuse adds up.
const USAGE: &str = "gen_ai.usage.";

/// Variables of a prompt in the conventions, and the metadata that Langfuse shows.
pub(super) const VARIABLE: &str = "gen_ai.prompt.variable.";
pub(super) const LANGFUSE_VARIABLE: &str = "langfuse.observation.metadata.prompt_variable.";

/// Returns `true` for the end of a key of the conventions that says something about a prompt.
/// Langfuse takes every key with the prefix for the input, which would hide the messages.
fn is_about_prompt(rest: &str) -> bool {
    matches!(rest, "name" | "version") || rest.starts_with("variable.")
}

/// Returns `true` for the end of a key with tokens of one modality, which are a part of others.
fn is_of_modality(rest: &str) -> bool {
    let modality = rest.split_once('.').map(|(modality, _)| modality);
    modality.is_some_and(|modality| ["text", "image", "audio", "video"].contains(&modality))
}

fn rfc3339(time: SystemTime) -> String {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let whole = SystemTime::UNIX_EPOCH + Duration::from_millis(millis.min(MAX_MILLIS));
    humantime::format_rfc3339_millis(whole).to_string()
}

/// The last millisecond of the year 9999, beyond which no text can be written.
const MAX_MILLIS: u64 = 253_402_300_799_999;

/// Writes the sum of tokens, which OpenInference has.
pub(super) fn total_tokens(edit: &mut Edit<'_>) {
    let number = |id| match edit.found.value(id) {
        Some(Value::I64(number)) => Some(*number),
        _ => None,
    };
    let (input, output) = (number(Id::InputTokens), number(Id::OutputTokens));
    if let (Some(input), Some(output)) = (input, output)
        && edit.found.value(Id::TotalTokens).is_none()
        && edit.dialect.has_open_inference()
    {
        edit.write(Id::TotalTokens, input.saturating_add(output), None);
    }
}
