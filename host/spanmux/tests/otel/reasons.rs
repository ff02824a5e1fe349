//! Tests of the attributes that explain a selection, which only the root span has.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use spanmux::otel::{RoutingTracerProvider, attributes};
use spanmux::{Chain, Choice, ContextView, Selector, TracerNames, selector_fn};

use crate::support::{attribute, run, tracer};

/// Returns the attributes of a root span and of a child, for a chain over one tracer
/// "only".
fn attributes_of(chain: Chain) -> [Vec<(String, String)>; 2] {
    let (only, exporter) = tracer();
    let provider = RoutingTracerProvider::builder()
        .tracer("only", only)
        .selectors(chain)
        .build()
        .unwrap();
    let tracer = provider.tracer("shop");
    let builder = || {
        opentelemetry::trace::SpanBuilder::from_name("span")
            .with_attributes([KeyValue::new("own", "1")])
    };
    let root = tracer.build_with_context(builder(), &run("only"));
    tracer
        .build_with_context(builder(), &run("only").with_span(root))
        .end();
    let of = |span: &opentelemetry_sdk::trace::SpanData| -> Vec<(String, String)> {
        let all = span.attributes.iter();
        all.map(|kv| (kv.key.to_string(), kv.value.as_str().into_owned()))
            .collect()
    };
    let spans = exporter.get_finished_spans().unwrap();
    [of(&spans[1]), of(&spans[0])]
}

/// A selector with a digest, like one loaded from a file.
struct FromFile(Choice);

impl Selector for FromFile {
    fn name(&self) -> &str {
        "10-tenant"
    }

    fn digest(&self) -> Option<&str> {
        Some("5f3a")
    }

    fn decide(&self, _context: &ContextView<'_>, tracers: &TracerNames) -> Choice {
        match &self.0 {
            Choice::Abstain => tracers.choose("only"),
            other => other.clone(),
        }
    }
}

#[test]
fn root_span_explains_the_selection_and_children_do_not() {
    let chain = |selector: Arc<dyn Selector>| Chain::from(selector);
    let chosen = chain(Arc::new(FromFile(Choice::Abstain)));
    let failed = chain(Arc::new(FromFile(Choice::failed("no such tenant"))));
    let unknown = chain(Arc::new(selector_fn("by-key", |_, tracers| {
        tracers.choose("nosuch")
    })));
    let abstained = chain(Arc::new(selector_fn("by-key", |_, _| Choice::Abstain)));
    let rows: [(Chain, &[(&str, &str)]); 5] = [
        (
            chosen,
            &[
                (attributes::SELECTOR, "10-tenant"),
                (attributes::SELECTOR_DIGEST, "5f3a"),
            ],
        ),
        (
            failed,
            &[
                (attributes::SELECTOR, "10-tenant"),
                (attributes::SELECTOR_DIGEST, "5f3a"),
                (attributes::FALLBACK, "failed"),
                (
                    attributes::FALLBACK_REASON,
                    "the selector failed: no such tenant",
                ),
            ],
        ),
        (
            unknown,
            &[
                (attributes::SELECTOR, "by-key"),
                (attributes::FALLBACK, "unknown_tracer"),
                (attributes::FALLBACK_REASON, "no tracer is named \"nosuch\""),
            ],
        ),
        (
            abstained,
            &[
                (attributes::FALLBACK, "abstained"),
                (attributes::FALLBACK_REASON, "every selector abstained"),
            ],
        ),
        (
            Chain::empty(),
            &[
                (attributes::FALLBACK, "no_selector"),
                (attributes::FALLBACK_REASON, "no selector is registered"),
            ],
        ),
    ];
    for (chain, expected) in rows {
        let [root, child] = attributes_of(chain);
        let all = [&[(attributes::TRACER, "only")], expected, &[("own", "1")]].concat();
        let all: Vec<_> = all
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        assert_eq!(root, all);
        assert_eq!(child, [("own".to_owned(), "1".to_owned())]);
    }
}

#[test]
fn attribute_limit_does_not_remove_the_explanation() {
    let exporter = InMemorySpanExporter::default();
    let sdk = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .with_max_attributes_per_span(4)
        .build();
    let provider = RoutingTracerProvider::builder()
        .tracer("only", sdk)
        .build()
        .unwrap();
    let own = (0..10).map(|place| KeyValue::new(format!("own{place}"), place));
    let tracer = provider.tracer("shop");
    tracer
        .span_builder("root")
        .with_attributes(own)
        .start(&tracer)
        .end();
    let spans = exporter.get_finished_spans().unwrap();
    assert_eq!(
        attribute(&spans[0], attributes::TRACER).as_deref(),
        Some("only")
    );
    assert_eq!(
        attribute(&spans[0], attributes::FALLBACK).as_deref(),
        Some("no_selector")
    );
    assert_eq!(spans[0].dropped_attributes_count, 9);
}
