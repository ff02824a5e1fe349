//! The GenAI conventions, OpenInference and the older names of Traceloop.

use opentelemetry::KeyValue;

use super::*;

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
    let found = translated(Dialect::GenAi, recorded(OPEN_INFERENCE));
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
            ("llm.finish_reason", "tool_calls"),
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
