//! Tests of the translation. The expected attributes are those that each backend documents.

mod conventions;
mod kept;
mod once;
mod redaction;
mod unchanged;
mod vendors;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::SpanKind;
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use super::{Dialect, Translator};

pub(super) const ALL: [Dialect; 5] = [
    Dialect::GenAi,
    Dialect::OpenInference,
    Dialect::Langfuse,
    Dialect::LangSmith,
    Dialect::Both,
];

pub(super) fn span(attributes: Vec<KeyValue>) -> SpanData {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    SpanData {
        start_time: start,
        end_time: start,
        attributes,
        ..crate::delivery::tests::span("span")
    }
}

pub(super) fn texts(list: &[&'static str]) -> Value {
    Value::Array(Array::String(
        list.iter().map(|text| (*text).into()).collect(),
    ))
}

pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Array(Array::String(texts)) => {
            let texts: Vec<_> = texts.iter().map(|text| text.as_str()).collect();
            format!("{texts:?}")
        }
        other => other.to_string(),
    }
}

pub(super) fn translated(dialect: Dialect, attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let translator = Translator::new(dialect, &Resource::builder_empty().build());
    let mut span = span(attributes);
    translator.prepare(&mut span);
    translator.translate(&mut span);
    let count = span.attributes.len();
    let all = span.attributes.into_iter();
    let all: BTreeMap<_, _> = all
        .map(|of| (of.key.to_string(), shown(&of.value)))
        .collect();
    assert_eq!(all.len(), count, "a key is written twice: {all:#?}");
    all
}

/// Checks that these are the attributes, no more and no less.
#[track_caller]
pub(super) fn assert_attributes(found: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    let expected: BTreeMap<_, _> = expected
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    assert_eq!(found, &expected);
}

/// Checks that these are among the attributes.
#[track_caller]
pub(super) fn assert_has(found: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        let found_value = found.get(*key).map(String::as_str);
        assert_eq!(found_value, Some(*value), "{key} in {found:#?}");
    }
}

pub(super) const INPUT: &str = r#"[{"parts":[{"content":"Where is it?","type":"text"}],"role":"user"},{"parts":[{"arguments":{"id":17},"id":"c-1","name":"search","type":"tool_call"}],"role":"assistant"},{"parts":[{"id":"c-1","response":{"at":"home"},"type":"tool_call_response"}],"role":"tool"}]"#;
pub(super) const OUTPUT: &str = r#"[{"finish_reason":"stop","parts":[{"content":"Here.","type":"text"},{"content":"hm","type":"reasoning"}],"role":"assistant"}]"#;

/// A model call in the GenAI conventions.
pub(super) fn generation() -> Vec<KeyValue> {
    vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.provider.name", "openai"),
        KeyValue::new("gen_ai.request.model", "gpt-5-mini"),
        KeyValue::new("gen_ai.request.temperature", 0.5),
        KeyValue::new("gen_ai.request.max_tokens", 100),
        KeyValue::new("gen_ai.request.stop_sequences", texts(&["END"])),
        KeyValue::new("gen_ai.response.model", "gpt-5-mini-2026"),
        KeyValue::new("gen_ai.response.finish_reasons", texts(&["stop"])),
        KeyValue::new("gen_ai.response.time_to_first_chunk", 0.25),
        KeyValue::new("gen_ai.usage.input_tokens", 812),
        KeyValue::new("gen_ai.usage.output_tokens", 96),
        KeyValue::new("gen_ai.usage.cache_read.input_tokens", 512),
        KeyValue::new("gen_ai.usage.cache_write.input_tokens", 8),
        KeyValue::new("gen_ai.usage.cache_creation.input_tokens", 8),
        KeyValue::new("gen_ai.usage.reasoning.output_tokens", 40),
        KeyValue::new("gen_ai.usage.cost", 0.5),
        KeyValue::new("spanmux.cost.input", 0.25),
        KeyValue::new("spanmux.cost.output", 0.25),
        KeyValue::new("gen_ai.prompt.name", "support"),
        KeyValue::new("gen_ai.prompt.version", "3"),
        KeyValue::new(
            "gen_ai.tool.definitions",
            r#"[{"name":"search","type":"function"}]"#,
        ),
        KeyValue::new(
            "gen_ai.system_instructions",
            r#"[{"content":"Be kind.","type":"text"}]"#,
        ),
        KeyValue::new("gen_ai.input.messages", INPUT),
        KeyValue::new("gen_ai.output.messages", OUTPUT),
        KeyValue::new("gen_ai.conversation.id", "s-1"),
        KeyValue::new("session.id", "s-1"),
        KeyValue::new("user.id", "u-1"),
        KeyValue::new("tag.tags", texts(&["beta", "eu"])),
        KeyValue::new("metadata", r#"{"tier":"gold","seat":7}"#),
    ]
}

