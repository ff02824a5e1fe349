//! Tests that all exporters receive redacted spans.

use std::io::{self, Write};
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::InMemorySpanExporter;
use parking_lot::Mutex;
use spanmux::exporters::Exporter;
use spanmux::otel::{RoutingTracerProvider, TracerConfig};
use spanmux::redaction::{AttributeLimits, Redaction, SpanFilter};

use crate::support::*;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

fn trace(provider: &RoutingTracerProvider) {
    let tracer = provider.tracer("shop");
    tracer.in_span("answer", |_| {
        tracer.start("poll").end();
        let mut call = tracer.start("call");
        call.set_attribute(KeyValue::new("password", "hunter2"));
        call.set_attribute(KeyValue::new("arguments", r#"{"token":"hunter2","n":1}"#));
        call.set_attribute(KeyValue::new("gen_ai.usage.input_tokens", 123));
        call.set_attribute(KeyValue::new("long", "x".repeat(50)));
        call.end();
    });
}

#[test]
fn console_and_file_are_redacted_alike() {
    let dir = tempfile::tempdir().unwrap();
    let (page, path) = (Page::default(), dir.path().join("spans.jsonl"));
    let limits = AttributeLimits::new().length(40);
    let poll = SpanFilter::new().drop_names(["poll"]);
    let config = TracerConfig::new()
        .service_name("shop")
        .exporter(Exporter::console_to(page.clone()).filter(poll))
        .exporter(Exporter::file(&path))
        .limits(limits);
    let provider = of(config);
    trace(&provider);
    assert_eq!(provider.force_flush_with_timeout(LONG).failed, []);
    for text in [page.text(), std::fs::read_to_string(&path).unwrap()] {
        assert!(!text.contains("hunter2"), "{text}");
        for left in ["[REDACTED]", "123", "…[+10]", "spanmux.cut"] {
            assert!(text.contains(left), "{left}: {text}");
        }
    }
    assert!(!page.text().contains("poll"), "{}", page.text());
    assert!(page.text().contains("2 spans"), "{}", page.text());
    let [console, file] = &counts(&provider)[..] else {
        panic!("two exporters")
    };
    for (counts, filtered) in [(console, 1), (file, 0)] {
        assert_adds_up(counts);
        assert_eq!((counts.ended, counts.filtered), (3, filtered));
        assert_eq!((counts.redacted, counts.cut), (2, 1));
    }
}

#[test]
fn panicking_custom_redaction_loses_no_spans() {
    let exporter = Scripted::always(Does::Take);
    let redaction = Redaction::default().custom(|_, _| std::panic::panic_any("oh"));
    let provider = of(config(&[&exporter], patient(100, 10)).redaction(redaction));
    trace(&provider);
    assert_eq!(provider.force_flush_with_timeout(LONG).failed, []);
    assert_eq!(exporter.taken(), 3);
}

#[test]
fn numbers_of_attributes_events_and_links_are_limited() {
    let limits = AttributeLimits::new().attributes(2).events(3).links(0);
    let memory = InMemorySpanExporter::default();
    let exporter = Exporter::custom(memory.clone());
    let config = TracerConfig::new()
        .service_name("shop")
        .exporter(exporter)
        .limits(limits);
    let tracer = config.build().unwrap();
    let mut span = tracer.provider().tracer("shop").start("answer");
    for number in 0..5 {
        span.set_attribute(KeyValue::new(format!("a{number}"), number));
        span.add_event("e", Vec::new());
        span.add_link(span.span_context().clone(), Vec::new());
    }
    span.end();
    tracer.force_flush().unwrap();
    let span = &memory.get_finished_spans().unwrap()[0];
    let left = (span.attributes.len(), span.events.len(), span.links.len());
    assert_eq!(left, (2, 3, 0));
    assert_eq!(tracer.delivery()[0].1.cut, 3 + 2 + 5);
}
