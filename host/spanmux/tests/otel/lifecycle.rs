//! Tests of building, flushing, shutting down, and counting lost spans.

use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use parking_lot::Mutex;
use spanmux::otel::{BuildError, OtelTracer, RoutingTracerProvider, TracerConfig};
use spanmux::{Chain, selector_fn};

use crate::support::{CARRIERS, Carrier, remote, run, tracer};

/// An exporter that keeps the names of spans after a shutdown, unlike the SDK's own.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let names = batch.into_iter().map(|span| span.name.into_owned());
        self.0.lock().extend(names);
        Ok(())
    }
}

impl Kept {
    fn names(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

/// Creates a provider with a simple and a batching tracer, chosen by name.
fn two() -> (RoutingTracerProvider, [Kept; 2]) {
    let kept = [Kept::default(), Kept::default()];
    let simple = SdkTracerProvider::builder()
        .with_simple_exporter(kept[0].clone())
        .build();
    let batch = SdkTracerProvider::builder()
        .with_batch_exporter(kept[1].clone())
        .build();
    let by_key = selector_fn("by-key", |context, tracers| {
        tracers.choose(context.text("tracer").unwrap_or_default())
    });
    let provider = RoutingTracerProvider::builder()
        .tracer("simple", simple)
        .tracer("batch", batch)
        .selectors(Chain::from(by_key))
        .build()
        .unwrap();
    (provider, kept)
}

#[test]
fn shutdown_stops_exports_and_counts_open_spans() {
    let (provider, kept) = two();
    let tracer = provider.tracer("shop");
    let open: Vec<_> = ["simple", "batch"]
        .map(|name| run(name).with_span(tracer.start_with_context("root", &run(name))))
        .into();
    for cx in &open {
        tracer.start_with_context("before", cx).end();
    }
    let report = provider.shutdown();
    let failed: Vec<_> = report
        .failed
        .iter()
        .map(|failure| failure.to_string())
        .collect();
    let still = |name| format!(r#"tracer "{name}": spans still open: 1 (roots: "root")"#);
    assert_eq!(failed, ["simple", "batch"].map(still));
    assert_eq!(report.succeeded, [""; 0]);
    for cx in &open {
        // A child that starts now is a no-op in the same trace and does not select again.
        let child = tracer.start_with_context("after", cx);
        assert!(!child.is_recording());
        assert_eq!(child.span_context(), cx.span().span_context());
        cx.span().end();
        cx.span().end(); // Counted only once.
    }
    drop(open);
    assert_eq!(provider.dropped().after_shutdown, 4);
    assert_eq!(kept.map(|kept| kept.names()), [["before"], ["before"]]);
    // A new trace is a no-op, and a second shutdown is harmless.
    assert!(
        !tracer
            .start_with_context("new", &run("batch"))
            .span_context()
            .is_valid()
    );
    assert_eq!(provider.shutdown(), spanmux::LifecycleReport::default());
    assert_eq!(provider.dropped().total(), 4);
}

#[test]
fn dropped_spans_are_counted_like_ended_spans() {
    let (provider, _kept) = two();
    let tracer = provider.tracer("shop");
    let open = [(); 3].map(|()| tracer.start_with_context("root", &run("simple")));
    let _report = provider.shutdown();
    drop(open);
    assert_eq!(provider.dropped().after_shutdown, 3);
}

#[test]
fn lost_spans_stay_counted_after_the_tracer_is_dropped() {
    let (provider, _kept) = two();
    let tracer = provider.tracer("shop");
    let open = tracer.start_with_context("root", &run("simple"));
    let _report = provider.shutdown();
    drop(open);
    // Adding another tracer removes dropped tracers from the table.
    provider
        .registry()
        .register("new", OtelTracer::new(SdkTracerProvider::default()))
        .unwrap();
    tracer.start_with_context("root", &run("new")).end();
    assert_eq!(provider.dropped().after_shutdown, 1);
}

#[test]
fn shutdown_includes_unregistered_tracers_with_open_traces() {
    let (provider, kept) = two();
    let tracer = provider.tracer("shop");
    let root = run("batch").with_span(tracer.start_with_context("root", &run("batch")));
    tracer.start_with_context("child", &root).end();
    provider.registry().unregister("batch");
    assert_eq!(provider.force_flush().succeeded, ["simple", "batch"]);
    assert_eq!(kept[1].names(), ["child"]);
    let report = provider.shutdown();
    assert_eq!(report.succeeded, ["simple"]);
    assert_eq!(report.failed[0].tracer, "batch");
    root.span().end();
    assert_eq!(kept[1].names(), ["child"]);
    assert_eq!(provider.dropped().after_shutdown, 1);
}

#[test]
fn sdk_provider_may_be_shut_down_by_its_owner() {
    for carrier in CARRIERS {
        let kept = Kept::default();
        let sdk = SdkTracerProvider::builder().with_simple_exporter(kept.clone());
        let only = Arc::new(match carrier {
            Carrier::TraceId => OtelTracer::from_builder(sdk),
            Carrier::Tracestate => OtelTracer::new(sdk.build()),
        });
        let provider = RoutingTracerProvider::builder()
            .tracer("only", only.clone())
            .build()
            .unwrap();
        let tracer = provider.tracer("shop");
        only.provider().shutdown().unwrap();
        let served = Context::new().with_remote_span_context(remote("vendor=1"));
        for cx in [Context::new(), Context::new(), served] {
            let root = tracer.start_with_context("root", &cx);
            assert!(!root.is_recording());
            let cx = cx.with_span(root);
            let child = tracer.start_with_context("child", &cx);
            assert_eq!(child.span_context(), cx.span().span_context());
        }
        // The three root spans select, their children do not.
        assert_eq!(provider.registry().counts().total(), 3);
        // Includes the child of the trace that was sampled in another process.
        assert_eq!(provider.dropped().after_shutdown, 4);
        assert_eq!(provider.shutdown().succeeded, ["only"]);
        assert_eq!(kept.names(), [""; 0]);
    }
}

#[test]
fn tracer_with_two_names_is_shut_down_once() {
    let (only, exporter) = tracer();
    let only = Arc::new(only);
    let provider = RoutingTracerProvider::builder()
        .tracer("a", only.clone())
        .tracer("b", only)
        .build()
        .unwrap();
    assert_eq!(provider.shutdown().succeeded, ["a"]);
    assert!(exporter.is_shutdown_called());
}

#[test]
fn configured_and_ready_made_tracers_can_be_combined() {
    let dir = tempfile::tempdir().unwrap();
    let (ready, exporter) = tracer();
    let by_key = selector_fn("by-key", |context, tracers| {
        tracers.choose(context.text("tracer").unwrap_or_default())
    });
    let provider = RoutingTracerProvider::builder()
        .service_name("shop")
        .tracer("console", TracerConfig::console_to(std::io::sink()))
        .tracer("ready", ready)
        .tracer("sdk", SdkTracerProvider::default())
        .tracer("file", TracerConfig::file(dir.path().join("spans.jsonl")))
        .selectors(Chain::from(by_key))
        .fallback("ready")
        .build()
        .unwrap();
    assert_eq!(
        provider.registry().names().as_slice(),
        ["console", "ready", "sdk", "file"]
    );
    let tracer = provider.tracer("shop");
    for name in ["console", "ready", "sdk", "file", "nosuch"] {
        tracer.in_span_with_context("root", &run(name), |_| tracer.in_span("child", |_| {}));
    }
    assert_eq!(exporter.get_finished_spans().unwrap().len(), 4);
    assert_eq!(provider.shutdown().succeeded.len(), 4);
    let lines = std::fs::read_to_string(dir.path().join("spans.jsonl")).unwrap();
    assert!(lines.contains("\"root\"") && lines.contains("\"child\""));
}

#[test]
fn builder_reports_each_error() {
    let sdk = SdkTracerProvider::default;
    let new = RoutingTracerProvider::builder;
    for (builder, message) in [
        (
            new().tracer("a", sdk()).tracer("a", sdk()),
            "a tracer named \"a\" is registered already; unregister it first or choose another \
             name",
        ),
        (
            new().tracer("", sdk()),
            "a tracer's name is empty; give it one that a selector can answer",
        ),
        (
            new().tracer("a", sdk()).default_tracer("b"),
            "the default tracer: no tracer is named \"b\"; registered are: a",
        ),
        (
            new().fallback("b"),
            "the fallback tracer: no tracer is named \"b\"; registered are: none",
        ),
        (
            new().tracer("a", TracerConfig::file("/nowhere/spans.jsonl")),
            "failed to build tracer \"a\"",
        ),
    ] {
        assert_eq!(builder.build().unwrap_err().to_string(), message);
    }
    let error = new()
        .tracer("a", TracerConfig::file("/nowhere/s"))
        .build()
        .unwrap_err();
    assert!(matches!(error, BuildError::Tracer { .. }));
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
    assert_eq!(causes.count(), 3);
}
