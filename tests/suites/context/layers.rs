//! Contexts that extend another one, and contexts that serde reads.

use serde_json::json;
use spanmux::{ContextError, ContextLimits, RuntimeContext, RuntimeContextBuilder, Value};

use super::from_json;

/// A random text: often one of a few keys, with dots, quotes and other characters.
fn random_key(random: &mut fastrand::Rng) -> String {
    const PARTS: [&str; 7] = ["user", "id", "a", "é", "", "\"q\"", "line\n"];
    let parts = (0..random.usize(1..4)).map(|_| PARTS[random.usize(..PARTS.len())]);
    parts.collect::<Vec<_>>().join(".")
}

fn random_value(random: &mut fastrand::Rng, depth: usize) -> serde_json::Value {
    match random.u8(..if depth == 0 { 6 } else { 9 }) {
        0 => json!(null),
        1 => json!(random.bool()),
        2 => json!(random.i64(-20..20)),
        3 => json!(random.u64(..)),
        4 => json!(random.f64()),
        5 => json!(random_key(random)),
        6 => (0..random.usize(..3))
            .map(|_| random_value(random, depth - 1))
            .collect(),
        _ => (0..random.usize(..4))
            .map(|_| (random_key(random), random_value(random, depth - 1)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// Contexts that are built in any way from the same keys answer alike.
#[test]
fn extended_and_parsed_contexts_answer_as_one_that_is_built_at_once() {
    let mut random = fastrand::Rng::with_seed(15);
    for round in 0..400 {
        let keys = [random.usize(..4), random.usize(..60)][usize::from(round % 8 == 0)];
        let entries: Vec<(String, serde_json::Value)> = (0..keys)
            .map(|number| {
                let key = match number {
                    0..20 => random_key(&mut random),
                    more => format!("key {more}"),
                };
                (key, random_value(&mut random, 3))
            })
            .collect();
        let set = |builder: RuntimeContextBuilder, entries: &[(String, serde_json::Value)]| {
            let set = |builder: RuntimeContextBuilder, (key, value): &(String, _)| {
                builder.set_json(key, value)
            };
            entries.iter().fold(builder, set).build()
        };
        let whole = set(RuntimeContext::builder(), &entries);
        let (first, rest) = entries.split_at(random.usize(..=keys));
        let (second, third) = rest.split_at(random.usize(..=rest.len()));
        let first = set(RuntimeContext::builder(), first);
        let second = set(first.to_builder(), second);
        let extended = set(second.to_builder(), third);
        let object: serde_json::Map<_, _> = entries.iter().cloned().collect();
        let parsed = from_json(&serde_json::to_string_pretty(&object).unwrap());
        let value: RuntimeContext = serde_json::from_value(object.into()).unwrap();

        let mut asked = whole.view().keys();
        asked.extend((0..200).map(|_| random_key(&mut random)));
        for (way, context) in [("extended", extended), ("parsed", parsed), ("value", value)] {
            assert_eq!(
                context.view().keys(),
                whole.view().keys(),
                "{way}, {entries:?}"
            );
            assert_eq!(context.len(), whole.len());
            for key in &asked {
                let (is, expected) = (context.view().get(key), whole.view().get(key));
                assert_eq!(is, expected, "{way}, {key:?}, {entries:?}");
            }
        }
    }
}

#[test]
fn extended_context_shares_the_limits_and_hides_replaced_objects() {
    let limits = ContextLimits::default().keys(3);
    let service = RuntimeContextBuilder::new(limits)
        .set_json("user", &json!({"id": 7}))
        .build();
    assert_eq!(service.error(), None);
    let replaced = service.to_builder().set("user", "u-7").build();
    assert_eq!(replaced.view().get("user.id"), None);
    assert_eq!(replaced.view().get("user"), Some(Value::Text("u-7")));
    assert_eq!(replaced.len(), 1);
    assert_eq!(service.view().get("user.id"), Some(Value::Integer(7)));
    let full = replaced.to_builder().set("more", true).build();
    assert_eq!(full.error(), Some(&ContextError::TooManyKeys { limit: 3 }));
    assert_eq!(full.view().get("user"), Some(Value::Text("u-7")));
}

#[test]
fn context_in_a_larger_document_has_an_error_with_its_place() {
    let refused = serde_json::from_str::<Vec<RuntimeContext>>("[{\"a\": 1},\n[]]").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "invalid type: sequence, expected a runtime context: an object with any keys at line 2 \
         column 0"
    );
    let deep = format!("[{{\"a\": {}{}}}]", "[".repeat(40), "]".repeat(40));
    let refused = serde_json::from_str::<Vec<RuntimeContext>>(&deep).unwrap_err();
    assert!(refused.to_string().contains("32 levels"), "{refused}");
}
