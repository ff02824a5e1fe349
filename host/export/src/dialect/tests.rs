//! Tests of the translation. The expected attributes are those that each backend documents.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::{Dialect, Translator, page};
use crate::redaction::{Redaction, SpanProcessing};

const ALL: [Dialect; 5] = [
    Dialect::GenAi,
    Dialect::OpenInference,
    Dialect::Langfuse,
    Dialect::LangSmith,
    Dialect::Both,
];

pub(super) fn span(attributes: Vec<KeyValue>) -> SpanData {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(1),
            SpanId::from(2),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "span".into(),
        start_time: start,
        end_time: start,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

fn texts(list: &[&'static str]) -> Value {
    Value::Array(Array::String(
        list.iter().map(|text| (*text).into()).collect(),
    ))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(Array::String(texts)) => {
            let texts: Vec<_> = texts.iter().map(|text| text.as_str()).collect();
            format!("{texts:?}")
        }
        other => other.to_string(),
    }
}

fn translated(dialect: Dialect, attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
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
fn assert_attributes(found: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    let expected: BTreeMap<_, _> = expected
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    assert_eq!(found, &expected);
}

/// Checks that these are among the attributes.
#[track_caller]
fn assert_has(found: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        let found_value = found.get(*key).map(String::as_str);
        assert_eq!(found_value, Some(*value), "{key} in {found:#?}");
    }
}

const INPUT: &str = r#"[{"parts":[{"content":"Where is it?","type":"text"}],"role":"user"},{"parts":[{"arguments":{"id":17},"id":"c-1","name":"search","type":"tool_call"}],"role":"assistant"},{"parts":[{"id":"c-1","response":{"at":"home"},"type":"tool_call_response"}],"role":"tool"}]"#;
const OUTPUT: &str = r#"[{"finish_reason":"stop","parts":[{"content":"Here.","type":"text"},{"content":"hm","type":"reasoning"}],"role":"assistant"}]"#;

/// A model call in the GenAI conventions.
fn generation() -> Vec<KeyValue> {
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
const OPEN_INFERENCE: &[(&str, &str)] = &[
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

fn recorded(attributes: &[(&'static str, &'static str)]) -> Vec<KeyValue> {
    let all = attributes.iter();
    all.map(|(key, value)| KeyValue::new(*key, *value))
        .collect()
}

#[test]
fn generation_is_translated_to_open_inference() {
    let found = translated(Dialect::OpenInference, generation());
    assert_attributes(&found, OPEN_INFERENCE);
    // Both conventions are the sum.
    let both = translated(Dialect::Both, generation());
    assert_has(&both, OPEN_INFERENCE);
    for attribute in generation() {
        assert_eq!(both[attribute.key.as_str()], shown(&attribute.value));
    }
}

/// The numbers of the recorded attributes are texts, as some libraries write them.
#[test]
fn open_inference_is_translated_to_the_conventions() {
    let span: Vec<_> = OPEN_INFERENCE.iter().copied().collect();
    let found = translated(Dialect::GenAi, recorded(&span));
    let expected: &[(&str, &str)] = &[
        ("gen_ai.conversation.id", "s-1"),
        (
            "gen_ai.input.messages",
            concat!(
                r#"[{"parts":[{"content":"Be kind.","type":"text"}],"role":"system"},"#,
                r#"{"parts":[{"content":"Where is it?","type":"text"}],"role":"user"},"#,
                r#"{"parts":[{"arguments":{"id":17},"id":"c-1","name":"search","type":"tool_call"}],"role":"assistant"},"#,
                r#"{"parts":[{"id":"c-1","response":{"at":"home"},"type":"tool_call_response"}],"role":"tool"}]"#,
            ),
        ),
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.output.messages", OUTPUT),
        ("gen_ai.prompt.name", "support"),
        ("gen_ai.prompt.version", "3"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.max_tokens", "100"),
        ("gen_ai.request.model", "gpt-5-mini"),
        ("gen_ai.request.stop_sequences", r#"["END"]"#),
        ("gen_ai.request.temperature", "0.5"),
        ("gen_ai.response.finish_reasons", r#"["stop"]"#),
        ("gen_ai.response.model", "gpt-5-mini-2026"),
        ("gen_ai.response.time_to_first_chunk", "0.25"),
        (
            "gen_ai.tool.definitions",
            r#"[{"name":"search","type":"function"}]"#,
        ),
        ("gen_ai.usage.cache_creation.input_tokens", "8"),
        ("gen_ai.usage.cache_read.input_tokens", "512"),
        ("gen_ai.usage.cache_write.input_tokens", "8"),
        ("gen_ai.usage.cost", "0.5"),
        ("gen_ai.usage.input_tokens", "812"),
        ("gen_ai.usage.output_tokens", "96"),
        ("gen_ai.usage.reasoning.output_tokens", "40"),
        ("spanmux.cost.input", "0.25"),
        ("spanmux.cost.output", "0.25"),
    ];
    assert_has(&found, expected);
    let rest: Vec<_> = found
        .keys()
        .filter(|key| expected.iter().all(|(known, _)| known != key))
        .collect();
    let kept = [
        "input.mime_type",
        "input.value",
        "llm.token_count.total",
        "metadata",
        "output.mime_type",
        "output.value",
        "session.id",
        "tag.tags",
        "user.id",
    ];
    assert_eq!(rest, kept);
}

/// A span of OpenLLMetry (Traceloop) before it adopted the conventions.
#[test]
fn older_names_of_traceloop_are_read() {
    let call = || {
        recorded(&[
            ("gen_ai.system", "openai"),
            ("llm.request.type", "chat"),
            ("gen_ai.request.model", "gpt-5-mini"),
            ("gen_ai.usage.prompt_tokens", "10"),
            ("gen_ai.usage.completion_tokens", "20"),
            ("llm.usage.total_tokens", "30"),
            ("gen_ai.prompt.0.role", "user"),
            ("gen_ai.prompt.0.content", "Where?"),
            ("gen_ai.completion.0.role", "assistant"),
            ("gen_ai.completion.0.finish_reason", "tool_calls"),
            ("gen_ai.completion.0.tool_calls.0.id", "c-1"),
            ("gen_ai.completion.0.tool_calls.0.name", "search"),
            ("gen_ai.completion.0.tool_calls.0.arguments", r#"{"id":17}"#),
            ("traceloop.association.properties.session_id", "s-1"),
            ("traceloop.association.properties.user_id", "u-1"),
        ])
    };
    let output = r#"[{"finish_reason":"tool_calls","parts":[{"arguments":{"id":17},"id":"c-1","name":"search","type":"tool_call"}],"role":"assistant"}]"#;
    assert_attributes(
        &translated(Dialect::GenAi, call()),
        &[
            ("gen_ai.conversation.id", "s-1"),
            (
                "gen_ai.input.messages",
                r#"[{"parts":[{"content":"Where?","type":"text"}],"role":"user"}]"#,
            ),
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.output.messages", output),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", "gpt-5-mini"),
            ("gen_ai.usage.input_tokens", "10"),
            ("gen_ai.usage.output_tokens", "20"),
            ("llm.usage.total_tokens", "30"),
            ("session.id", "s-1"),
            ("user.id", "u-1"),
        ],
    );
    assert_attributes(
        &translated(Dialect::OpenInference, call()),
        &[
            ("input.mime_type", "text/plain"),
            ("input.value", "Where?"),
            ("llm.input_messages.0.message.content", "Where?"),
            ("llm.input_messages.0.message.role", "user"),
            ("llm.model_name", "gpt-5-mini"),
            ("llm.output_messages.0.message.role", "assistant"),
            (
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
                r#"{"id":17}"#,
            ),
            (
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.name",
                "search",
            ),
            (
                "llm.output_messages.0.message.tool_calls.0.tool_call.id",
                "c-1",
            ),
            ("llm.provider", "openai"),
            ("llm.token_count.completion", "20"),
            ("llm.token_count.prompt", "10"),
            ("llm.token_count.total", "30"),
            ("openinference.span.kind", "LLM"),
            ("output.mime_type", "application/json"),
            ("output.value", output),
            ("session.id", "s-1"),
            ("user.id", "u-1"),
        ],
    );
    let step = |kind| {
        recorded(&[
            ("traceloop.span.kind", kind),
            ("traceloop.entity.name", "search"),
            ("traceloop.entity.input", r#"{"args":[]}"#),
        ])
    };
    assert_has(
        &translated(Dialect::GenAi, step("tool")),
        &[
            ("gen_ai.operation.name", "execute_tool"),
            ("gen_ai.tool.name", "search"),
            ("gen_ai.tool.call.arguments", r#"{"args":[]}"#),
        ],
    );
    assert_has(
        &translated(Dialect::OpenInference, step("task")),
        &[
            ("openinference.span.kind", "CHAIN"),
            ("input.value", r#"{"args":[]}"#),
        ],
    );
}

#[test]
fn langfuse_reads_its_own_names() {
    let found = translated(Dialect::Langfuse, generation());
    assert_has(
        &found,
        &[
            ("langfuse.observation.type", "generation"),
            (
                "langfuse.observation.cost_details",
                r#"{"input":0.25,"output":0.25,"total":0.5}"#,
            ),
            (
                "langfuse.observation.completion_start_time",
                "2027-01-15T08:00:00.250Z",
            ),
            ("langfuse.observation.prompt.name", "support"),
            ("langfuse.observation.prompt.version", "3"),
            ("langfuse.trace.tags", r#"["beta", "eu"]"#),
            ("langfuse.trace.metadata.tier", "gold"),
            ("langfuse.trace.metadata.seat", "7"),
            ("session.id", "s-1"),
            ("user.id", "u-1"),
            ("gen_ai.usage.cache_creation.input_tokens", "8"),
            ("gen_ai.input.messages", INPUT),
        ],
    );
    assert!(!found.contains_key("gen_ai.usage.cache_write.input_tokens"));
    let workflow = recorded(&[("gen_ai.operation.name", "invoke_workflow")]);
    assert_has(
        &translated(Dialect::Langfuse, workflow),
        &[("langfuse.observation.type", "chain")],
    );
    let search = recorded(&[
        ("gen_ai.operation.name", "retrieval"),
        ("gen_ai.retrieval.query.text", "refund"),
        ("gen_ai.retrieval.documents", r#"[{"id":"d-1"}]"#),
    ]);
    assert_has(
        &translated(Dialect::Langfuse, search),
        &[
            ("langfuse.observation.type", "retriever"),
            ("langfuse.observation.input", "refund"),
            ("langfuse.observation.output", r#"[{"id":"d-1"}]"#),
        ],
    );
}

#[test]
fn langsmith_reads_its_own_names() {
    assert_has(
        &translated(Dialect::LangSmith, generation()),
        &[
            ("langsmith.span.kind", "llm"),
            ("langsmith.metadata.session_id", "s-1"),
            ("langsmith.metadata.thread_id", "s-1"),
            ("langsmith.metadata.user_id", "u-1"),
            ("langsmith.metadata.tier", "gold"),
            ("langsmith.metadata.prompt_name", "support"),
            ("langsmith.span.tags", "beta, eu"),
            ("gen_ai.system", "openai"),
            ("gen_ai.usage.details.reasoning_tokens", "40"),
        ],
    );
    let tool = recorded(&[
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.call.arguments", r#"{"id":17}"#),
        ("gen_ai.tool.call.result", "home"),
    ]);
    assert_has(
        &translated(Dialect::LangSmith, tool),
        &[
            ("langsmith.span.kind", "tool"),
            ("input.value", r#"{"id":17}"#),
            ("output.value", "home"),
        ],
    );
    let embedding = recorded(&[("gen_ai.operation.name", "embeddings")]);
    assert_has(
        &translated(Dialect::LangSmith, embedding),
        &[("langsmith.span.kind", "embedding")],
    );
}

#[test]
fn retrievals_tools_and_embeddings_are_translated_in_both_directions() {
    let in_open_inference: &[(&[_], &[_])] = &[
        (
            &[
                ("gen_ai.operation.name", "retrieval"),
                ("gen_ai.retrieval.query.text", "refund"),
                (
                    "gen_ai.retrieval.documents",
                    r#"[{"content":"A week.","id":"d-1","score":0.5},{"id":"d-2"}]"#,
                ),
            ],
            &[
                ("openinference.span.kind", "RETRIEVER"),
                ("input.value", "refund"),
                ("retrieval.documents.0.document.content", "A week."),
                ("retrieval.documents.0.document.id", "d-1"),
                ("retrieval.documents.0.document.score", "0.5"),
                ("retrieval.documents.1.document.id", "d-2"),
            ],
        ),
        (
            &[
                ("gen_ai.operation.name", "execute_tool"),
                ("gen_ai.tool.name", "search"),
                ("gen_ai.tool.call.id", "c-1"),
                ("gen_ai.tool.call.arguments", r#"{"id":17}"#),
                ("gen_ai.tool.call.result", "home"),
            ],
            &[
                ("openinference.span.kind", "TOOL"),
                ("tool.name", "search"),
                ("tool.id", "c-1"),
                ("input.value", r#"{"id":17}"#),
                ("output.value", "home"),
            ],
        ),
        (
            &[
                ("gen_ai.operation.name", "embeddings"),
                ("gen_ai.request.model", "small"),
                ("input.value", r#"["one","two"]"#),
            ],
            &[
                ("openinference.span.kind", "EMBEDDING"),
                ("embedding.model_name", "small"),
                ("embedding.embeddings.0.embedding.text", "one"),
                ("embedding.embeddings.1.embedding.text", "two"),
            ],
        ),
    ];
    for (gen_ai, open_inference) in in_open_inference {
        let there = translated(Dialect::OpenInference, recorded(gen_ai));
        assert_has(&there, open_inference);
        assert!(
            there.keys().all(|key| !key.starts_with("gen_ai.")),
            "{there:#?}"
        );
        assert!(!there.contains_key("llm.model_name"), "{there:#?}");
        let attributes = there.iter().map(|(key, value)| match value.parse::<f64>() {
            Ok(number) if key.ends_with("score") => KeyValue::new(key.clone(), number),
            _ => KeyValue::new(key.clone(), value.clone()),
        });
        let back = translated(Dialect::GenAi, attributes.collect());
        assert_has(&back, gen_ai);
    }
}

#[test]
fn span_without_ai_attributes_is_not_changed() {
    let attributes = || {
        vec![
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("http.response.status_code", "200"),
            KeyValue::new("llm.unknown", "1"),
        ]
    };
    for dialect in ALL {
        let translator = Translator::new(dialect, &Resource::builder_empty().build());
        let mut span = span(attributes());
        translator.prepare(&mut span);
        let from = translator.translate(&mut span);
        assert_eq!(span.attributes, attributes(), "{dialect:?}");
        assert_eq!(from, attributes().len());
    }
}

#[test]
fn span_in_the_conventions_is_not_changed() {
    let found = translated(Dialect::GenAi, generation());
    for attribute in generation() {
        assert_eq!(found[attribute.key.as_str()], shown(&attribute.value));
    }
    assert_eq!(found.len(), generation().len());
}

#[test]
fn numbers_that_are_texts_become_numbers() {
    for dialect in ALL {
        let translator = Translator::new(dialect, &Resource::builder_empty().build());
        let mut span = span(recorded(&[
            ("gen_ai.usage.input_tokens", "812"),
            ("gen_ai.usage.cost", "0.5"),
            ("gen_ai.usage.output_tokens", "many"),
            ("gen_ai.response.id", "17"),
        ]));
        translator.translate(&mut span);
        let value = |names: &[&str]| {
            let mut all = span.attributes.iter();
            let found = all.find(|of| names.contains(&of.key.as_str()));
            found.map(|of| of.value.clone())
        };
        let input = value(&["gen_ai.usage.input_tokens", "llm.token_count.prompt"]);
        assert_eq!(input, Some(Value::I64(812)), "{dialect:?}");
        let cost = value(&["gen_ai.usage.cost", "llm.cost.total"]);
        assert_eq!(cost, Some(Value::F64(0.5)), "{dialect:?}");
        let output = value(&["gen_ai.usage.output_tokens", "llm.token_count.completion"]);
        assert_eq!(output, Some("many".into()));
        assert_eq!(value(&["gen_ai.response.id"]), Some("17".into()));
    }
}

#[test]
fn usage_of_agents_is_left_out_where_it_counts_twice() {
    let agents = [
        ("gen_ai.operation.name", "invoke_agent"),
        ("openinference.span.kind", "AGENT"),
        ("traceloop.span.kind", "agent"),
    ];
    for (key, value) in agents {
        let attributes = || {
            let mut all = generation();
            all.retain(|of| of.key.as_str() != "gen_ai.operation.name");
            all.push(KeyValue::new(key, value));
            all.push(KeyValue::new("llm.token_count.prompt", 812));
            all
        };
        for dialect in ALL {
            let found = translated(dialect, attributes());
            let is_usage = |key: &String| {
                key.contains(".usage.") || key.contains("token_count") || key.contains("cost")
            };
            let usage = found.keys().filter(|key| is_usage(key)).count();
            let left_out = matches!(dialect, Dialect::OpenInference | Dialect::LangSmith);
            assert_eq!(usage == 0, left_out, "{dialect:?} {key}: {found:#?}");
            assert!(found.len() > 10);
        }
    }
}

#[test]
fn environment_and_release_are_on_every_span() {
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("deployment.environment.name", "staging"),
            KeyValue::new("service.version", "1.2"),
        ])
        .build();
    for (dialect, environment, release) in [
        (
            Dialect::Langfuse,
            "langfuse.environment",
            "langfuse.release",
        ),
        (
            Dialect::LangSmith,
            "langsmith.metadata.environment",
            "langsmith.metadata.revision_id",
        ),
    ] {
        let translator = Translator::new(dialect, &resource);
        let mut plain = span(Vec::new());
        translator.translate(&mut plain);
        let expected = [
            KeyValue::new(environment, "staging"),
            KeyValue::new(release, "1.2"),
        ];
        assert_eq!(plain.attributes, expected);
        // A span keeps its own.
        let mut own = span(vec![KeyValue::new(environment, "test")]);
        translator.translate(&mut own);
        assert_eq!(own.attributes[0].value, "test".into());
        assert_eq!(own.attributes.len(), 2);
    }
}

#[test]
fn every_span_has_the_session_of_the_first() {
    for dialect in ALL {
        let translator = Translator::new(dialect, &Resource::builder_empty().build());
        let root = span(vec![
            KeyValue::new("gen_ai.conversation.id", "s-1"),
            KeyValue::new("user.id", "u-1"),
            KeyValue::new("tag.tags", texts(&["beta"])),
        ]);
        let Some(fields) = &translator.trace_fields else {
            assert!(dialect.has_only_conventions());
            continue;
        };
        fields.started(&root);
        let mut child = span(vec![KeyValue::new("user.id", "u-2")]);
        translator.prepare(&mut child);
        translator.translate(&mut child);
        let value = |key: &str| {
            let found = child.attributes.iter().find(|of| of.key.as_str() == key);
            found.map(|of| shown(&of.value))
        };
        assert_eq!(value("session.id").as_deref(), Some("s-1"));
        assert_eq!(value("user.id").as_deref(), Some("u-2"));
        let tags = value("langfuse.trace.tags").or_else(|| value("langsmith.span.tags"));
        assert!(tags.is_some_and(|tags| tags.contains("beta")));
        // Fields that are too large are not shared.
        let big = span(vec![KeyValue::new("session.id", "x".repeat(2_000))]);
        let other = Translator::new(dialect, &Resource::builder_empty().build());
        other.trace_fields.as_ref().unwrap().started(&big);
        let mut child = span(Vec::new());
        other.prepare(&mut child);
        assert!(child.attributes.is_empty());
    }
}

/// A secret in any attribute is hidden in every dialect, under the recorded and the new name.
#[test]
fn no_secret_survives_the_translation() {
    const SECRET: &str = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOP";
    let fields = super::fields::FIELDS.iter();
    let names = fields.flat_map(|field| field.names());
    let numbered = [
        "llm.input_messages.0.message.content",
        "llm.output_messages.0.message.contents.0.message_content.text",
        "gen_ai.prompt.0.content",
        "gen_ai.completion.0.tool_calls.0.arguments",
        "llm.tools.0.tool.json_schema",
        "retrieval.documents.0.document.content",
        "embedding.embeddings.0.embedding.text",
    ];
    let names: Vec<_> = names.chain(numbered).collect();
    let messages = [
        SECRET.to_owned(),
        format!(r#"{{"password":"{SECRET}","note":"api_key={SECRET}"}}"#),
        format!(
            r#"[{{"role":"user","parts":[{{"type":"text","content":"{SECRET}"}}],"finish_reason":"stop"}}]"#
        ),
        format!(
            r#"[{{"role":"assistant","parts":[{{"type":"tool_call","id":"1","name":"t","arguments":{{"password":"hunter2-{SECRET}"}}}}]}}]"#
        ),
        format!(r#"[{{"id":"d","content":"Bearer {SECRET}","metadata":{{"token":"{SECRET}"}}}}]"#),
        format!(r#"["{SECRET}"]"#),
    ];
    let operations = [
        "chat",
        "execute_tool",
        "retrieval",
        "embeddings",
        "invoke_agent",
    ];
    for dialect in ALL {
        for text in &messages {
            for operation in operations {
                let mut attributes: Vec<_> = names
                    .iter()
                    .filter(|name| **name != "gen_ai.operation.name")
                    .map(|name| KeyValue::new(*name, text.clone()))
                    .collect();
                attributes.push(KeyValue::new("gen_ai.operation.name", operation));
                let shown = processed(dialect, Redaction::default(), attributes);
                assert!(
                    !shown.contains("abcdefghij"),
                    "{dialect:?} {operation}: {shown}"
                );
                assert!(
                    !shown.contains("hunter2"),
                    "{dialect:?} {operation}: {shown}"
                );
            }
        }
    }
}

/// A rule for a key hides the value under every name.
#[test]
fn rules_apply_to_both_names() {
    let rules = [
        ("user.id", "user.id", "u-secret"),
        (
            "gen_ai.retrieval.query.text",
            "gen_ai.retrieval.query.text",
            "q-secret",
        ),
        // The names of the backends.
        ("user.id", "langsmith.metadata.user_id", "u-secret"),
        (
            "gen_ai.prompt.name",
            "langfuse.observation.prompt.name",
            "p-secret",
        ),
        ("gen_ai.request.model", "llm.model_name", "m-secret"),
    ];
    for (key, rule, value) in rules {
        for dialect in ALL {
            let redaction = Redaction::default().keys([rule]);
            let attributes = vec![
                KeyValue::new("gen_ai.operation.name", "retrieval"),
                KeyValue::new(key, value),
            ];
            let shown = processed(dialect, redaction, attributes);
            let writes = |name: &str| shown.contains(name);
            let hides_new = key != rule && writes(rule);
            if key == rule {
                assert!(!shown.contains(value), "{dialect:?} {rule}: {shown}");
            } else if hides_new {
                let (_, after) = shown.split_once(rule).unwrap();
                let of_key = after.split("key:").next().unwrap();
                assert!(!of_key.contains(value), "{dialect:?} {rule}: {shown}");
            }
        }
    }
}

fn processed(dialect: Dialect, redaction: Redaction, attributes: Vec<KeyValue>) -> String {
    let processing = SpanProcessing {
        redaction,
        translator: Some(Translator::new(dialect, &Resource::builder_empty().build())),
        ..SpanProcessing::default()
    };
    let mut batch = vec![span(attributes)];
    processing.batch(&mut batch);
    format!("{:?}", batch[0].attributes)
}

#[test]
fn page_of_the_documentation_is_generated() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/dialects.md");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == page(),
        "docs/dialects.md is not current; renew it with \
         `cargo run -q -p spanmux-export --example dialects > docs/dialects.md`"
    );
}
