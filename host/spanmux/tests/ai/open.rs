//! Spans that never end are limited and counted.

use opentelemetry::Context;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use serde_json::json;
use spanmux::genai::{Ai, AiOptions, RunStatus};

use crate::support::{ai, spans};

#[test]
fn handles_beyond_the_limit_do_nothing_and_are_counted() {
    let options = AiOptions::new().max_open_spans(2).capture_content(true);
    let (ai, exporter) = ai(options);
    let run = ai.agent_run("a").start();
    let forgotten = run.tool_call("forgotten").start();
    std::mem::forget(forgotten);
    for _ in 0..100 {
        let refused = run.tool_call("refused").arguments(json!(1)).start();
        assert!(!refused.is_recording() && !refused.captures_input());
        refused.result("1");
        refused.attribute(opentelemetry::KeyValue::new("own", 1));
        refused.event("event", Vec::new());
        refused.fail_as("timeout", "too late");
    }
    assert_eq!((ai.open_spans().open, ai.open_spans().refused), (2, 100));

    // The refused spans recorded nothing on their parent, and a dropped span frees its
    // permit.
    run.end();
    assert_eq!(ai.open_spans().open, 1);
    let spans = spans(&exporter);
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].name, "invoke_agent a");
    assert!(spans[0].events.is_empty());
    assert!(
        !spans[0]
            .attributes
            .iter()
            .any(|kv| kv.key.as_str() == "own")
    );
    ai.workflow_run("w").start().finish(RunStatus::Success);
    assert_eq!((ai.open_spans().open, ai.open_spans().refused), (1, 100));
}

#[test]
fn children_of_a_refused_span_attach_to_its_parent_or_do_not_start() {
    let exporter = InMemorySpanExporter::default();
    let sdk = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = sdk.tracer("shop");
    let ai = Ai::with_options(tracer.clone(), AiOptions::new().max_open_spans(0));
    let root = ai.agent_run("refused").under(&Context::new()).start();
    tracer.in_span_with_context("alone", root.context(), |_context| {});
    assert_eq!(spans(&exporter).len(), 0);
    tracer.in_span("request", |context| {
        let refused = ai.agent_run("refused").under(&context).start();
        tracer.in_span_with_context("query", refused.context(), |_context| {});
    });
    let spans = spans(&exporter);
    assert_eq!((&*spans[0].name, &*spans[1].name), ("query", "request"));
    assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
}
