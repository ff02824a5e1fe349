//! Tests of the console output and the file contents.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{
    Event, Link, Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value;
use parking_lot::Mutex;
use spanmux::otel::{RoutingTracerProvider, TracerConfig};

use crate::support::remote;

/// A writer whose output can be read.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    /// Returns the output since the previous call.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock())).unwrap()
    }
}

impl Page {
    /// Waits until the console has printed this text, and takes everything.
    fn take_with(&self, part: &str, times: usize) -> String {
        let start = Instant::now();
        let mut text = String::new();
        while text.matches(part).count() < times {
            assert!(start.elapsed() < Duration::from_secs(60), "{text}");
            std::thread::sleep(Duration::from_millis(1));
            text += &self.take();
        }
        text
    }
}

fn console() -> (RoutingTracerProvider, Page) {
    let page = Page::default();
    let provider = RoutingTracerProvider::builder()
        .service_name("shop")
        .tracer("console", TracerConfig::console_to(page.clone()))
        .build()
        .unwrap();
    (provider, page)
}

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000) + Duration::from_millis(millis)
}

#[test]
fn console_prints_a_trace_as_a_tree() {
    let (provider, page) = console();
    let tracer = provider.tracer("shop");
    let start = |name: &'static str, from: u64, cx: &Context| {
        let builder = tracer.span_builder(name).with_start_time(at(from));
        cx.with_span(tracer.build_with_context(builder, cx))
    };
    let end = |cx: &Context, to: u64| cx.span().end_with_timestamp(at(to));

    let cx = Context::new().with_remote_span_context(remote(""));
    let builder = tracer
        .span_builder("POST /chat")
        .with_kind(SpanKind::Server)
        .with_start_time(at(0))
        .with_attributes([KeyValue::new("http.route", "/chat")]);
    let root = cx.with_span(tracer.build_with_context(builder, &cx));
    let model = start("chat gpt-4o", 300, &root);
    let search = start("search", 20, &root);
    let rank = start("rank", 100, &search);
    let late = start("write log", 1500, &root);
    end(&rank, 250);
    end(&search, 270);
    let boom = Event::new(
        "exception",
        at(900),
        vec![KeyValue::new("exception.message", "429\n\u{1b}[2J")],
        0,
    );
    model
        .span()
        .add_event_with_timestamp(boom.name, boom.timestamp, boom.attributes);
    model.span().set_status(Status::error("rate limited"));
    end(&model, 1000);
    end(&root, 1250);
    assert_eq!(page.take(), "", "one child is still open");
    end(&late, 1502);
    assert_eq!(
        page.take_with("write log", 1),
        r"shop  trace 4bf92f3577b34da6a3ce929d0e0e4736  5 spans
└─ POST /chat  1.25 s  server
   │ spanmux.tracer = console
   │ spanmux.fallback = no_selector
   │ spanmux.fallback.reason = no selector is registered
   │ http.route = /chat
   ├─ search  250 ms
   │  └─ rank  150 ms
   ├─ chat gpt-4o  700 ms  error: rate limited
   │  • 600 ms  exception  exception.message = 429\n\u{1b}[2J
   └─ write log  2 ms
"
    );
}

#[test]
fn console_prints_open_traces_on_flush_and_late_spans() {
    let (provider, page) = console();
    let tracer = provider.tracer("shop");
    let root = Context::new().with_span(tracer.start("root"));
    tracer.start_with_context("child", &root).end();
    assert!(provider.force_flush().failed.is_empty());
    let text = page.take();
    assert!(text.contains("1 span, 1 still open\n└─ child"), "{text}");
    root.span().end();
    page.take_with("└─ root", 1);
    tracer.start_with_context("late", &root).end();
    page.take_with("└─ late", 1);
    let _report = provider.shutdown();
    assert_eq!(page.take(), "");
}

