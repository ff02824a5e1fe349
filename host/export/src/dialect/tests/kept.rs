//! Facts and content that another name cannot replace stay as they were recorded.

use opentelemetry::{KeyValue, Value};

use super::*;

/// The conversation and the session, the system and the provider, and so on, may differ.
#[test]
fn values_that_differ_stay() {
    let rows: &[(Dialect, &[(&'static str, &'static str)])] = &[
        (
            Dialect::OpenInference,
            &[("session.id", "s-1"), ("gen_ai.conversation.id", "c-1")],
        ),
        (
            Dialect::OpenInference,
            &[("llm.provider", "azure"), ("llm.system", "openai")],
        ),
        (
            Dialect::OpenInference,
            &[("llm.provider", "openai"), ("llm.system", "openai")],
        ),
        (
            Dialect::GenAi,
            &[("gen_ai.provider.name", "azure"), ("llm.system", "openai")],
        ),
        (
            Dialect::GenAi,
            &[
                ("gen_ai.request.model", "small"),
                ("llm.model_name", "small-2026"),
            ],
        ),
        (
            Dialect::GenAi,
            &[
                ("gen_ai.request.top_p", "0.5"),
                ("llm.invocation_parameters", r#"{"top_p":0.25}"#),
            ],
        ),
        (
            Dialect::OpenInference,
            &[
                ("gen_ai.operation.name", "plan"),
                ("openinference.span.kind", "CHAIN"),
            ],
        ),
        (
            Dialect::GenAi,
            &[
                ("gen_ai.operation.name", "create_memory"),
                ("openinference.span.kind", "CHAIN"),
            ],
        ),
        (
            Dialect::GenAi,
            &[
                ("gen_ai.operation.name", "chat"),
                ("openinference.span.kind", "AGENT"),
            ],
        ),
    ];
    for (dialect, attributes) in rows {
        let found = translated(*dialect, recorded(attributes));
        assert_has(&found, attributes);
    }
    let plan = recorded(&[("gen_ai.operation.name", "plan")]);
    assert_has(
        &translated(Dialect::Both, plan),
        &[
            ("gen_ai.operation.name", "plan"),
            ("openinference.span.kind", "CHAIN"),
        ],
    );
    // An equal value is not sent twice.
    let same = recorded(&[("session.id", "s-1"), ("gen_ai.conversation.id", "s-1")]);
    let found = translated(Dialect::OpenInference, same);
    assert_attributes(&found, &[("session.id", "s-1")]);
    let two = vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.response.finish_reasons", texts(&["stop", "length"])),
    ];
    assert_has(
        &translated(Dialect::OpenInference, two),
        &[
            ("llm.finish_reason", "stop"),
            ("gen_ai.response.finish_reasons", r#"["stop", "length"]"#),
        ],
    );
}

#[test]
fn model_of_an_embedding_that_differs_stays() {
    let both = &[
        ("gen_ai.operation.name", "embeddings"),
        ("gen_ai.request.model", "small"),
        ("embedding.model_name", "small-2026"),
    ];
    for dialect in ALL {
        let found = translated(dialect, recorded(both));
        assert_has(&found, &both[1..]);
    }
}

#[test]
fn tools_are_written_whole_or_stay() {
    let definitions = |text: String| {
        vec![
            KeyValue::new("gen_ai.operation.name", "chat"),
            KeyValue::new("gen_ai.tool.definitions", text),
        ]
    };
    let described = r#"{"description":"Finds orders.","name":"search","type":"function"}"#;
    let nameless = r#"{"type":"web_search"}"#;
    let found = translated(
        Dialect::OpenInference,
        definitions(format!("[{described},{nameless}]")),
    );
    assert_has(
        &found,
        &[
            ("llm.tools.0.tool.name", "search"),
            ("llm.tools.0.tool.json_schema", described),
            ("llm.tools.1.tool.json_schema", nameless),
        ],
    );
    assert!(!found.contains_key("gen_ai.tool.definitions"));
    let many = format!("[{}]", [described; 300].join(","));
    let found = translated(Dialect::OpenInference, definitions(many.clone()));
    assert_eq!(found["gen_ai.tool.definitions"], many);
    assert!(found.contains_key("llm.tools.255.tool.json_schema"));
    // In the other direction.
    let numbered = recorded(&[
        ("openinference.span.kind", "LLM"),
        ("llm.tools.0.tool.name", "search"),
        ("llm.tools.0.tool.description", "Finds orders."),
        ("llm.tools.0.tool.json_schema", "not an object"),
        ("llm.tools.0.tool.version", "7"),
    ]);
    let found = translated(Dialect::GenAi, numbered);
    assert_has(
        &found,
        &[
            ("gen_ai.tool.definitions", &format!("[{described}]")),
            ("llm.tools.0.tool.json_schema", "not an object"),
            ("llm.tools.0.tool.version", "7"),
        ],
    );
    assert!(!found.contains_key("llm.tools.0.tool.name"));
}

#[test]
fn documents_are_written_whole_or_stay() {
    let titled = r#"[{"id":"d-1","title":"Refunds"}]"#;
    let found = translated(
        Dialect::OpenInference,
        recorded(&[
            ("gen_ai.operation.name", "retrieval"),
            ("gen_ai.retrieval.documents", titled),
            ("output.value", "1 document"),
        ]),
    );
    assert_has(
        &found,
        &[
            ("gen_ai.retrieval.documents", titled),
            ("retrieval.documents.0.document.id", "d-1"),
            ("output.value", "1 document"),
        ],
    );
}

#[test]
fn messages_are_read_whole_or_stay() {
    let found = translated(
        Dialect::GenAi,
        recorded(&[
            ("openinference.span.kind", "LLM"),
            ("llm.input_messages.0.message.role", "user"),
            ("llm.input_messages.0.message.name", "Ada"),
            ("llm.input_messages.0.message.content", "Where?"),
            ("llm.input_messages.0.message.audio.id", "a-1"),
            ("llm.output_messages.0.message.role", "assistant"),
            ("llm.output_messages.0.message.function_call_name", "search"),
            (
                "llm.output_messages.0.message.function_call_arguments_json",
                r#"{"id":17}"#,
            ),
        ]),
    );
    let output = r#"[{"finish_reason":"tool_call","parts":[{"arguments":{"id":17},"name":"search","type":"tool_call"}],"role":"assistant"}]"#;
    assert_attributes(
        &found,
        &[
            (
                "gen_ai.input.messages",
                r#"[{"name":"Ada","parts":[{"content":"Where?","type":"text"}],"role":"user"}]"#,
            ),
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.output.messages", output),
            ("llm.input_messages.0.message.audio.id", "a-1"),
        ],
    );
}

#[test]
fn messages_are_written_whole_or_stay() {
    let call = |input: String, value: &'static str| {
        let mut call = recorded(&[
            ("gen_ai.operation.name", "chat"),
            (
                "gen_ai.output.messages",
                r#"[{"finish_reason":"length","parts":[{"content":"Here.","type":"text"}],"role":"assistant"}]"#,
            ),
        ]);
        call.push(KeyValue::new("gen_ai.input.messages", input));
        if !value.is_empty() {
            call.push(KeyValue::new("input.value", value));
        }
        translated(Dialect::OpenInference, call)
    };
    let input = "gen_ai.input.messages";
    // Messages that do not parse are the value, if the span has no other.
    let odd = r#"[{"role":"user","content":"Where?"}]"#;
    let found = call(odd.to_owned(), "");
    assert_eq!(found["input.value"], odd);
    assert!(!found.contains_key(input));
    assert_eq!(found["llm.finish_reason"], "length");
    assert!(!found.contains_key("gen_ai.output.messages"));
    let found = call(odd.to_owned(), "Where?");
    assert_eq!(found[input], odd);
    // A member that OpenInference does not have.
    let cached = r#"[{"role":"user","parts":[{"type":"text","content":"Where?","cache":true}]}]"#;
    assert_eq!(call(cached.to_owned(), "")[input], cached);
    let one = r#"{"role":"user","parts":[{"type":"text","content":"Where?"}]}"#;
    let many = format!("[{}]", [one; 300].join(","));
    let found = call(many.clone(), "Where?");
    assert_eq!(found[input], many);
    assert!(found.contains_key("llm.input_messages.255.message.content"));
    assert!(!call(format!("[{one}]"), "Where?").contains_key(input));
    // Both conventions, which do not agree.
    let both = recorded(&[
        ("gen_ai.operation.name", "chat"),
        (
            input,
            r#"[{"role":"user","parts":[{"type":"text","content":"Where?"}]}]"#,
        ),
        ("llm.input_messages.0.message.role", "user"),
        ("llm.input_messages.0.message.content", "Who?"),
        ("input.value", "Who?"),
    ]);
    assert!(translated(Dialect::OpenInference, both).contains_key(input));
}

