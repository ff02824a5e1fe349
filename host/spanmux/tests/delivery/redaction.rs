//! Tests that all exporters receive redacted spans.

use std::io::{self, Write};
use std::sync::Arc;

use opentelemetry::trace::{Span as _, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::InMemorySpanExporter;
use parking_lot::Mutex;
use spanmux::exporters::Exporter;
use spanmux::genai::{Ai, AiOptions, ContentLimits, Dialect, Message};
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

/// Starts and ends a span that holds a secret in every text.
fn trace_with_secrets(provider: &RoutingTracerProvider) {
    let secret = || KeyValue::new("password", "hunter2");
    let scope = InstrumentationScope::builder("lib?token=hunter2")
        .with_version("1+password=hunter2")
        .with_attributes([secret()])
        .build();
    let tracer = provider.tracer_with_scope(scope);
    let mut span = tracer.start("GET /?api_key=hunter2");
    for (place, body) in [
        r#"{"password":"hunter2","loss":NaN}"#,
        r#"{"password":"hunter2","t":"ab"#,
        "data: {\"api_key\":\"hunter2\"}\n\n",
        "{'password': 'hunter2'}",
        "user=x&password=hunter2",
        "https://b.s3.amazonaws.com/o?X-Amz-Signature=hunter2",
    ]
    .into_iter()
    .enumerate()
    {
        span.set_attribute(KeyValue::new(format!("body.{place}"), body));
    }
    for key in ["DB_PASS", "passWord", "dsn", "pin"] {
        span.set_attribute(KeyValue::new(key, "hunter2"));
    }
    // A key can be a text of the caller.
    span.set_attribute(KeyValue::new("Authorization: Bearer hunter2hunter2", 1));
    span.add_event(
        "login failed for postgres://shop:hunter2@db",
        vec![secret()],
    );
    span.add_link(span.span_context().clone(), vec![secret()]);
    span.set_status(Status::error("401 for Bearer hunter2hunter2"));
    span.end();
}

#[test]
fn no_exporter_receives_a_secret_in_any_text() {
    let dir = tempfile::tempdir().unwrap();
    let (page, path) = (Page::default(), dir.path().join("spans.jsonl"));
    let memory = InMemorySpanExporter::default();
    let config = TracerConfig::new()
        .service_name("shop")
        .resource("deploy.password", "hunter2")
        .exporter(Exporter::console_to(page.clone()))
        .exporter(Exporter::file(&path))
        .exporter(Exporter::custom(memory.clone()));
    let provider = of(config);
    trace_with_secrets(&provider);
    assert_eq!(provider.force_flush_with_timeout(LONG).failed, []);
    let spans = format!("{:?}", memory.get_finished_spans().unwrap());
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(file.contains("deploy.password"), "{file}");
    for text in [page.text(), file, spans] {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("GET /?api_key=[REDACTED]"), "{text}");
    }
}

#[cfg(feature = "layer")]
#[test]
fn log_messages_of_the_layer_are_redacted() {
    use tracing_subscriber::layer::SubscriberExt as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spans.jsonl");
    let config = TracerConfig::new()
        .service_name("shop")
        .exporter(Exporter::file(&path));
    let provider = of(config);
    // With one dispatcher, the interest of another test's thread might be cached.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::registry().with(provider.layer());
    tracing::subscriber::with_default(subscriber, || {
        tracing::info_span!("call", auth = "Bearer hunter2hunter2").in_scope(|| {
            tracing::info!("calling the model with Bearer hunter2hunter2");
            tracing::error!(password = "hunter2", "postgres://shop:hunter2@db failed");
            tracing::warn!("answer: {}", r#"{"password": "hunter2", "loss": NaN}"#);
        });
    });
    assert_eq!(provider.force_flush_with_timeout(LONG).failed, []);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    for left in [
        "calling the model with Bearer [REDACTED]",
        "postgres://shop:[REDACTED]@db failed",
    ] {
        assert!(text.contains(left), "{left}: {text}");
    }
}

#[test]
fn no_part_of_a_secret_remains_in_shortened_content() {
    let memory = InMemorySpanExporter::default();
    let config = TracerConfig::new()
        .service_name("shop")
        .exporter(Exporter::custom(memory.clone()));
    let provider = of(config);
    let text = "The key is hunter-key and postgres://shop:hunter2hunter2@db.";
    // Assembled here, so that no text of the repository looks like a key.
    let text = text.replace("hunter-key", &format!("sk-{}", "hunter2hunter2hunter2"));
    let json = serde_json::json!({"text": text, "body": r#"{"password":"hunter2hunter2"}"#});
    for bytes in 0..=text.len() {
        let limits = ContentLimits::new().text_bytes(bytes);
        let options = AiOptions::new()
            .dialect(Dialect::Both)
            .capture_content(true)
            .limits(limits);
        let ai = Ai::with_options(provider.tracer("shop"), options);
        let run = ai
            .agent_run("a")
            .input([Message::user(text.as_str()).tool_call("1", "t", json.clone())])
            .start();
        run.output(text.as_str());
    }
    assert_eq!(provider.force_flush_with_timeout(LONG).failed, []);
    let spans = memory.get_finished_spans().unwrap();
    assert_eq!(spans.len(), text.len() + 1);
    let shown = format!("{spans:?}");
    assert!(!shown.contains("hunt"), "{shown}");
    assert!(shown.contains("more characters"), "{shown}");
}