#[test]
fn console_limits_the_indentation_of_a_deep_trace() {
    let (provider, page) = console();
    let tracer = provider.tracer("shop");
    let mut open = vec![Context::new()];
    for _ in 0..2000 {
        let cx = &open[open.len() - 1];
        open.push(cx.with_span(tracer.start_with_context("nested", cx)));
    }
    open.into_iter().rev().for_each(drop);
    let text = page.take_with("nested", 2000);
    assert!(text.contains("(2000) nested"));
    assert!(text.lines().all(|line| line.chars().count() < 200));
}

#[test]
fn console_prints_traces_that_never_end_when_limits_are_reached() {
    let (provider, page) = console();
    let tracer = provider.tracer("shop");
    let root = Context::new().with_span(tracer.start("root"));
    for _ in 0..16_385 {
        tracer.start_with_context("child", &root).end();
    }
    let text = page.take_with("still open", 1);
    assert!(
        text.contains("16385 spans, 1 still open"),
        "{}",
        text.lines().next().unwrap_or("")
    );
    // The trace has been forgotten and is tracked again from its next span on.
    tracer.start_with_context("again", &root).end();
    page.take_with("1 span\n└─ again", 1);
    let old = Context::new().with_span(tracer.start("old"));
    tracer.start_with_context("child", &old).end();
    let start = || tracer.start_with_context("other", &Context::new());
    let open: Vec<_> = (0..4_096).map(|_| start()).collect();
    page.take_with("1 span, 1 still open\n└─ child", 1);
    drop(open);
    page.take_with("└─ other", 4_096);
}

/// A writer that fails.
struct Broken;

impl Write for Broken {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn console_reports_a_write_error_and_continues() {
    let provider = RoutingTracerProvider::builder()
        .service_name("shop")
        .tracer("console", TracerConfig::console_to(Broken))
        .build()
        .unwrap();
    let tracer = provider.tracer("shop");
    let root = Context::new().with_span(tracer.start("root"));
    tracer.start_with_context("child", &root).end();
    let report = provider.force_flush();
    assert!(
        report.failed[0]
            .message
            .contains("failed to print a trace: broken pipe"),
        "{report:?}"
    );
    root.span().end();
}

/// Reads the requests in a file.
fn requests(path: &std::path::Path) -> Vec<ExportTraceServiceRequest> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn file_contains_every_span_as_otlp_json() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spans.jsonl");
    // Two runs of a program. The second one appends.
    for _ in 0..2 {
        let provider = RoutingTracerProvider::builder()
            .service_name("shop")
            .tracer("file", TracerConfig::file(&path))
            .build()
            .unwrap();
        let tracer = provider.tracer("shop");
        for trace in 0..10 {
            tracer.in_span("root", |cx| {
                cx.span().set_attribute(KeyValue::new("trace", trace));
                for _ in 0..9 {
                    tracer.in_span("child", |_| {});
                }
            });
            assert!(provider.force_flush().failed.is_empty());
        }
        assert!(provider.shutdown().failed.is_empty());
    }
    let requests = requests(&path);
    assert_eq!(requests.len(), 20);
    let mut ids = std::collections::HashSet::new();
    for resource in requests.iter().flat_map(|request| &request.resource_spans) {
        let service = &resource.resource.as_ref().unwrap().attributes;
        assert!(service.iter().any(|kv| kv.key == "service.name"
            && kv.value.as_ref().unwrap().value
                == Some(any_value::Value::StringValue("shop".to_owned()))));
        for scope in &resource.scope_spans {
            assert_eq!(scope.scope.as_ref().unwrap().name, "shop");
            ids.extend(
                scope
                    .spans
                    .iter()
                    .map(|span| (span.trace_id.clone(), span.span_id.clone())),
            );
        }
    }
    assert_eq!(ids.len(), 200);
}

