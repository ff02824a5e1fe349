//! Fields that a vendor reads in a form of its own.

use std::time::{Duration, SystemTime};

use opentelemetry::{Array, KeyValue, StringValue, Value};
use serde_json::{Map, Value as Json};

use super::Dialect;
use super::edit::Edit;
use super::fields::Id;
use super::kinds::Kind;
use super::messages;

/// The prefixes of metadata: every key has an attribute of its own.
pub(super) const LANGFUSE_METADATA: &str = "langfuse.trace.metadata.";
pub(super) const LANGSMITH_METADATA: &str = "langsmith.metadata.";

/// The maximum number of metadata keys of a span.
const MAX_METADATA: usize = 64;

/// Writes the tags: a list, or a text with commas for LangSmith.
pub(super) fn tags(edit: &mut Edit<'_>) {
    let Some(value) = edit.found.value(Id::Tags) else {
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
        edit.write_names(Id::Tags, Id::Tags.field().langsmith, joined);
        return;
    }
    edit.write(Id::Tags, Value::Array(Array::String(texts)));
}

/// Writes the finish reason: a list in the GenAI conventions, one text in OpenInference.
pub(super) fn finish_reason(edit: &mut Edit<'_>) {
    let list = edit.found.value(Id::FinishReasons).cloned();
    let single = edit.found.text(Id::FinishReason).map(str::to_owned);
    if edit.dialect.has_open_inference()
        && let Some(Value::Array(Array::String(texts))) = &list
        && let Some(first) = texts.first()
    {
        edit.write(Id::FinishReason, first.clone());
        edit.removes(Id::FinishReasons);
    }
    if let (None, Some(single)) = (list, single)
        && edit.dialect.has_gen_ai()
    {
        let texts = vec![single.into()];
        edit.write(Id::FinishReasons, Value::Array(Array::String(texts)));
        edit.removes(Id::FinishReason);
    }
}

/// Writes metadata as attributes by key, for Langfuse and LangSmith.
pub(super) fn metadata(edit: &mut Edit<'_>) {
    let prefix = match edit.dialect {
        Dialect::Langfuse => LANGFUSE_METADATA,
        Dialect::LangSmith => LANGSMITH_METADATA,
        _ => return,
    };
    let text = edit.found.text(Id::Metadata);
    let members: Option<Map<String, Json>> = text.and_then(|text| serde_json::from_str(text).ok());
    for (name, value) in members.into_iter().flatten().take(MAX_METADATA) {
        let key = format!("{prefix}{name}");
        let is_written = edit.found.has(&key) || edit.added.iter().any(|of| of.key.as_str() == key);
        if !is_written {
            edit.added.push(KeyValue::new(key, messages::text(&value)));
        }
    }
}

/// Writes the fields that only Langfuse reads.
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
        edit.write(Id::CostDetails, Json::Object(cost).to_string());
    }
    let seconds = edit.found.number(Id::FirstChunk);
    let after = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    if let Some(time) = after.and_then(|after| start.checked_add(after)) {
        edit.write(Id::CompletionStart, rfc3339(time));
    }
    // Langfuse adds up every key below `gen_ai.usage`, and knows the older one.
    let [new, old] = Id::CacheWriteTokens.field().gen_ai else {
        return;
    };
    if edit.found.has(old) || edit.added.iter().any(|of| of.key.as_str() == *old) {
        edit.added.retain(|of| of.key.as_str() != *new);
        edit.removed.extend(edit.found.position_of(new));
    }
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
        edit.write(Id::TotalTokens, input.saturating_add(output));
    }
}
