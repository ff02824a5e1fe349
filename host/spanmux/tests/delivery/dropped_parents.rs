//! Tests for the children of spans that a filter dropped.

use std::collections::BTreeMap;

use opentelemetry::trace::{SpanId, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use spanmux::exporters::Exporter;
use spanmux::otel::{OtelTracer, TracerConfig};
use spanmux::redaction::SpanFilter;

use crate::support::{batch, patient};

/// Creates a tracer with an exporter that drops spans, and one that keeps all.
fn tracer(
    filter: SpanFilter,
    size: usize,
) -> (OtelTracer, InMemorySpanExporter, InMemorySpanExporter) {
    let (some, all) = (
        InMemorySpanExporter::default(),
        InMemorySpanExporter::default(),
    );
    let settings = if size == 1 {
        batch(1_000, 1)
    } else {
        patient(1_000, size)
    };
    let tracer = TracerConfig::new()
        .service_name("shop")
        .batch(settings)
        .exporter(Exporter::custom(some.clone()).filter(filter))
        .exporter(Exporter::custom(all.clone()))
        .build()
        .unwrap();
    (tracer, some, all)
}

fn by_name(exporter: &InMemorySpanExporter) -> BTreeMap<String, SpanData> {
    let spans = exporter.get_finished_spans().unwrap();
    spans
        .into_iter()
        .map(|span| (span.name.to_string(), span))
        .collect()
}

fn start(tracer: &OtelTracer, name: &'static str, parent: &Context, of: &[KeyValue]) -> Context {
    let sdk = tracer.provider().tracer("library");
    let builder = sdk.span_builder(name).with_attributes(of.to_vec());
    parent.with_span(sdk.build_with_context(builder, parent))
}

/// Returns the name of the parent of each span.
fn parents(spans: &BTreeMap<String, SpanData>) -> BTreeMap<&str, &str> {
    let name_of = |id: SpanId| {
        let found = spans
            .values()
            .find(|span| span.span_context.span_id() == id);
        match (id, found) {
            (SpanId::INVALID, _) => "no parent",
            (_, None) => "an unknown parent",
            (_, Some(span)) => &*span.name,
        }
    };
    let parents = spans
        .iter()
        .map(|(name, span)| (&**name, name_of(span.parent_span_id)));
    parents.collect()
}

#[test]
fn children_of_dropped_spans_move_to_the_nearest_exported_ancestor() {
    let filter = || {
        SpanFilter::new()
            .drop_names(["internal.*"])
            .drop_attribute("noise", true)
    };
    for size in [1, 3, 500] {
        for children_end_first in [true, false] {
            let (tracer, some, all) = tracer(filter(), size);
            let root = start(&tracer, "root", &Context::new(), &[]);
            let first = start(&tracer, "internal.a", &root, &[]);
            let second = start(&tracer, "b", &first, &[KeyValue::new("noise", true)]);
            let call = start(&tracer, "call", &second, &[]);
            let query = start(&tracer, "query", &call, &[]);
            let dropped_root = start(&tracer, "internal.root", &Context::new(), &[]);
            let orphan = start(&tracer, "orphan", &dropped_root, &[]);
            let mut open = [
                &query,
                &call,
                &second,
                &first,
                &root,
                &orphan,
                &dropped_root,
            ];
            if !children_end_first {
                open.reverse();
            }
            open.iter().for_each(|cx| cx.span().end());
            tracer.force_flush().unwrap();
            let (some, all) = (by_name(&some), by_name(&all));
            assert_eq!(all.len(), 7);
            assert_eq!(parents(&all)["call"], "b");
            let expected = [
                ("call", "root"),
                ("orphan", "no parent"),
                ("query", "call"),
                ("root", "no parent"),
            ];
            assert_eq!(parents(&some), expected.into(), "batches of {size}");
            tracer.shutdown().unwrap();
        }
    }
}

#[test]
fn span_that_is_renamed_is_judged_by_its_last_name() {
    let (tracer, some, _all) = tracer(SpanFilter::new().drop_names(["GET /health"]), 1);
    let root = start(&tracer, "GET", &Context::new(), &[]);
    let child = start(&tracer, "child", &root, &[]);
    root.span().update_name("GET /health");
    root.span().end();
    child.span().end();
    let kept = start(&tracer, "GET /health", &Context::new(), &[]);
    kept.span().update_name("GET /orders");
    kept.span().end();
    start(&tracer, "late", &kept, &[]).span().end();
    tracer.force_flush().unwrap();
    let spans = by_name(&some);
    let expected = [
        ("GET /orders", "no parent"),
        ("child", "no parent"),
        ("late", "GET /orders"),
    ];
    assert_eq!(parents(&spans), expected.into());
    tracer.shutdown().unwrap();
}

#[test]
fn exported_ancestor_gets_the_usage_of_dropped_spans() {
    let usage = |input: i64| {
        [
            KeyValue::new("operation", "chat"),
            KeyValue::new("gen_ai.usage.input_tokens", input),
            KeyValue::new("gen_ai.usage.output_tokens", 1),
        ]
    };
    for own_usage in [false, true] {
        let (tracer, some, all) = tracer(SpanFilter::new().drop_attribute("operation", "chat"), 2);
        let own = [KeyValue::new("gen_ai.usage.input_tokens", 99)];
        let own = if own_usage { &own[..] } else { &[] };
        let run = start(&tracer, "run", &Context::new(), own);
        let step = start(&tracer, "step", &run, &[]);
        let outer = start(&tracer, "outer chat", &step, &usage(10));
        for tokens in [20, 30] {
            start(&tracer, "inner chat", &outer, &usage(tokens))
                .span()
                .end();
        }
        [&outer, &step, &run].iter().for_each(|cx| cx.span().end());
        tracer.force_flush().unwrap();
        let usage_of = |name: &str| {
            let spans = by_name(&some);
            let attributes = &spans[name].attributes;
            let all = attributes
                .iter()
                .filter(|of| of.key.as_str().starts_with("gen_ai.usage"));
            all.map(|of| of.value.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(usage_of("step"), ["60", "3"]);
        let expected: &[&str] = if own_usage { &["99"] } else { &[] };
        assert_eq!(usage_of("run"), expected);
        // The other exporter has all spans, unchanged.
        let step = &by_name(&all)["step"];
        assert!(step.attributes.is_empty(), "{step:?}");
        tracer.shutdown().unwrap();
    }
}
