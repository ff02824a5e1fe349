//! The names that only Langfuse or LangSmith reads, and fields of the whole trace.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use super::*;

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
    for key in [
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.prompt.name",
        "gen_ai.prompt.version",
    ] {
        assert!(!found.contains_key(key), "{key}");
    }
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

/// Langfuse takes every key below `gen_ai.prompt` for the input, and adds up every key below
/// `gen_ai.usage`.
#[test]
fn langfuse_receives_no_key_that_it_takes_for_another() {
    let mut attributes = recorded(OPEN_INFERENCE);
    attributes.extend(recorded(&[
        ("traceloop.prompt.key", "support"),
        ("llm.token_count.prompt_details.audio", "5"),
        ("gen_ai.usage.image.input_tokens", "6"),
        ("gen_ai.usage.audio.output_tokens", "7"),
        ("gen_ai.prompt.variable.city", "Bern"),
        ("gen_ai.prompt.0.content", "Where is it?"),
    ]));
    let found = translated(Dialect::Langfuse, attributes);
    assert_has(
        &found,
        &[
            ("langfuse.observation.prompt.name", "support"),
            ("langfuse.observation.prompt.version", "3"),
            ("langfuse.observation.metadata.prompt_variable.city", "Bern"),
            ("llm.token_count.prompt_details.audio", "5"),
        ],
    );
    let prompt: Vec<_> = found
        .keys()
        .filter(|key| key.starts_with("gen_ai.prompt"))
        .collect();
    assert_eq!(prompt, ["gen_ai.prompt.0.content"]);
    let usage: Vec<_> = found
        .keys()
        .filter(|key| key.starts_with("gen_ai.usage."))
        .collect();
    assert_eq!(
        usage,
        [
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cost",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.reasoning.output_tokens",
        ]
    );
}

#[test]
fn langfuse_receives_the_model_that_answered() {
    let found = translated(Dialect::Langfuse, generation());
    let model = "langfuse.observation.model.name";
    assert_has(&found, &[(model, "gpt-5-mini-2026")]);
    let mut asked = generation();
    asked.retain(|of| of.key.as_str() != "gen_ai.response.model");
    let found = translated(Dialect::Langfuse, asked);
    assert_has(
        &found,
        &[
            (model, "gpt-5-mini"),
            ("gen_ai.request.model", "gpt-5-mini"),
        ],
    );
    let own = recorded(&[(model, "own"), ("gen_ai.response.model", "other")]);
    assert_has(&translated(Dialect::Langfuse, own), &[(model, "own")]);
}

#[test]
fn langsmith_has_the_conversation_as_its_thread() {
    let both = recorded(&[("session.id", "s-1"), ("gen_ai.conversation.id", "c-1")]);
    let found = translated(Dialect::LangSmith, both);
    assert_has(
        &found,
        &[
            ("langsmith.metadata.session_id", "s-1"),
            ("langsmith.metadata.thread_id", "c-1"),
        ],
    );
    // It does not read the name of another vendor.
    let other = recorded(&[
        ("langfuse.observation.type", "tool"),
        ("langfuse.observation.input", "Where?"),
        ("langfuse.observation.output", "Here."),
    ]);
    assert_has(
        &translated(Dialect::LangSmith, other),
        &[("input.value", "Where?"), ("output.value", "Here.")],
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
fn usage_of_agents_is_left_out_where_it_counts_twice() {
    let agents = [
        ("gen_ai.operation.name", "invoke_agent"),
        ("openinference.span.kind", "AGENT"),
        ("traceloop.span.kind", "agent"),
        ("langfuse.observation.type", "agent"),
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

/// The calls of a remote agent may be recorded elsewhere.
#[test]
fn usage_of_remote_agents_stays() {
    for dialect in ALL {
        let translator = Translator::new(dialect, &Resource::builder_empty().build());
        let mut agent = span(vec![
            KeyValue::new("gen_ai.operation.name", "invoke_agent"),
            KeyValue::new("gen_ai.usage.input_tokens", 812),
        ]);
        agent.span_kind = SpanKind::Client;
        translator.prepare(&mut agent);
        translator.translate(&mut agent);
        let mut values = agent.attributes.iter().map(|of| &of.value);
        assert!(values.any(|value| *value == Value::I64(812)), "{dialect:?}");
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

/// A trace has several local roots if its calls return to this process.
#[test]
fn later_local_root_does_not_replace_the_fields_of_the_first() {
    let translator = Translator::new(Dialect::Langfuse, &Resource::builder_empty().build());
    let fields = translator.trace_fields.as_ref().unwrap();
    fields.started(&span(vec![KeyValue::new("session.id", "s-1")]));
    fields.started(&span(vec![KeyValue::new("session.id", "s-2")]));
    let mut child = span(Vec::new());
    translator.prepare(&mut child);
    assert_eq!(child.attributes, [KeyValue::new("session.id", "s-1")]);
}
