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
