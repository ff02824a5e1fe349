//! No dialect writes a key twice.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use super::*;
use crate::dialect::fields::FIELDS;

/// Spans with several names of the same field. `translated` checks the keys.
#[test]
fn no_key_occurs_twice() {
    let fixtures = [
        generation(),
        recorded(OPEN_INFERENCE),
        [generation(), {
            let mut other = recorded(OPEN_INFERENCE);
            other.retain(|of| generation().iter().all(|known| known.key != of.key));
            other
        }]
        .concat(),
        // A conversation without a session.
        recorded(&[
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.conversation.id", "c-1"),
        ]),
        recorded(&[("gen_ai.operation.name", "chat"), ("session.id", "s-1")]),
        recorded(&[("langfuse.user.id", "u-1"), ("langfuse.session.id", "s-1")]),
        vec![KeyValue::new("langfuse.trace.tags", texts(&["beta"]))],
        recorded(&[("tag.tags", "beta, eu")]),
        recorded(&[("langsmith.span.tags", "beta, eu")]),
        recorded(&[
            ("metadata", r#"{"tier":"gold","seat":7,"user_id":"u-2"}"#),
            ("langfuse.trace.metadata.tier", "silver"),
            ("langsmith.metadata.tier", "silver"),
            ("user.id", "u-1"),
        ]),
        recorded(&[
            ("gen_ai.operation.name", "embeddings"),
            ("gen_ai.request.model", "small"),
            ("embedding.model_name", "small"),
        ]),
    ];
    for attributes in fixtures {
        for dialect in ALL {
            translated(dialect, attributes.clone());
        }
    }
}

/// Every name alone, and beside every other name of its field.
#[test]
fn no_key_occurs_twice_for_any_names_of_a_field() {
    for field in FIELDS {
        for one in field.names() {
            for other in field.names() {
                let mut attributes = vec![KeyValue::new(one, "1")];
                if other != one {
                    attributes.push(KeyValue::new(other, "2"));
                }
                for dialect in ALL {
                    translated(dialect, attributes.clone());
                    let mut call = attributes.clone();
                    if one != "gen_ai.operation.name" && other != "gen_ai.operation.name" {
                        call.push(KeyValue::new("gen_ai.operation.name", "chat"));
                    }
                    translated(dialect, call);
                }
            }
        }
    }
}

#[test]
fn own_metadata_of_a_vendor_stays() {
    for (dialect, prefix) in [
        (Dialect::Langfuse, "langfuse.trace.metadata."),
        (Dialect::LangSmith, "langsmith.metadata."),
    ] {
        let attributes = vec![
            KeyValue::new("metadata", r#"{"tier":"gold","seat":7}"#),
            KeyValue::new(format!("{prefix}tier"), "silver"),
        ];
        let found = translated(dialect, attributes);
        assert_eq!(found[&format!("{prefix}tier")], "silver");
        assert_eq!(found[&format!("{prefix}seat")], "7");
    }
}

/// A span keeps its own session, whatever the type of its value.
#[test]
fn own_session_of_a_child_stays() {
    for dialect in [Dialect::Langfuse, Dialect::LangSmith] {
        let translator = Translator::new(dialect, &Resource::builder_empty().build());
        let root = span(recorded(&[("session.id", "s-1"), ("user.id", "u-1")]));
        translator.trace_fields.as_ref().unwrap().started(&root);
        let mut child = span(vec![KeyValue::new("session.id", 5)]);
        translator.prepare(&mut child);
        translator.translate(&mut child);
        let of = |key: &str| {
            let all = child.attributes.iter().filter(|of| of.key.as_str() == key);
            all.map(|of| of.value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of("session.id"), [Value::I64(5)]);
        assert_eq!(of("user.id"), ["u-1".into()]);
    }
}
