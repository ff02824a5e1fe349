//! The public API of the runtime context: conversion, lookup, and refused input.

mod layers;

use serde_json::json;
use spanmux::{
    ContextError, ContextLimits, RootSpan, RuntimeContext, RuntimeContextBuilder, Value,
};
use spanmux_tests::folder_of;

/// 2^53 - 1
const SAFE: i64 = 9_007_199_254_740_991;

fn from_json(text: &str) -> RuntimeContext {
    RuntimeContext::from_json(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> ContextError {
    match RuntimeContext::from_json(text) {
        Ok(context) => panic!("{} bytes are accepted: {context:?}", text.len()),
        Err(error) => error,
    }
}

fn builder_with<'v>(value: impl Into<Value<'v>>) -> RuntimeContext {
    RuntimeContext::builder().set("key", value).build()
}

#[test]
fn every_json_value_is_converted() {
    // The JSON text of a value, and the value that is read from it.
    let rows: [(&str, Value<'_>); 43] = [
        ("null", Value::Null),
        ("true", Value::Boolean(true)),
        ("false", Value::Boolean(false)),
        // Integers.
        ("0", Value::Integer(0)),
        ("-1", Value::Integer(-1)),
        ("9007199254740991", Value::Integer(SAFE)),
        ("-9007199254740991", Value::Integer(-SAFE)),
        ("9007199254740992", Value::Json("9007199254740992")),
        ("-9007199254740992", Value::Json("-9007199254740992")),
        ("9223372036854775807", Value::Json("9223372036854775807")),
        ("-9223372036854775808", Value::Json("-9223372036854775808")),
        ("9223372036854775808", Value::Json("9223372036854775808")),
        ("18446744073709551615", Value::Json("18446744073709551615")),
        // Integers of more than 64 bits become floats, as in most JSON parsers.
        (
            "18446744073709551616",
            Value::Float(18_446_744_073_709_551_616.0),
        ),
        // Floats: a point, an exponent or a negative zero.
        ("-0", Value::Float(-0.0)),
        ("-0.0", Value::Float(-0.0)),
        ("0.0", Value::Float(0.0)),
        ("1.0", Value::Float(1.0)),
        ("1e2", Value::Float(100.0)),
        ("1E+2", Value::Float(100.0)),
        ("-2.5e-3", Value::Float(-0.0025)),
        ("1e308", Value::Float(1e308)),
        ("5e-324", Value::Float(5e-324)),
        ("1e-400", Value::Float(0.0)),
        ("0.1", Value::Float(0.1)),
        ("9007199254740993.0", Value::Float(9_007_199_254_740_992.0)),
        // Text.
        (r#""""#, Value::Text("")),
        (r#""Abc""#, Value::Text("Abc")),
        (r#""\u00e9\ud83e\udd80\n\"\\""#, Value::Text("é🦀\n\"\\")),
        (r#""\u0000""#, Value::Text("\0")),
        // Arrays and objects, as canonical text.
        ("[]", Value::Json("[]")),
        ("{}", Value::Json("{}")),
        (
            "[ 1 , 2.0 , \"x\" , null ]",
            Value::Json(r#"[1,2.0,"x",null]"#),
        ),
        (r#"{"b": 1, "a": 2}"#, Value::Json(r#"{"a":2,"b":1}"#)),
        (
            r#"{"B": 1, "a": 2, "": 3, "é": 4, "Z": 5}"#,
            Value::Json(r#"{"":3,"B":1,"Z":5,"a":2,"é":4}"#),
        ),
        (
            r#"{"a": 1, "a": {"b": 2}}"#,
            Value::Json(r#"{"a":{"b":2}}"#),
        ),
        (
            r#"[{"z": [{"y": 1, "x": -0}]}]"#,
            Value::Json(r#"[{"z":[{"x":-0.0,"y":1}]}]"#),
        ),
        (
            r#"["\u001b\u0008\f\n\r\t\"\\\/\u007f"]"#,
            Value::Json("[\"\\u001b\\b\\f\\n\\r\\t\\\"\\\\/\u{7f}\"]"),
        ),
        (
            "[1e2, 1.50, 1e16, 1e-7, 1e300]",
            Value::Json("[100.0,1.5,1e16,1e-7,1e300]"),
        ),
        (
            "[18446744073709551615, 9007199254740993]",
            Value::Json("[18446744073709551615,9007199254740993]"),
        ),
        (
            "[18446744073709551616]",
            Value::Json("[1.8446744073709552e19]"),
        ),
        (r#"["\ud83e\udd80"]"#, Value::Json(r#"["🦀"]"#)),
        ("[[[]],{}]", Value::Json("[[[]],{}]")),
    ];
    for (text, expected) in rows {
        let whole = from_json(&format!("{{\"key\": {text}}}"));
        assert_eq!(whole.view().get("key"), Some(expected), "{text}");
        assert!(whole.view().contains("key"), "{text}");
        // Every constructor gives the same value.
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let built = RuntimeContext::builder().set_json("key", &value).build();
        assert_eq!(built.view().get("key"), Some(expected), "{text} as a value");
        assert_eq!(
            builder_with(Value::Json(text)).view().get("key"),
            Some(expected),
            "{text} as text"
        );
        // So does a member of an object.
        let inner = from_json(&format!("{{\"o\": {{\"key\": {text}}}}}"));
        assert_eq!(
            inner.view().get("o.key"),
            Some(expected),
            "{text} as a member"
        );
        // Canonical text is unchanged when it is parsed again.
        if let Value::Json(canonical) = expected {
            assert_eq!(
                builder_with(Value::Json(canonical)).view().get("key"),
                Some(expected),
                "{text} again"
            );
        }
    }
}

#[test]
fn rust_values_are_converted() {
    let other_nan = f64::from_bits(0xfff0_0000_dead_beef);
    assert!(other_nan.is_nan());
    let rows: [(Value<'_>, Value<'_>); 15] = [
        (
            Value::from(f64::NAN),
            Value::Float(f64::from_bits(0x7ff8_0000_0000_0000)),
        ),
        (
            Value::from(other_nan),
            Value::Float(f64::from_bits(0x7ff8_0000_0000_0000)),
        ),
        (Value::from(-0.0), Value::Float(-0.0)),
        (Value::from(f64::INFINITY), Value::Float(f64::INFINITY)),
        (Value::from(1.0), Value::Float(1.0)),
        (Value::from(SAFE), Value::Integer(SAFE)),
        (Value::from(-SAFE), Value::Integer(-SAFE)),
        (Value::from(SAFE + 1), Value::Json("9007199254740992")),
        (Value::from(i64::MIN), Value::Json("-9223372036854775808")),
        (Value::from(7_i32), Value::Integer(7)),
        (Value::from(u32::MAX), Value::Integer(4_294_967_295)),
        (Value::from("text"), Value::Text("text")),
        (Value::from(None::<&str>), Value::Null),
        (Value::from(Some(true)), Value::Boolean(true)),
        (Value::Json(" 5 "), Value::Integer(5)),
    ];
    for (set, expected) in rows {
        assert_eq!(
            builder_with(set).view().get("key"),
            Some(expected),
            "{set:?}"
        );
    }
    assert_ne!(
        Value::Float(0.0),
        Value::Float(-0.0),
        "floats are equal by their bits"
    );
    assert_ne!(Value::Text("1"), Value::Json("1"));
    assert_ne!(Value::Integer(1), Value::Float(1.0));
}

#[test]
fn invalid_contexts_are_refused() {
    let not_an_object = |found| ContextError::NotAnObject { found };
    for (text, error) in [
        ("null", not_an_object("null")),
        ("true", not_an_object("a boolean")),
        ("1", not_an_object("a number")),
        ("\"a\"", not_an_object("a string")),
        ("[]", not_an_object("an array")),
    ] {
        assert_eq!(refusal(text), error, "{text}");
    }
    for text in [
        "",
        " ",
        "{",
        "{a: 1}",
        "{\"a\": 01}",
        "{\"a\": +1}",
        "{\"a\": .5}",
        "{\"a\": NaN}",
        "{\"a\": 1,}",
        "{\"a\": 1} x",
        "{\"a\": \"\\ud800\"}",
        "{\"a\": 1e400}",
        "{\"a\": -1e400}",
        "{\"a\": [1e400]}",
        "{'a': 1}",
        "\u{feff}{}",
    ] {
        assert!(
            matches!(refusal(text), ContextError::Json { .. }),
            "{text:?}: {}",
            refusal(text)
        );
    }
    let error = RuntimeContext::builder()
        .set("user\n", Value::Json("{"))
        .try_build()
        .expect_err("no JSON");
    let message = error.to_string();
    assert!(
        message.contains("user\\n") && !message.contains('\n'),
        "{message:?}"
    );
    // The first error is reported, and later values are ignored.
    let error = RuntimeContext::builder()
        .set("first", Value::Json("{"))
        .set("second", Value::Json("["))
        .set("third", 3)
        .try_build();
    let message = error.expect_err("no JSON").to_string();
    assert!(message.contains("`first`"), "{message}");
}

#[test]
fn later_value_wins() {
    let context = RuntimeContext::builder()
        .set("key", "old")
        .set_json("key", &json!({"a": 1}))
        .set("key", 7)
        .build();
    assert_eq!(context.view().get("key"), Some(Value::Integer(7)));
    assert_eq!(context.view().get("key.a"), None);
    assert_eq!(context.len(), 1);
    assert_eq!(
        from_json(r#"{"a": 1, "a": 2}"#).view().get("a"),
        Some(Value::Integer(2))
    );
    assert_eq!(
        from_json(r#"{"a": {"x": 1}, "a": {"y": 2}}"#)
            .view()
            .get("a.x"),
        None
    );
}

#[test]
fn dotted_keys_find_members_of_objects() {
    let context = from_json(
        r#"{
            "user": {"tier": "gold", "id": 7, "a.b": "dotted member", "deep": {"er": {"est": true}},
                     "tags": ["x", "y"], "none": null, "": "no name"},
            "user.id": "literal",
            "a": {"b": {"c": "short", "d": "only short"}, "b.c": "long in a"},
            "a.b": {"c": "long"},
            "text": "{\"inner\": 1}",
            "list": [{"x": 1}],
            "big": 9007199254740992,
            ".": {"x": "dot"},
            "": {"x": "nothing before the dot", "": "two nothings"},
            "ümlaut": {"größe": "unicode"}
        }"#,
    );
    let text = |text| Some(Value::Text(text));
    for (key, expected) in [
        // A key that exists literally wins.
        ("user.id", text("literal")),
        ("user.tier", text("gold")),
        ("user.a.b", text("dotted member")),
        ("user.deep.er.est", Some(Value::Boolean(true))),
        ("user.deep.er", Some(Value::Json(r#"{"est":true}"#))),
        ("user.none", Some(Value::Null)),
        ("user.", text("no name")),
        ("ümlaut.größe", text("unicode")),
        // The longest prefix that is an object wins. Shorter prefixes are not tried.
        ("a.b.c", text("long")),
        ("a.b.d", None),
        // Only members of objects are found.
        ("user.tags", Some(Value::Json(r#"["x","y"]"#))),
        ("user.tags.0", None),
        ("list.0.x", None),
        ("list.x", None),
        ("text.inner", None),
        ("big.x", None),
        ("user.tier.x", None),
        ("user.none.x", None),
        ("user.missing", None),
        ("missing.tier", None),
        // Dots at the start or end of a key.
        ("..x", text("dot")),
        (".x", text("nothing before the dot")),
        (".", Some(Value::Json(r#"{"x":"dot"}"#))),
        (
            "",
            Some(Value::Json(
                r#"{"":"two nothings","x":"nothing before the dot"}"#,
            )),
        ),
        ("user..", None),
        ("USER.tier", None),
        ("user.tier ", None),
    ] {
        assert_eq!(context.view().get(key), expected, "{key:?}");
        assert_eq!(context.view().contains(key), expected.is_some(), "{key:?}");
        assert_eq!(
            context.view().text(key),
            expected.and_then(Value::as_text),
            "{key:?}"
        );
    }
    assert_eq!(context.view().get(&".".repeat(2000)), None);
}

#[test]
fn contexts_beyond_the_limits_are_refused() {
    let small = ContextLimits::default().keys(4).bytes(40).depth(2);
    let many_keys = ContextError::TooManyKeys { limit: 4 };
    let many_bytes = ContextError::TooManyBytes { limit: 40 };
    let deep = ContextError::TooDeep { limit: 2 };
    for (text, expected) in [
        (r#"{"a":1,"b":2,"c":3,"d":4}"#, None),
        (r#"{"a":"[[[[","b":"\"{{{{"}"#, None),
        (r#"{"a":[[1]]}"#, None),
        (r#"{"a":[[[1]]]}"#, Some(&deep)),
        // The parser stops there.
        (r#"{"a":[[["#, Some(&deep)),
        (r#"{"a":1,"b":2,"c":3,"d":4,"e":5}"#, Some(&many_keys)),
        (r#"{"a":{"b":1,"c":2,"d":3}}"#, None),
        (r#"{"a":{"b":1,"c":2,"d":3,"e":4}}"#, Some(&many_keys)),
        (r#"{"a":[{"b":1,"c":2,"d":3,"e":4}]}"#, Some(&many_keys)),
        (r#"{"a":[[1]]}"#, None),
        (r#"{"a":[[[]]]}"#, Some(&deep)),
        (r#"{"a":{"b":{"c":{}}}}"#, Some(&deep)),
        (r#"{"a":"1234567890123456789012345678901"}"#, None),
        (
            r#"{"a":"12345678901234567890123456789012345678901"}"#,
            Some(&many_bytes),
        ),
        (
            r#"                                            {}"#,
            Some(&many_bytes),
        ),
    ] {
        let outcome = RuntimeContext::from_json_within(text, small);
        assert_eq!(outcome.as_ref().err(), expected, "{text}");
        let Some(error) = expected else { continue };
        assert!(
            error.to_string().contains("ContextLimits::"),
            "{text}: {error}"
        );
    }
    // The builder counts values as the parser does.
    let long = "x".repeat(39);
    let build = |builder: RuntimeContextBuilder| builder.try_build().err();
    let builder = || RuntimeContextBuilder::new(small);
    assert_eq!(build(builder().set("a", &long)), None);
    assert_eq!(build(builder().set("ab", &long)), Some(many_bytes.clone()));
    assert_eq!(
        build(builder().set("a", &long).set("b", 1)),
        Some(many_bytes)
    );
    assert_eq!(build(builder().set_json("a", &json!([[[]]]))), Some(deep));
    assert_eq!(
        build((0..5).fold(builder(), |b, n| b.set(&n.to_string(), n))),
        Some(many_keys)
    );
}

#[test]
fn million_keys_are_refused() {
    let mut text = String::from("{");
    for key in 0..1_000_000 {
        text += &format!("\"{key}\":0,");
    }
    text += "\"end\":0}";
    let bytes = ContextError::TooManyBytes {
        limit: ContextLimits::BYTES,
    };
    assert_eq!(refusal(&text), bytes);
    let roomy = ContextLimits::default().bytes(usize::MAX);
    let error = RuntimeContext::from_json_within(&text, roomy).expect_err("too many");
    assert_eq!(
        error,
        ContextError::TooManyKeys {
            limit: ContextLimits::KEYS
        }
    );

    let built = (0..1_000_000).fold(RuntimeContext::builder(), |b, n| b.set(&n.to_string(), n));
    let error = built.try_build().expect_err("too many");
    assert_eq!(
        error,
        ContextError::TooManyKeys {
            limit: ContextLimits::KEYS
        }
    );
}

#[test]
fn ten_megabytes_are_refused() {
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(10 << 20));
    let expected = ContextError::TooManyBytes {
        limit: ContextLimits::BYTES,
    };
    assert_eq!(refusal(&text), expected);
    let outcome = RuntimeContext::builder().set("a", &text).try_build();
    assert_eq!(outcome.expect_err("too large"), expected);
    let outcome = RuntimeContext::builder().set(&text, 1).try_build();
    assert_eq!(outcome.expect_err("too large"), expected);
    let outcome = RuntimeContext::builder()
        .set_json("a", &json!([text]))
        .try_build();
    assert_eq!(outcome.expect_err("too large"), expected);
    let nothings = "[".to_owned() + &"0,".repeat(5 << 20) + "0]";
    let outcome = RuntimeContext::builder()
        .set("a", Value::Json(&nothings))
        .try_build();
    assert_eq!(outcome.expect_err("too large"), expected);
}

/// Calls `run` on a thread whose stack is too small for a recursion of ten thousand levels.
fn on_a_small_thread(run: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(128 << 10)
            .spawn_scoped(scope, run);
        thread.expect("a thread").join().expect("it ran");
    });
}

#[test]
fn deeply_nested_text_is_refused_on_a_small_stack() {
    on_a_small_thread(|| {
        let expected = ContextError::TooDeep {
            limit: ContextLimits::DEPTH,
        };
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = format!("{}0{}", open.repeat(10_000), close.repeat(10_000));
            assert_eq!(refusal(&format!("{{\"a\":{nested}}}")), expected, "{open}");
            let outcome = RuntimeContext::builder()
                .set("a", Value::Json(&nested))
                .try_build();
            assert_eq!(outcome.expect_err("too deep"), expected, "{open}");
            // Truncated input is reported as too deep, not as incomplete.
            assert_eq!(
                refusal(&format!("{{\"a\":{}", open.repeat(10_000))),
                expected,
                "{open}"
            );
        }
        // The deepest accepted nesting, and one level more.
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(RuntimeContext::from_json(&nested(ContextLimits::DEPTH)).is_ok());
        assert_eq!(refusal(&nested(ContextLimits::DEPTH + 1)), expected);
    });
}

#[test]
fn deeply_nested_values_are_refused_on_a_small_stack() {
    on_a_small_thread(|| {
        let expected = ContextError::TooDeep {
            limit: ContextLimits::DEPTH,
        };
        for object in [false, true] {
            let mut value = json!(0);
            for _ in 0..10_000 {
                value = if object {
                    serde_json::Value::Object([("a".to_owned(), value)].into_iter().collect())
                } else {
                    serde_json::Value::Array(vec![value])
                };
            }
            let outcome = RuntimeContext::builder()
                .set_json("key", &value)
                .try_build();
            assert_eq!(outcome.expect_err("too deep"), expected, "object: {object}");
            // Dropping the value recurses, so it is taken apart iteratively.
            let mut left = Some(value);
            while let Some(value) = left {
                left = match value {
                    serde_json::Value::Array(items) => items.into_iter().next(),
                    serde_json::Value::Object(members) => {
                        members.into_iter().next().map(|(_, value)| value)
                    }
                    _ => None,
                };
            }
        }
    });
}

#[test]
fn keys_of_the_context_win_over_keys_of_the_span() {
    let attributes = || {
        let attributes = RuntimeContext::builder()
            .set("http.route", "/chat")
            .set("name", "an attribute named name")
            .set("ä", 1);
        attributes.build()
    };
    let span = RootSpan::new("POST /chat", "server", &attributes);
    let context = from_json(
        r#"{"b": 1, "B": 2, "span.http.route": "the application's", "ä": 3, "": 4, "o": {"inner": 1}, "span": {"kind": "mine"}}"#,
    );
    let view = context.view_with_span(&span);
    assert_eq!(
        view.keys(),
        [
            "",
            "B",
            "b",
            "o",
            "span",
            "span.http.route",
            "span.kind",
            "span.name",
            "span.ä",
            "ä"
        ]
    );
    assert_eq!(
        context.view().keys(),
        ["", "B", "b", "o", "span", "span.http.route", "ä"]
    );

    // Keys of the application win, including dotted ones.
    let text = |text| Some(Value::Text(text));
    for (key, expected) in [
        ("span.http.route", text("the application's")),
        ("span.kind", text("mine")),
        ("span.name", text("POST /chat")),
        ("span.ä", Some(Value::Integer(1))),
        ("span.missing", None),
        ("span", Some(Value::Json(r#"{"kind":"mine"}"#))),
        ("name", None),
        ("span.", None),
        ("span.http", None),
    ] {
        assert_eq!(view.get(key), expected, "{key}");
    }
    // These keys do not exist without a span.
    assert_eq!(context.view().get("span.name"), None);
    assert_eq!(
        view.bucket("span.name", "salt", 7),
        builder_with("POST /chat").view().bucket("key", "salt", 7)
    );
}

#[test]
fn span_attributes_are_read_once_and_only_when_needed() {
    let reads = std::sync::atomic::AtomicU32::new(0);
    let attributes = || {
        reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        builder_with("value")
    };
    let span = RootSpan::new("name", "internal", &attributes);
    let context = from_json(r#"{"tenant": "acme", "span.own": 1}"#);
    let view = context.view_with_span(&span);
    for key in ["tenant", "missing", "span.name", "span.kind", "span.own"] {
        view.get(key);
    }
    assert_eq!(reads.load(std::sync::atomic::Ordering::Relaxed), 0);
    assert_eq!(view.text("span.key"), Some("value"));
    assert_eq!(view.keys().len(), 5);
    assert_eq!(reads.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn debug_output_contains_keys_but_no_values() {
    let secret = "hunter2";
    let builder = || {
        RuntimeContext::builder()
            .set("password", secret)
            .set_json("nested", &json!({"inner": secret, "list": [secret]}))
    };
    let context = builder().build();
    let shown = format!("{context:?} {context:#?}");
    assert!(
        shown.contains("password") && shown.contains("nested"),
        "{shown}"
    );
    assert!(!shown.contains(secret), "{shown}");
    let shown = format!("{:?}", builder());
    assert!(!shown.contains(secret), "the builder: {shown}");
}

#[test]
fn clone_keeps_the_values() {
    let context = from_json(r#"{"user": {"id": 7}}"#);
    let clone = context.clone();
    drop(context);
    assert_eq!(clone.view().get("user.id"), Some(Value::Integer(7)));
    assert_eq!((clone.len(), clone.is_empty()), (1, false));
    assert!(RuntimeContext::empty().is_empty() && RuntimeContext::empty().view().keys().is_empty());
}

#[test]
fn buckets_match_the_committed_vectors() {
    let vectors = std::fs::read_to_string(folder_of("bucket-vectors.tsv")).expect("the vectors");
    let mut rows = 0;
    for line in vectors
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
    {
        let [kind, value, salt, buckets, expected] = line.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("not five columns: {line}");
        };
        let parsed = || serde_json::from_str::<serde_json::Value>(value).expect(line);
        let text;
        let value = match kind {
            "null" => Value::Null,
            "boolean" => Value::Boolean(value == "true"),
            "integer" => Value::Integer(value.parse().expect(line)),
            "float" => Value::Float(value.parse().expect(line)),
            "text" => {
                text = parsed().as_str().expect(line).to_owned();
                Value::Text(&text)
            }
            "json" => Value::Json(value),
            other => panic!("{other}: {line}"),
        };
        let salt: String = serde_json::from_str(salt).expect(line);
        let context = builder_with(value);
        assert_eq!(context.view().get("key"), Some(value), "{line}");
        let found = context
            .view()
            .bucket("key", &salt, buckets.parse().expect(line));
        assert_eq!(found, Some(expected.parse().expect(line)), "{line}");
        rows += 1;
    }
    assert!(rows > 150, "{rows} vectors");
}

#[test]
fn buckets_are_equal_shares() {
    let mut shares = [0_u32; 10];
    for user in 0..10_000 {
        let user = format!("user-{user}");
        let context = builder_with(user.as_str());
        let ten = context.view().bucket("key", "salt", 10).expect("a bucket");
        // A bucket of a hundred is contained in the corresponding bucket of ten.
        let hundred = context.view().bucket("key", "salt", 100).expect("a bucket");
        assert_eq!(hundred / 10, ten, "{user}");
        shares[ten as usize] += 1;
    }
    assert!(
        shares.iter().all(|share| (850..1150).contains(share)),
        "{shares:?}"
    );
    let context = builder_with("u-1");
    assert_eq!(context.view().bucket("key", "salt", 0), None);
    assert_eq!(context.view().bucket("key", "salt", 1), Some(0));
    assert_eq!(context.view().bucket("missing", "salt", 10), None);
}
