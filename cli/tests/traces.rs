//! Tests `spanmux traces` with files of other programs, damaged files and damaged traces.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    dead_code,
    reason = "the module `support` has more than this file uses"
)]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Output, spanmux_with_input};

fn traces(text: &str) -> Output {
    spanmux_with_input(&["traces", "-"], text)
}

/// A request with these spans, as the Collector writes it.
fn request(spans: Value) -> Value {
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeSpans": [{"spans": spans}],
    }]})
}

fn named(name: &str) -> String {
    request(json!([{"name": name, "traceId": format!("{:032x}", name.len())}])).to_string()
}

/// The span of all forms of one request.
const TREE: &str = "shop  trace 4bf92f3577b34da6a3ce929d0e0e4736  2 spans
└─ POST /chat  12.3 ms  server
   │ count = 7
   └─ ask  2 ms  client  error: busy\n";

fn forms() -> Vec<(&'static str, String)> {
    let hex = request(json!([
        {
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7",
            "name": "POST /chat", "kind": 2,
            "startTimeUnixNano": "1000000", "endTimeUnixNano": "13300000",
            "attributes": [{"key": "count", "value": {"intValue": "7"}}],
        },
        {
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b8",
            "parentSpanId": "00f067aa0ba902b7", "name": "ask", "kind": 3,
            "startTimeUnixNano": "1000000", "endTimeUnixNano": "3000000",
            "status": {"code": 2, "message": "busy"},
        },
    ]));
    let text = hex.to_string();
    let replaced = |pairs: &[(&str, &str)]| {
        pairs.iter().fold(text.clone(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        })
    };
    let words = [
        ("\"kind\":2", "\"kind\":\"SPAN_KIND_SERVER\""),
        ("\"kind\":3", "\"kind\":\"SPAN_KIND_CLIENT\""),
        ("\"code\":2", "\"code\":\"STATUS_CODE_ERROR\""),
    ];
    let base64 = [
        (
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "S/kvNXezTaajzpKdDg5HNg==",
        ),
        ("00f067aa0ba902b7", "APBnqgupArc="),
        ("00f067aa0ba902b8", "APBnqgupArg="),
    ];
    let underscores = [
        ("resourceSpans", "resource_spans"),
        ("scopeSpans", "scope_spans"),
        ("traceId", "trace_id"),
        ("parentSpanId", "parent_span_id"),
        ("spanId", "span_id"),
        ("startTimeUnixNano", "start_time_unix_nano"),
        ("endTimeUnixNano", "end_time_unix_nano"),
        ("stringValue", "string_value"),
        ("intValue", "int_value"),
    ];
    let python = [&words[..], &base64[..], &underscores[..]].concat();
    let pretty: Value =
        serde_json::from_str(&replaced(&[&words[..], &base64[..]].concat())).unwrap();
    vec![
        ("the specification", text.clone()),
        (
            "upper case",
            replaced(&[
                (
                    "4bf92f3577b34da6a3ce929d0e0e4736",
                    "4BF92F3577B34DA6A3CE929D0E0E4736",
                ),
                ("00f067aa0ba902b7", "00F067AA0BA902B7"),
            ]),
        ),
        ("names of enum values", replaced(&words)),
        (
            "lower case names",
            replaced(&[
                ("\"kind\":2", "\"kind\":\"span_kind_server\""),
                ("\"kind\":3", "\"kind\":\"client\""),
                ("\"code\":2", "\"code\":\"error\""),
            ]),
        ),
        (
            "numbers as text and text as numbers",
            replaced(&[
                ("\"kind\":2", "\"kind\":\"2\""),
                ("\"code\":2", "\"code\":\"2\""),
                ("\"13300000\"", "13300000"),
                ("\"3000000\"", "3.0e6"),
                ("\"intValue\":\"7\"", "\"intValue\":7"),
            ]),
        ),
        ("Base64", replaced(&base64)),
        (
            "Base64 without padding",
            replaced(&[
                ("4bf92f3577b34da6a3ce929d0e0e4736", "S_kvNXezTaajzpKdDg5HNg"),
                ("00f067aa0ba902b7", "APBnqgupArc"),
            ]),
        ),
        ("Python", replaced(&python)),
        ("several lines", format!("{pretty:#}\n")),
        ("an array", format!("[{text}]")),
        ("a byte order mark", format!("\u{feff}{text}\r\n")),
        (
            "logs and metrics between",
            format!("{{\"resourceLogs\": []}}\n{text}\n{{\"resourceMetrics\": []}}\n{{}}\n"),
        ),
    ]
}

#[test]
fn files_of_other_programs_are_read() {
    for (form, text) in forms() {
        let output = traces(&text);
        assert_eq!(
            (output.code, output.stderr.as_str()),
            (0, ""),
            "{form}\n{text}"
        );
        assert_eq!(output.stdout, TREE, "{form}\n{text}");
    }
}

