//! Tests that a shutdown names the spans that are still open.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use spanmux::exporters::Exporter;
use spanmux::otel::{RoutingTracerProvider, TracerConfig};

use crate::support::{CARRIERS, Fleet, run};

fn configured() -> RoutingTracerProvider {
    let config = TracerConfig::new().exporter(Exporter::discard());
    RoutingTracerProvider::builder()
        .tracer("only", config)
        .build()
        .unwrap()
}

#[test]
fn shutdown_names_the_open_root_spans_of_each_tracer() {
    for fleet in CARRIERS.map(Fleet::by) {
        let tracer = fleet.provider.tracer("shop");
        let open = |name: &'static str, to: &str| {
            run(to).with_span(tracer.start_with_context(name, &run(to)))
        };
        let answer = open("answer", "a");
        let child = tracer.start_with_context("look up", &answer);
        let jobs = [open("job", "a"), open("job", "a"), open("batch", "b")];
        drop(open("ended", "a"));
        let report = fleet.provider.shutdown();
        let failed: Vec<(&str, &str)> = report
            .failed
            .iter()
            .map(|failure| (failure.tracer.as_str(), failure.message.as_str()))
            .collect();
        let expected = [
            ("a", r#"spans still open: 4 (roots: "answer", "job" × 2)"#),
            ("b", r#"spans still open: 1 (roots: "batch")"#),
        ];
        assert_eq!(failed, expected);
        assert_eq!(report.succeeded, ["c"]);
        assert!(report.failed.iter().all(|failure| !failure.timed_out));
        drop((child, answer, jobs));
        assert_eq!(fleet.provider.dropped().after_shutdown, 5);
        // A second call has no effect.
        assert!(fleet.provider.shutdown().failed.is_empty());
    }
}

#[test]
fn shutdown_succeeds_when_all_spans_have_ended() {
    let provider = configured();
    provider.tracer("shop").in_span("root", |_| {});
    provider.shutdown().into_result().unwrap();
}

#[test]
fn number_of_named_spans_is_bounded() {
    let provider = configured();
    let tracer = provider.tracer("shop");
    let open: Vec<_> = (10..60)
        .map(|n| tracer.start_with_context(format!("root {n}"), &Context::new()))
        .collect();
    let report = provider.shutdown();
    let message = &report.failed[0].message;
    assert!(
        message.starts_with(r#"spans still open: 50 (roots: "root 10", "root 11", "#),
        "{message}"
    );
    assert_eq!(message.matches("root ").count(), 16);
    drop(open);
}

#[test]
fn removal_names_the_open_root_spans() {
    let provider = configured();
    let span = provider
        .tracer("shop")
        .start_with_context("answer", &Context::new());
    let report = provider.remove("only", Duration::from_millis(20)).unwrap();
    let failure = &report.failed[0];
    assert!(
        failure
            .message
            .starts_with(r#"spans still open: 1 (roots: "answer")"#),
        "{failure}"
    );
    assert!(failure.timed_out);
    drop(span);
}