/// A message of OpenInference has one `tool_call_id`.
#[test]
fn each_tool_result_is_a_message_of_its_own() {
    let results = r#"[{"role":"user","parts":[{"type":"text","content":"Both are back."},{"type":"tool_call_response","id":"c-1","response":"one"},{"type":"tool_call_response","id":"c-2","response":"two"},{"type":"text","content":"And now?"}]},{"role":"user","parts":[]}]"#;
    let call = recorded(&[
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.input.messages", results),
    ]);
    let found = translated(Dialect::OpenInference, call);
    assert_attributes(
        &found,
        &[
            ("input.mime_type", "application/json"),
            ("input.value", results),
            ("llm.input_messages.0.message.content", "Both are back."),
            ("llm.input_messages.0.message.role", "user"),
            ("llm.input_messages.1.message.content", "one"),
            ("llm.input_messages.1.message.role", "user"),
            ("llm.input_messages.1.message.tool_call_id", "c-1"),
            ("llm.input_messages.2.message.content", "two"),
            ("llm.input_messages.2.message.role", "user"),
            ("llm.input_messages.2.message.tool_call_id", "c-2"),
            ("llm.input_messages.3.message.content", "And now?"),
            ("llm.input_messages.3.message.role", "user"),
            ("llm.input_messages.4.message.role", "user"),
            ("openinference.span.kind", "LLM"),
        ],
    );
}

