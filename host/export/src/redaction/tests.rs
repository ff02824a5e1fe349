//! Tests for the processing of spans with secrets, noise or oversized values.

use std::time::SystemTime;

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind};
use opentelemetry::{Array, InstrumentationScope, StringValue, Value};

use opentelemetry_sdk::Resource;

use super::*;

fn span(attributes: Vec<KeyValue>) -> SpanData {
    SpanData {
        span_context: SpanContext::NONE,
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "span".into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes,
        dropped_attributes_count: 0,
        events: Default::default(),
        links: Default::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

/// Returns the processed attribute value and the counts.
fn processed(
    processing: &SpanProcessing,
    key: &'static str,
    value: impl Into<Value>,
) -> (Value, ProcessingCounts) {
    let mut batch = vec![span(vec![KeyValue::new(key, value)])];
    let done = processing.batch(&mut batch);
    (batch[0].attributes[0].value.clone(), done)
}

fn redacting(redaction: Redaction) -> SpanProcessing {
    SpanProcessing {
        redaction,
        ..SpanProcessing::default()
    }
}

fn texts(texts: &[&'static str]) -> Value {
    let texts = texts.iter().map(|text| StringValue::from(*text));
    Value::Array(Array::String(texts.collect()))
}

#[test]
fn sensitive_values_are_redacted_by_default() {
    const SK: &str = "sk-proj-abcdefghijklmnop1234";
    for (key, value, expected) in [
        (
            "password",
            Value::from("hunter2"),
            Value::from("[REDACTED]"),
        ),
        ("userPassword", Value::from(1234), Value::from("[REDACTED]")),
        ("has_password", Value::from(true), Value::from(true)),
        (
            "http.request.header.authorization",
            texts(&["Bearer x", "y"]),
            texts(&["[REDACTED]", "[REDACTED]"]),
        ),
        (
            "secret",
            Value::Array(Array::F64(vec![1.0])),
            Value::from("[REDACTED]"),
        ),
        (
            "gen_ai.usage.input_tokens",
            Value::from(123),
            Value::from(123),
        ),
        (
            "gen_ai.tool.call.arguments",
            Value::from(r#"{"city":"Paris","api_key":"abc","max_tokens":5}"#),
            Value::from(r#"{"city":"Paris","api_key":"[REDACTED]","max_tokens":5}"#),
        ),
        (
            "gen_ai.input.messages",
            Value::from(r#"[{"arguments":"{\"password\":\"x\"}"}]"#),
            Value::from(r#"[{"arguments":"{\"password\":\"[REDACTED]\"}"}]"#),
        ),
        (
            "input.value",
            Value::from(format!("my key is {SK}, help")),
            Value::from("my key is [REDACTED], help"),
        ),
        (
            "input.value",
            Value::from(format!(r#"{{"text":"it is {SK}"}}"#)),
            Value::from(r#"{"text":"it is [REDACTED]"}"#),
        ),
        (
            "input.value",
            Value::from(format!(r#"{{"cut off":"it is {SK}"#)),
            Value::from(r#"{"cut off":"it is [REDACTED]"#),
        ),
        ("notes", texts(&["a", "b"]), texts(&["a", "b"])),
    ] {
        let (left, done) = processed(&SpanProcessing::default(), key, value.clone());
        assert_eq!(left, expected, "{key}");
        assert_eq!(done.redacted, u64::from(left != value), "{key}");
    }
}

#[test]
fn redaction_settings_change_the_result() {
    let custom = |key: &str, text: &str| match key {
        "panics" => std::panic::resume_unwind(Box::new("oh")),
        _ => text.strip_prefix("card ").map(|_| "card".to_owned()),
    };
    let json = r#"{"ssn":"x","session.id":"s","panics":"y","c":"card 4111"}"#;
    for (redaction, key, value, expected) in [
        (Redaction::none(), "password", "hunter2", "hunter2"),
        (
            Redaction::none(),
            "text",
            "Bearer abc123def456ghi",
            "Bearer abc123def456ghi",
        ),
        (
            Redaction::default().in_texts(false),
            "text",
            "Bearer abc123def456ghi",
            "Bearer abc123def456ghi",
        ),
        (
            Redaction::none().keys(["card_number"]),
            "user.cardNumber",
            "4111",
            "[REDACTED]",
        ),
        (
            Redaction::default().except(["user.token"]),
            "user.token",
            "kept",
            "kept",
        ),
        (
            Redaction::default().mask(Mask::Partial),
            "token",
            "abcdefghijklmnop",
            "abc…nop",
        ),
        (
            Redaction::default().mask(Mask::Partial),
            "token",
            "ä密cdefghijklmnöüß",
            "ä密c…öüß",
        ),
        (
            Redaction::default().mask(Mask::Partial),
            "token",
            "abcdefghijklmno",
            "[REDACTED]",
        ),
        (
            Redaction::default().mask(Mask::Text("-".to_owned())),
            "token",
            "abc",
            "-",
        ),
        (
            Redaction::none().custom(custom),
            "panics",
            "hunter2",
            "[REDACTED]",
        ),
        (
            Redaction::default().keys(["session"]).custom(custom),
            "text",
            json,
            r#"{"ssn":"[REDACTED]","session.id":"[REDACTED]","panics":"[REDACTED]","c":"card"}"#,
        ),
    ] {
        let (left, _) = processed(&redacting(redaction), key, value);
        assert_eq!(left, Value::from(expected), "{key}: {value}");
    }
}

#[test]
fn redaction_covers_every_text_of_a_span() {
    const MESSAGE: &str = r#"failed: {"password": "hunter2", "n": NaN}"#;
    let secret = || vec![KeyValue::new("password", "hunter2")];
    let mut one = span(secret());
    one.name = "GET /?api_key=hunter2".into();
    one.status = Status::error("401 for Bearer hunter2hunter2");
    one.events.events = vec![Event::new(MESSAGE, SystemTime::UNIX_EPOCH, secret(), 0)];
    one.links.links = vec![Link::new(SpanContext::NONE, secret(), 0)];
    one.instrumentation_scope = InstrumentationScope::builder("lib?token=hunter2")
        .with_version("1+password=hunter2")
        .with_schema_url("https://u:hunter2@x/1")
        .with_attributes(secret())
        .build();
    let mut batch = vec![one];
    let done = SpanProcessing::default().batch(&mut batch);
    assert_eq!(done.redacted, 10);
    let shown = format!("{batch:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(batch[0].name, "GET /?api_key=[REDACTED]");
    let scope = &batch[0].instrumentation_scope;
    assert_eq!(scope.name(), "lib?token=[REDACTED]");
    assert_eq!(scope.version(), Some("1+password=[REDACTED]"));
    assert_eq!(scope.schema_url(), Some("https://u:[REDACTED]@x/1"));
}

#[test]
fn resource_is_redacted_and_keeps_its_schema() {
    let attributes = [
        KeyValue::new("service.name", "shop"),
        KeyValue::new("deploy.password", "hunter2"),
        KeyValue::new(
            "process.command_args",
            texts(&["x", "--db-password", "hunter2", "-v"]),
        ),
    ];
    let resource = Resource::builder_empty()
        .with_schema_url(attributes, "https://x/1")
        .build();
    let redacted = SpanProcessing::default().resource(&resource).into_owned();
    assert!(!format!("{redacted:?}").contains("hunter2"), "{redacted:?}");
    assert_eq!(redacted.schema_url(), Some("https://x/1"));
    assert_eq!(redacted.get(&"service.name".into()), Some("shop".into()));
    let expected = texts(&["x", "--db-password", "[REDACTED]", "-v"]);
    assert_eq!(redacted.get(&"process.command_args".into()), Some(expected));
    let none = SpanProcessing {
        redaction: Redaction::none(),
        ..SpanProcessing::default()
    };
    assert!(matches!(none.resource(&resource), Cow::Borrowed(_)));
}

#[test]
fn text_is_redacted_before_it_is_shortened() {
    let keys = [
        (
            "text",
            format!("it is sk-{}1234 now", "proj-abcdefghijklmnop"),
        ),
        (
            "text",
            "at postgres://shop:hunter2hunter2@db now".to_owned(),
        ),
        (
            "text",
            r#"{"a":"b","password":"hunter2hunter2","c":"d"}"#.to_owned(),
        ),
        ("text", "{'a': 1, 'password': 'hunter2hunter2'}".to_owned()),
        ("password", "hunter2hunter2".to_owned()),
    ];
    for (key, text) in keys {
        for length in 0..=text.len() {
            let processing = SpanProcessing {
                limits: AttributeLimits::new().length(length),
                ..SpanProcessing::default()
            };
            for value in [
                text.clone().into(),
                Value::Array(Array::String(vec![text.clone().into()])),
            ] {
                let (left, _) = processed(&processing, key, value);
                let left = left.to_string();
                for part in ["hunt", "abcd", "sk-p"] {
                    assert!(!left.contains(part), "{length}: {left}");
                }
            }
        }
    }
}

#[test]
fn oversized_values_are_cut_marked_and_counted() {
    let limits = |length, depth, items| AttributeLimits {
        length,
        depth,
        items,
        ..AttributeLimits::default()
    };
    let deep = r#"{"a":{"b":[1]}}"#;
    for (limits, value, expected) in [
        (limits(4, 9, 9), Value::from("abcd"), Value::from("abcd")),
        (
            limits(4, 9, 9),
            Value::from("abcdef"),
            Value::from("abcd…[+2]"),
        ),
        (limits(4, 9, 9), Value::from("äöüß"), Value::from("äöüß")),
        (
            limits(3, 9, 9),
            Value::from("äöüß"),
            Value::from("äöü…[+1]"),
        ),
        (limits(0, 9, 9), Value::from("ab"), Value::from("…[+2]")),
        (limits(1, 9, 1), texts(&["ab", "c"]), texts(&["a…[+1]"])),
        (
            limits(9, 9, 2),
            Value::Array(Array::I64(vec![1, 2, 3])),
            Value::Array(Array::I64(vec![1, 2])),
        ),
        (limits(99, 3, 9), Value::from(deep), Value::from(deep)),
        (
            limits(99, 2, 9),
            Value::from(deep),
            Value::from(r#"{"a":{"b":"…"}}"#),
        ),
        (limits(99, 0, 9), Value::from(deep), Value::from("\"…\"")),
    ] {
        let processing = SpanProcessing {
            limits,
            ..SpanProcessing::default()
        };
        let mut batch = vec![span(vec![KeyValue::new("key", value.clone())])];
        let done = processing.batch(&mut batch);
        let [first, mark @ ..] = &batch[0].attributes[..] else {
            unreachable!()
        };
        assert_eq!(first.value, expected);
        assert_eq!(done.cut > 0, value != expected);
        let counted = mark.first().map(|mark| mark.value.clone());
        assert_eq!(
            counted,
            (done.cut > 0).then_some(Value::from(done.cut as i64))
        );
    }
}

#[test]
fn filter_drops_a_span_if_any_rule_matches() {
    let mut noisy = span(vec![
        KeyValue::new("http.route", "/metrics"),
        KeyValue::new("gen_ai.operation.name", "embeddings"),
        KeyValue::new("n", 1),
        KeyValue::new("n", 2),
    ]);
    noisy.name = "GET /healthz".into();
    noisy.span_kind = SpanKind::Server;
    let new = SpanFilter::new;
    for (filter, keeps) in [
        (new(), true),
        (new().drop_names(["GET /healthz"]), false),
        (new().drop_names(["GET /health"]), true),
        (new().drop_names(["GET *"]), false),
        (new().drop_names(["*"]), false),
        (new().drop_names(["healthz"]), true),
        (new().drop_kinds([SpanKind::Server]), false),
        (new().drop_kinds([SpanKind::Client]), true),
        (new().drop_attribute("http.route", "/metrics"), false),
        (new().drop_attribute("http.route", "/"), true),
        (new().drop_attribute("route", "/metrics"), true),
        (new().drop_attribute("n", 2), false),
        (new().drop_attribute("n", 1), true),
        (new().drop_attribute("n", "2"), true),
        (new().drop_operations(["chat", "embeddings"]), false),
        (new().drop_operations(["chat"]), true),
        (
            new().drop_names(["other"]).drop_kinds([SpanKind::Server]),
            false,
        ),
    ] {
        let processing = SpanProcessing {
            filters: vec![new(), filter.clone()],
            ..SpanProcessing::default()
        };
        let mut batch = vec![noisy.clone()];
        let done = processing.batch(&mut batch);
        assert_eq!(!batch.is_empty(), keeps, "{filter:?}");
        assert_eq!(done.filtered, u64::from(!keeps));
    }
}

#[test]
fn secret_in_front_of_another_one_is_hidden_too() {
    let key = ["sk-proj-", "a1B2c3D4e5F6g7H8i9J0"].concat();
    for (text, hidden) in [
        (
            format!("curl -u {key}:hunter2 https://host"),
            "curl -u [REDACTED]:[REDACTED] https://host",
        ),
        (
            "-U'a&password=hunter2&x:hunter3".to_owned(),
            "-U'a&password=[REDACTED]&x:[REDACTED]",
        ),
        (
            "--proxy-user password=hunter2:hunter3".to_owned(),
            "--proxy-user password=[REDACTED]",
        ),
    ] {
        assert_eq!(Redaction::default().redact("text", &text), hidden, "{text}");
    }
}

#[test]
fn quote_without_a_partner_at_the_beginning_does_not_panic() {
    for text in ["value\": \"x\"", "value':x", "v\\\":x", "password\":\"x\""] {
        let redacted = Redaction::default().redact("text", text);
        assert_eq!(
            redacted.contains("[REDACTED]"),
            text.starts_with("password")
        );
    }
}