#[test]
fn service_name_of_the_builder_applies_unless_the_tracer_has_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let own = || TracerConfig::file(path("own")).service_name("audit");
    let none = TracerConfig::file(path("none"));
    let (builder, new) = (RoutingTracerProvider::builder, TracerConfig::file);
    for (builder, file, expected) in [
        // The order of the calls does not matter.
        (
            builder()
                .tracer("a", new(path("first")))
                .service_name("shop"),
            "first",
            "shop",
        ),
        (
            builder().service_name("shop").tracer("a", own()),
            "own",
            "audit",
        ),
        (builder().tracer("a", none), "none", "unknown_service"),
    ] {
        let provider = builder.build().unwrap();
        provider.tracer("shop").start("root").end();
        provider.shutdown().into_result().unwrap();
        let text = std::fs::read_to_string(path(file)).unwrap();
        let line: ExportTraceServiceRequest = serde_json::from_str(text.trim()).unwrap();
        let resource = line.resource_spans[0].resource.as_ref().unwrap();
        let mut attributes = resource.attributes.iter();
        let service = attributes.find(|kv| kv.key == "service.name").unwrap();
        let shown = format!("{:?}", service.value);
        assert!(shown.contains(&format!("\"{expected}")), "{shown}");
    }
}

#[test]
fn file_contains_every_kind_of_value() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spans.jsonl");
    let tracer = TracerConfig::file(&path).build().unwrap();
    let values: [Value; 9] = [
        true.into(),
        i64::MAX.into(),
        0.1.into(),
        f64::NAN.into(),
        f64::NEG_INFINITY.into(),
        "line\nbreak".into(),
        Value::Array(vec![1, 2].into()),
        Value::Array(vec![0.5, f64::INFINITY].into()),
        Value::Array(vec![opentelemetry::StringValue::from("a")].into()),
    ];
    let mut number = 0;
    let own = values.map(|value| {
        number += 1;
        KeyValue::new(format!("v{number}"), value)
    });
    let sdk = tracer.provider().tracer("shop");
    sdk.span_builder("root")
        .with_kind(SpanKind::Client)
        .with_attributes(own.clone())
        .with_events(vec![Event::new("event", at(0), own.to_vec(), 0)])
        .with_links(vec![Link::new(remote("vendor=1"), own.to_vec(), 0)])
        .start(&sdk)
        .end();
    tracer.shutdown().unwrap();
    let requests = requests(&path);
    let span = &requests[0].resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(
        (span.kind, span.trace_id.len(), span.span_id.len()),
        (3, 16, 8)
    );
    for attributes in [
        &span.attributes,
        &span.events[0].attributes,
        &span.links[0].attributes,
    ] {
        let values: Vec<_> = attributes
            .iter()
            .map(|kv| kv.value.clone().unwrap().value.unwrap())
            .collect();
        let text = |text: &str| any_value::Value::StringValue(text.to_owned());
        assert_eq!(values[0], any_value::Value::BoolValue(true));
        assert_eq!(values[1], any_value::Value::IntValue(i64::MAX));
        assert_eq!(values[2], any_value::Value::DoubleValue(0.1));
        assert_eq!(
            values[3..6],
            [text("NaN"), text("-Infinity"), text("line\nbreak")]
        );
        assert!(matches!(&values[7], any_value::Value::ArrayValue(array)
            if array.values[1].value == Some(text("Infinity"))));
        assert_eq!(values.len(), 9);
    }
    assert_eq!(span.links[0].trace_state, "vendor=1");
    // Identifiers and kinds have the JSON form of the OTLP specification.
    let line: serde_json::Value = serde_json::from_str(
        std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .next()
            .unwrap(),
    )
    .unwrap();
    let span = &line["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(
        span["links"][0]["traceId"],
        "4bf92f3577b34da6a3ce929d0e0e4736"
    );
    assert_eq!(span["kind"], 3);
    assert!(span["startTimeUnixNano"].is_string());
}

/// `/dev/full` on Linux simulates a full disk.
#[cfg(target_os = "linux")]
#[test]
fn file_exporter_reports_a_write_error_and_continues() {
    let provider = RoutingTracerProvider::builder()
        .service_name("shop")
        .tracer("file", TracerConfig::file("/dev/full"))
        .build()
        .unwrap();
    provider.tracer("shop").start("root").end();
    let report = provider.force_flush();
    assert!(report.failed[0].message.contains("/dev/full"), "{report:?}");
}
