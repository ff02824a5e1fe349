//! Tests for the requests of each preset: address, protocol, headers and resource.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use spanmux::exporters::{Exporter, Protocol};

use crate::collector::{Collector, Received};
use crate::presets::{Row, grpc_rows, http_rows};
use crate::support::{PATIENT, send};

const SPANS: usize = 3;

/// Converts headers to the sorted form for comparison.
fn sorted<'h>(headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> Vec<(String, String)> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut headers: Vec<_> = headers.into_iter().map(owned).collect();
    headers.sort();
    headers
}

/// Checks that the request has exactly the headers of the row and of the protocol.
fn assert_headers<'h>(
    row: &Row,
    received: &Received,
    protocol: impl IntoIterator<Item = (&'h str, &'h str)>,
) {
    let mut headers = received.headers.clone();
    headers.sort();
    let expected = row.headers.iter().copied().chain(protocol);
    assert_eq!(headers, sorted(expected), "{}", row.url);
}

/// Checks all spans, and that the resource has the attributes of the tracer and of the
/// preset.
fn assert_message(row: &Row, received: &Received) {
    let message = received.message();
    let of = &message.resource_spans[0];
    assert_eq!(of.scope_spans[0].spans.len(), SPANS, "{}", row.url);
    let text = |value: &Option<Value>| match value {
        Some(Value::StringValue(text)) => text.clone(),
        other => panic!("expected text: {other:?}"),
    };
    let attributes = &of.resource.as_ref().unwrap().attributes;
    let mut attributes: Vec<_> = attributes
        .iter()
        .filter(|of| !of.key.starts_with("telemetry.sdk."))
        .map(|of| (of.key.clone(), text(&of.value.as_ref().unwrap().value)))
        .collect();
    attributes.sort();
    let expected = row.resource.into_iter().chain([("service.name", "shop")]);
    assert_eq!(attributes, sorted(expected), "{}", row.url);
}

fn only(received: Vec<Received>, row: &Row) -> Received {
    assert_eq!(received.len(), 1, "one batch is one request: {}", row.url);
    received.into_iter().next().unwrap()
}

fn assert_http(row: &Row) {
    let collector = Collector::start();
    let exporter = row.exporter.clone().origin(collector.origin());
    let counts = send(exporter, SPANS, PATIENT);
    assert_eq!((counts.delivered, counts.lost()), (3, 0), "{}", row.url);
    let received = only(collector.received(), row);
    assert_eq!(received.method, "POST");
    assert_eq!(received.path, row.path(), "{}", row.url);
    let (authority, length) = (collector.authority(), received.body.len().to_string());
    let protocol = [
        ("accept", "*/*"),
        ("content-length", &*length),
        ("content-type", "application/x-protobuf"),
        ("host", &*authority),
        ("user-agent", concat!("spanmux/", env!("CARGO_PKG_VERSION"))),
    ];
    assert_headers(row, &received, protocol);
    assert_message(row, &received);
}

#[cfg(feature = "grpc")]
fn assert_grpc(row: &Row) {
    let collector = crate::grpc_collector::GrpcCollector::start();
    let exporter = row.exporter.clone().origin(collector.origin());
    let counts = send(exporter, SPANS, PATIENT);
    assert_eq!((counts.delivered, counts.lost()), (3, 0), "{}", row.url);
    let mut received = only(collector.received(), row);
    assert_eq!(received.method, "POST");
    let method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    assert_eq!(received.path, method, "{}", row.url);
    // Our user agent, followed by that of the library with its version.
    let agent = received.header("user-agent").unwrap();
    assert!(agent.starts_with(concat!("spanmux/", env!("CARGO_PKG_VERSION"), " tonic/")));
    received.headers.retain(|(name, _)| name != "user-agent");
    let authority = collector.authority();
    let protocol = [
        (":authority", &*authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    assert_headers(row, &received, protocol);
    assert_message(row, &received);
}

fn assert_shown(row: &Row, protocol: Protocol) {
    assert_eq!(row.exporter.protocol(), protocol, "{}", row.url);
    let exporter = Exporter::from(row.exporter.clone());
    assert_eq!(exporter.endpoint().as_deref(), Some(row.url));
    assert_eq!(exporter.name(), row.name);
}

#[test]
fn http_presets_match_the_backend_documentation() {
    for row in http_rows() {
        assert_shown(&row, Protocol::Http);
        assert_http(&row);
    }
}

#[test]
fn grpc_presets_match_the_backend_documentation() {
    for row in grpc_rows() {
        assert_shown(&row, Protocol::Grpc);
        #[cfg(feature = "grpc")]
        assert_grpc(&row);
    }
}

/// The documentation table has a line for each preset, with all of its headers.
#[test]
fn backend_table_lists_all_presets_and_headers() {
    let table = include_str!("../../../export/src/exporters/backends.md");
    for row in http_rows().iter().chain(&grpc_rows()) {
        let name = format!("| `{}` |", row.name);
        let line = table.lines().find(|line| line.contains(&name)).unwrap();
        let known = |header: &str| line.contains(&format!("`{header}`")) || row.name == "otlp";
        assert!(row.headers.iter().all(|(name, _)| known(name)), "{line}");
    }
}

#[test]
fn presets_of_one_tracer_have_separate_headers_and_resources() {
    let rows = http_rows();
    let with = |name| {
        rows.iter()
            .find(|row| row.resource.is_some() == name)
            .unwrap()
    };
    let (project, plain) = (with(true), with(false));
    let (first, second) = (Collector::start(), Collector::start());
    let tracer = spanmux::otel::TracerConfig::new()
        .service_name("shop")
        .exporter(project.exporter.clone().origin(first.origin()))
        .exporter(plain.exporter.clone().origin(second.origin()))
        .build()
        .unwrap();
    crate::support::end_spans(&tracer, SPANS);
    spanmux::Lifecycle::shutdown(&tracer).unwrap();
    for (row, collector) in [(project, first), (plain, second)] {
        let received = only(collector.received(), row);
        assert_message(row, &received);
        assert_eq!(
            received.header("authorization").is_some(),
            !row.headers.is_empty()
        );
    }
}

#[test]
fn resource_attributes_of_an_exporter_are_redacted() {
    let collector = Collector::start();
    let row = http_rows().remove(0);
    let exporter = row.exporter.clone().origin(collector.origin());
    let exporter = exporter.resource("deploy.password", "hunter2");
    assert_eq!(send(exporter, 1, PATIENT).delivered, 1);
    let shown = format!("{:?}", only(collector.received(), &row).message());
    assert!(shown.contains("deploy.password"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