/// Instructions have one message, unless a part of them is the result of a tool.
#[test]
fn messages_follow_the_instructions() {
    let call = recorded(&[
        ("gen_ai.operation.name", "chat"),
        (
            "gen_ai.system_instructions",
            r#"[{"type":"text","content":"Be kind."},{"type":"tool_call_response","id":"c-1","response":"one"}]"#,
        ),
        (
            "gen_ai.input.messages",
            r#"[{"role":"user","parts":[{"type":"text","content":"Where?"}]}]"#,
        ),
    ]);
    let found = translated(Dialect::OpenInference, call);
    assert_has(
        &found,
        &[
            ("llm.input_messages.0.message.content", "Be kind."),
            ("llm.input_messages.1.message.tool_call_id", "c-1"),
            ("llm.input_messages.2.message.content", "Where?"),
        ],
    );
    assert!(found.keys().all(|key| !key.starts_with("gen_ai.")));
    let result = r#"{"type":"tool_call_response","id":"c-1","response":"one"}"#;
    let results = [result; 1_000].join(",");
    let input = format!(r#"[{{"role":"tool","parts":[{results}]}}]"#);
    let found = translated(
        Dialect::OpenInference,
        vec![
            KeyValue::new("gen_ai.operation.name", "chat"),
            KeyValue::new("gen_ai.input.messages", input.clone()),
        ],
    );
    let count = found.keys().filter(|key| key.ends_with("tool_call_id"));
    assert_eq!(count.count(), 256);
    assert_eq!(found["input.value"], input);
}

/// `top_k` is an integer in the conventions, and was a number before.
#[test]
fn top_k_is_an_integer_or_a_number() {
    for (text, expected) in [
        ("40", Value::I64(40)),
        ("40.0", Value::I64(40)),
        ("2.5", Value::F64(2.5)),
    ] {
        let in_json = format!(r#"{{"top_k":{text}}}"#);
        for attribute in [
            KeyValue::new("llm.top_k", text),
            KeyValue::new("llm.invocation_parameters", in_json),
        ] {
            let translator = Translator::new(Dialect::GenAi, &Resource::builder_empty().build());
            let mut span = span(vec![attribute]);
            translator.translate(&mut span);
            let written = KeyValue::new("gen_ai.request.top_k", expected.clone());
            assert_eq!(span.attributes, [written]);
        }
    }
}
