//! Content capture and its limits, and inherited attributes.

use opentelemetry::Context;
use opentelemetry_sdk::trace::SpanData;
use serde_json::json;
use spanmux::genai::{AiContextExt, AiOptions, ContentLimits, Dialect, Hidden};
use spanmux::otel::ExternalTrace;

use crate::support::{ai, shown, spans, value};

/// Returns the keys of the content in a trace of an agent and a tool.
fn content(spans: &[SpanData]) -> Vec<&'static str> {
    let all = [
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "input.value",
        "output.value",
    ];
    let has = |key: &&str| spans.iter().any(|span| value(span, key).is_some());
    all.into_iter().filter(has).collect()
}

#[test]
fn trace_hides_content_when_capture_is_enabled() {
    let input = [
        "gen_ai.input.messages",
        "gen_ai.tool.call.arguments",
        "input.value",
    ];
    let output = [
        "gen_ai.output.messages",
        "gen_ai.tool.call.result",
        "output.value",
    ];
    let all = [
        input[0], output[0], input[1], output[1], input[2], output[2],
    ];
    let rows: [(bool, &[Hidden], &[&str]); 6] = [
        (true, &[], &all),
        (true, &[Hidden::Input], &output),
        (true, &[Hidden::Output], &input),
        (true, &[Hidden::Both], &[]),
        (true, &[Hidden::Input, Hidden::Output], &[]),
        (false, &[], &[]),
    ];
    for (capture, hidden, expected) in rows {
        for in_context in [true, false] {
            let options = AiOptions::new()
                .dialect(Dialect::Both)
                .capture_content(capture);
            let (ai, exporter) = ai(options);
            let mut context = Context::new();
            let mut builder = ai.agent_run("a");
            if in_context {
                context = hidden
                    .iter()
                    .fold(context, |context, one| context.with_hidden(*one));
            }
            // Input that is set before the trace hides it must be hidden as well.
            builder = builder.input("secret").under(&context);
            if !in_context {
                builder = hidden
                    .iter()
                    .fold(builder, |builder, one| builder.hide(*one));
            }
            let run = builder.start();
            let tool = run.tool_call("t").arguments("secret").start();
            assert_eq!(tool.captures_input(), expected.contains(&input[1]));
            assert_eq!(tool.captures_output(), expected.contains(&output[1]));
            tool.result("secret");
            run.output("secret");
            drop((tool, run));
            let spans = spans(&exporter);
            assert_eq!(content(&spans), expected, "{hidden:?}");
            let text = format!("{spans:?}");
            assert_eq!(text.contains("secret"), !expected.is_empty(), "{hidden:?}");
        }
    }
}

#[test]
fn long_and_deep_content_is_truncated_to_valid_json() {
    let limits = ContentLimits::new().text_bytes(8).depth(4).items(2);
    let options = AiOptions::new()
        .dialect(Dialect::Both)
        .capture_content(true)
        .limits(limits);
    let (ai, exporter) = ai(options);
    let deep = json!({"a": [[[["x"]]]], "text": "0123456789"});
    let tool = ai.tool_call("t").arguments(deep).start();
    tool.result("0123456789");
    drop(tool);
    let texts = ["one", "two", "three"];
    ai.embedding("m").input(texts).start().end();
    let spans = spans(&exporter);
    assert_eq!(
        value(&spans[0], "gen_ai.tool.call.arguments").unwrap(),
        r#"{"a":[[["…[1 deeper]"]]],"text":"01234567…[2 more characters]"}"#
    );
    let result = value(&spans[0], "gen_ai.tool.call.result");
    assert_eq!(result.as_deref(), Some("01234567…[2 more characters]"));
    let numbered = shown(&spans[1].attributes);
    let numbered = numbered
        .iter()
        .filter(|text| text.contains("embedding.text"));
    assert_eq!(numbered.count(), 2);
    let whole = value(&spans[1], "input.value");
    assert_eq!(whole.as_deref(), Some(r#"["one","two","…[1 more]"]"#));
}

#[test]
fn ai_spans_inherit_session_user_and_tags() {
    let (ai, exporter) = ai(AiOptions::new());
    let context = Context::new().with_session("s-1").with_tags(["a"]);
    let run = ai
        .agent_run("a")
        .under(&context)
        .user("u-1")
        .tags(["b"])
        .start();
    let call = run.generation("m").start();
    let step = call.model_step(1).user("u-2").start();
    drop((step, call, run));
    // A span in an unrelated context inherits nothing.
    ai.generic("elsewhere").start().end();
    let spans = spans(&exporter);
    let carried = |span: &SpanData| {
        [
            "session.id",
            "gen_ai.conversation.id",
            "user.id",
            "tag.tags",
        ]
        .map(|key| value(span, key).unwrap_or_default())
    };
    for (place, user) in [(0, "u-2"), (1, "u-1"), (2, "u-1")] {
        assert_eq!(carried(&spans[place]), ["s-1", "s-1", user, r#"["a","b"]"#]);
    }
    assert_eq!(carried(&spans[3]), [""; 4]);
}

#[test]
fn builder_ignores_the_order_of_calls() {
    let (ai, exporter) = ai(AiOptions::new().capture_content(true));
    let trace = ExternalTrace::new("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
    let context = Context::new().with_session("old").with_tags(["a"]);
    let first = ai
        .generic("g")
        .session("s-1")
        .tags(["b"])
        .hide(Hidden::Both);
    let first = first.in_trace(&trace).input("secret").under(&context);
    let second = ai
        .generic("g")
        .under(&context)
        .input("secret")
        .in_trace(&trace);
    let second = second.hide(Hidden::Both).tags(["b"]).session("s-1");
    for builder in [first, second] {
        builder.start().end();
    }
    for span in spans(&exporter) {
        assert_eq!(
            span.span_context.trace_id().to_string(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        assert_eq!(
            shown(&span.attributes),
            [
                "gen_ai.conversation.id=s-1",
                "session.id=s-1",
                r#"tag.tags=["a","b"]"#,
            ]
        );
    }
}
