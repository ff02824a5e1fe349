//! Spans that stay as they are, numbers, and the page of the documentation.

use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;

use super::*;
use crate::dialect::page;

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
        let translated = translator.translate(&mut span);
        assert_eq!(span.attributes, attributes(), "{dialect:?}");
        assert_eq!(translated.from, attributes().len());
        assert!(translated.sources.is_empty());
    }
}

/// Other libraries record sessions too, of browsers for example.
#[test]
fn session_of_any_span_is_not_a_conversation() {
    for dialect in ALL {
        let session = recorded(&[("session.id", "s-1")]);
        let found = translated(dialect, session);
        assert!(!found.contains_key("gen_ai.conversation.id"), "{dialect:?}");
        let mut call = recorded(&[("session.id", "s-1")]);
        call.push(KeyValue::new("gen_ai.operation.name", "chat"));
        let found = translated(dialect, call);
        let has = found.contains_key("gen_ai.conversation.id");
        assert_eq!(has, dialect.has_gen_ai(), "{dialect:?}");
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
fn page_of_the_documentation_is_generated() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/dialects.md");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == page(),
        "docs/dialects.md is not current; renew it with \
         `cargo run -q -p spanmux-export --example dialects > docs/dialects.md`"
    );
}
