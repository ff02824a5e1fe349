//! Redaction before and after the translation.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use super::*;
use crate::delivery::Pipeline as _;
use crate::exporters::Console;
use crate::redaction::{Mask, Redaction, SpanProcessing};

/// A secret in any attribute is hidden in every dialect, under the recorded and the new name.
#[test]
fn no_secret_survives_the_translation() {
    const SECRET: &str = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOP";
    let fields = crate::dialect::fields::FIELDS.iter();
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

/// A rule for a recorded name hides the value under every name.
#[test]
fn rule_for_a_recorded_name_hides_every_name() {
    for key in [
        "user.id",
        "gen_ai.retrieval.query.text",
        "gen_ai.prompt.name",
    ] {
        for dialect in ALL {
            let redaction = Redaction::default().keys([key]);
            let attributes = vec![
                KeyValue::new("gen_ai.operation.name", "retrieval"),
                KeyValue::new(key, "the value"),
            ];
            let shown = processed(dialect, redaction, attributes);
            assert!(!shown.contains("the value"), "{dialect:?} {key}: {shown}");
        }
    }
}

/// A rule for a name of the backend hides the value under that name.
#[test]
fn rule_for_a_name_of_the_backend_hides_it() {
    let rows = [
        (Dialect::LangSmith, "user.id", "langsmith.metadata.user_id"),
        (
            Dialect::Langfuse,
            "gen_ai.prompt.name",
            "langfuse.observation.prompt.name",
        ),
        (
            Dialect::OpenInference,
            "gen_ai.request.model",
            "llm.model_name",
        ),
        (Dialect::GenAi, "llm.model_name", "gen_ai.request.model"),
    ];
    for (dialect, recorded, written) in rows {
        let processing = SpanProcessing {
            redaction: Redaction::default().keys([written]),
            translator: Some(Translator::new(dialect, &Resource::builder_empty().build())),
            ..SpanProcessing::default()
        };
        let mut batch = vec![span(vec![KeyValue::new(recorded, "the value")])];
        processing.batch(&mut batch);
        let mut all = batch[0].attributes.iter();
        let found = all.find(|of| of.key.as_str() == written);
        let value = found.map(|of| of.value.to_string());
        let is_hidden = value
            .as_ref()
            .is_some_and(|value| !value.contains("the value"));
        assert!(is_hidden, "{written}: {value:?}");
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

/// Redacts a user under its recorded name, and returns the name of LangSmith and the count.
fn user_of_langsmith(redaction: Redaction, value: &'static str) -> (String, u64) {
    let resource = Resource::builder_empty().build();
    let processing = SpanProcessing {
        redaction,
        translator: Some(Translator::new(Dialect::LangSmith, &resource)),
        ..SpanProcessing::default()
    };
    let mut batch = vec![span(recorded(&[("user.id", value)]))];
    let counts = processing.batch(&mut batch);
    let mut all = batch[0].attributes.iter();
    let found = all.find(|of| of.key.as_str() == "langsmith.metadata.user_id");
    (found.unwrap().value.to_string(), counts.redacted)
}

#[test]
fn second_redaction_respects_the_first() {
    const KEY: &str = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOP";
    let by_name = || Redaction::default().keys(["user"]);
    let hidden = user_of_langsmith(by_name(), "ada-of-the-long-name");
    assert_eq!(hidden, ("[REDACTED]".to_owned(), 1));
    // The same mask, and not a mask of the mask.
    let partial = by_name().mask(Mask::Partial);
    let masked = user_of_langsmith(partial, "ada-of-the-long-name");
    assert_eq!(masked, ("ada…ame".to_owned(), 1));
    // An exception holds under every name.
    let kept = user_of_langsmith(by_name().except(["user.id"]), KEY);
    assert_eq!(kept, (KEY.to_owned(), 0));
    // A function is called once.
    let custom =
        Redaction::none().custom(|key, text| key.contains("user").then(|| format!("<{text}>")));
    assert_eq!(user_of_langsmith(custom, "ada"), ("<ada>".to_owned(), 1));
    // A rule for the name of the backend hides a value that was redacted in part, once.
    let by_backend = || Redaction::default().keys(["metadata.user_id"]);
    let in_part = user_of_langsmith(by_backend(), "ada Bearer abcdefghijklmnop0123456789");
    assert_eq!(in_part, ("[REDACTED]".to_owned(), 1));
    let whole = user_of_langsmith(by_backend(), "ada");
    assert_eq!(whole, ("[REDACTED]".to_owned(), 1));
}

/// Content in parts comes from one attribute, whose exception holds for all of them.
#[test]
fn exception_of_messages_holds_for_their_parts() {
    let content = r#"[{"role":"user","parts":[{"type":"text","content":"the password=hunter2"}]}]"#;
    let attributes = || {
        recorded(&[
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.input.messages", content),
        ])
    };
    let dialect = Dialect::OpenInference;
    let shown = processed(dialect, Redaction::default(), attributes());
    assert!(!shown.contains("hunter2"), "{shown}");
    let redaction = Redaction::default().except(["gen_ai.input.messages"]);
    let shown = processed(dialect, redaction, attributes());
    assert_eq!(shown.matches("password=hunter2").count(), 2, "{shown}");
}

/// A value that becomes a part of another, or has another form, is counted and masked once.
#[test]
fn value_in_another_form_is_redacted_once() {
    const LONG: &str = "hunter2-hunter2-hunter2";
    let metadata = format!(r#"{{"password":"{LONG}"}}"#);
    let rows: [(Dialect, &'static str, String); 4] = [
        (Dialect::Langfuse, "metadata", metadata.clone()),
        (
            Dialect::OpenInference,
            "gen_ai.prompt.0.content",
            metadata.clone(),
        ),
        (
            Dialect::GenAi,
            "llm.input_messages.0.message.content",
            metadata.clone(),
        ),
        (
            Dialect::GenAi,
            "retrieval.documents.0.document.metadata",
            metadata,
        ),
    ];
    for (dialect, key, value) in rows {
        let resource = Resource::builder_empty().build();
        let processing = SpanProcessing {
            redaction: Redaction::default().mask(Mask::Partial),
            translator: Some(Translator::new(dialect, &resource)),
            ..SpanProcessing::default()
        };
        let mut batch = vec![span(vec![KeyValue::new(key, value)])];
        let counts = processing.batch(&mut batch);
        let shown = format!("{:?}", batch[0].attributes);
        assert_eq!(counts.redacted, 1, "{key}: {shown}");
        assert!(!shown.contains(LONG), "{key}: {shown}");
        assert!(shown.contains("hun…er2"), "{key}: {shown}");
        assert!(!shown.contains("REDACTED"), "{key}: {shown}");
    }
    let tags = vec![KeyValue::new("tag.tags", texts(&["beta", "eu"]))];
    let shown = processed(
        Dialect::LangSmith,
        Redaction::default().keys(["tags"]),
        tags,
    );
    assert!(shown.contains("[REDACTED], [REDACTED]"), "{shown}");
}

/// The console has no batches.
#[test]
fn console_prepares_spans_for_the_dialect() {
    let processing = |dialect| SpanProcessing {
        translator: Some(Translator::new(dialect, &Resource::builder_empty().build())),
        ..SpanProcessing::default()
    };
    let mut agent = span(vec![
        KeyValue::new("gen_ai.operation.name", "invoke_agent"),
        KeyValue::new("gen_ai.usage.input_tokens", 812),
    ]);
    let mut counts = Default::default();
    processing(Dialect::OpenInference).span(&mut agent, &mut counts);
    let shown = format!("{:?}", agent.attributes);
    assert!(shown.contains("AGENT") && !shown.contains("812"), "{shown}");

    let processing = processing(Dialect::LangSmith);
    let console = Console::start("shop".to_owned(), Box::new(Vec::new()), processing.clone());
    let console = console.unwrap();
    assert!(console.wants_start(true) && !console.wants_start(false));
    console.started(&span(recorded(&[("session.id", "s-1")])), true);
    let mut child = span(Vec::new());
    processing.span(&mut child, &mut counts);
    let shown = format!("{:?}", child.attributes);
    assert!(shown.contains("langsmith.metadata.session_id"), "{shown}");
}