/// The same call in OpenInference.
pub(super) const OPEN_INFERENCE: &[(&str, &str)] = &[
    ("gen_ai.prompt.name", "support"),
    ("gen_ai.response.time_to_first_chunk", "0.25"),
    ("input.mime_type", "application/json"),
    ("input.value", INPUT),
    ("llm.cost.completion", "0.25"),
    ("llm.cost.prompt", "0.25"),
    ("llm.cost.total", "0.5"),
    ("llm.finish_reason", "stop"),
    ("llm.input_messages.0.message.content", "Be kind."),
    ("llm.input_messages.0.message.role", "system"),
    ("llm.input_messages.1.message.content", "Where is it?"),
    ("llm.input_messages.1.message.role", "user"),
    ("llm.input_messages.2.message.role", "assistant"),
    (
        "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments",
        r#"{"id":17}"#,
    ),
    (
        "llm.input_messages.2.message.tool_calls.0.tool_call.function.name",
        "search",
    ),
    (
        "llm.input_messages.2.message.tool_calls.0.tool_call.id",
        "c-1",
    ),
    ("llm.input_messages.3.message.content", r#"{"at":"home"}"#),
    ("llm.input_messages.3.message.role", "tool"),
    ("llm.input_messages.3.message.tool_call_id", "c-1"),
    (
        "llm.invocation_parameters",
        r#"{"max_tokens":100,"stop":["END"],"temperature":0.5}"#,
    ),
    ("llm.model_name", "gpt-5-mini"),
    ("llm.output_messages.0.message.content", "Here."),
    (
        "llm.output_messages.0.message.contents.0.message_content.text",
        "hm",
    ),
    (
        "llm.output_messages.0.message.contents.0.message_content.type",
        "reasoning",
    ),
    ("llm.output_messages.0.message.role", "assistant"),
    ("llm.prompt_template.version", "3"),
    ("llm.provider", "openai"),
    ("llm.response.model_name", "gpt-5-mini-2026"),
    ("llm.token_count.completion", "96"),
    ("llm.token_count.completion_details.reasoning", "40"),
    ("llm.token_count.prompt", "812"),
    ("llm.token_count.prompt_details.cache_read", "512"),
    ("llm.token_count.prompt_details.cache_write", "8"),
    ("llm.token_count.total", "908"),
    ("llm.tools.0.tool.name", "search"),
    ("metadata", r#"{"tier":"gold","seat":7}"#),
    ("openinference.span.kind", "LLM"),
    ("output.mime_type", "application/json"),
    ("output.value", OUTPUT),
    ("session.id", "s-1"),
    ("tag.tags", r#"["beta", "eu"]"#),
    ("user.id", "u-1"),
];

pub(super) fn recorded(attributes: &[(&'static str, &'static str)]) -> Vec<KeyValue> {
    let all = attributes.iter();
    all.map(|(key, value)| KeyValue::new(*key, *value))
        .collect()
}