#[test]
fn damaged_lines_are_named_and_the_others_shown() {
    let (a, b) = (named("one"), named("three"));
    let torn = &a[..a.len() / 2];
    for (text, lines, bad) in [
        (
            format!("{a}\n{torn}\n{b}\n"),
            2,
            &["line 2 is incomplete"][..],
        ),
        (format!("{torn}\n{a}\n{b}"), 2, &["line 1 is incomplete"]),
        (format!("{a}\n{b}\n{torn}"), 2, &["line 3 is incomplete"]),
        // The next batch was appended to the torn line.
        (
            format!("{torn}{a}\n{b}\n"),
            1,
            &["line 1 is not an OTLP trace request in JSON"],
        ),
        (
            format!("{a}\n\0\0\0\0\n{b}"),
            2,
            &["line 2 is not an OTLP trace request in JSON"],
        ),
        (
            format!("{a}\nhello\n7\n{{\"a\": 1}}\n{b}"),
            2,
            &[
                "line 2 is not an OTLP trace request in JSON",
                "line 3 is JSON, but not an OTLP trace request",
                "line 4 is JSON, but not an OTLP trace request",
            ],
        ),
        (
            format!("{{\n{{\n{a}\n[\n[1,\n{b}\n"),
            2,
            &["line 1 ", "line 2 ", "line 4 ", "line 5 "],
        ),
        (format!("{}\n{a}\n", "[".repeat(100_000)), 1, &["line 1 "]),
    ] {
        let output = traces(&text);
        assert_eq!(output.code, 0, "{text}\n{}", output.stderr);
        assert_eq!(output.stdout.matches("  trace ").count(), lines, "{text}");
        assert_eq!(
            output.stderr.lines().count(),
            bad.len(),
            "{}",
            output.stderr
        );
        for (line, bad) in output.stderr.lines().zip(bad) {
            assert!(
                line.contains(bad) && line.ends_with("skipped"),
                "{line}: {bad}"
            );
        }
    }
    let nothing = traces("{\"resourceSpans\": [{\"scop");
    assert_eq!(nothing.code, 1);
    assert!(
        nothing.stderr.contains("line 1 is incomplete"),
        "{}",
        nothing.stderr
    );
    let many = traces(&"x\n".repeat(100));
    assert!(
        many.stderr.contains("95 more lines skipped"),
        "{}",
        many.stderr
    );
}

#[test]
fn bytes_that_are_not_text_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latin.jsonl");
    let mut bytes = named("one").into_bytes();
    bytes.extend(b"\n{\"resourceSpans\": \xff\xfe\n");
    fs::write(&file, bytes).unwrap();
    let output = spanmux_with_input(&["traces", file.to_str().unwrap()], "");
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("one") && output.stderr.contains("line 2 "));
}

#[test]
fn maps_and_bytes_are_printed_as_json() {
    let value = |value: Value| json!({"key": "k", "value": value});
    for (given, shown) in [
        (json!({"bytesValue": "AQI="}), "AQI="),
        (json!({"boolValue": true}), "true"),
        (json!({"doubleValue": 1.5}), "1.5"),
        (
            json!({"arrayValue": {"values": [{"stringValue": "a\"b"}, {"intValue": "1"}, {"bytesValue": "AQI="}]}}),
            r#"["a\"b",1,"AQI="]"#,
        ),
        (
            json!({"kvlistValue": {"values": [
                {"key": "role", "value": {"stringValue": "user"}},
                {"key": "parts", "value": {"arrayValue": {"values": [{"kvlistValue": {}}]}}},
            ]}}),
            r#"{"role":"user","parts":[{}]}"#,
        ),
    ] {
        let output =
            traces(&request(json!([{"name": "a", "attributes": [value(given)]}])).to_string());
        let line = output.stdout.lines().nth(2).unwrap_or_default();
        let (_, found) = line.split_once("k = ").expect(&output.stdout);
        let same = serde_json::from_str::<Value>(found).ok() == serde_json::from_str(shown).ok();
        assert!(
            found == shown || (same && found.starts_with(['{', '['])),
            "{found}"
        );
    }
}

#[test]
fn spans_in_cycles_are_shown_once() {
    let span = |id: u64, parent: u64, start: u64| {
        json!({
            "name": format!("span-{id}-{start}"), "spanId": format!("{id:016x}"),
            "parentSpanId": format!("{parent:016x}"), "startTimeUnixNano": start,
        })
    };
    for (case, spans) in [
        ("itself", vec![span(1, 1, 1)]),
        ("two", vec![span(1, 2, 1), span(2, 1, 2)]),
        (
            "three and a tail",
            vec![span(1, 3, 1), span(2, 1, 2), span(3, 2, 3), span(4, 2, 4)],
        ),
        (
            "a root and a cycle",
            vec![span(9, 0, 5), span(8, 9, 6), span(1, 2, 1), span(2, 1, 2)],
        ),
        (
            "two cycles",
            vec![span(1, 2, 1), span(2, 1, 2), span(3, 4, 3), span(4, 3, 4)],
        ),
        (
            "one id twice",
            vec![span(1, 2, 1), span(1, 2, 2), span(2, 1, 3), span(3, 1, 4)],
        ),
        ("no ids", vec![span(0, 0, 1), span(0, 0, 2), span(5, 0, 3)]),
        (
            "one id twice without a root",
            vec![span(1, 1, 1), span(1, 1, 2), span(2, 1, 3)],
        ),
    ] {
        let count = spans.len();
        let output = traces(&request(spans.clone().into()).to_string());
        assert!(
            output.stdout.contains(&format!("  {count} span")),
            "{case}: {}",
            output.stdout
        );
        for span in spans {
            let name = span["name"].as_str().unwrap();
            let shown = output.stdout.matches(&format!("{name} ")).count();
            assert_eq!(shown, 1, "{case}: {name}\n{}", output.stdout);
        }
    }
}
