//! Each preset as its backend sees it: address, headers, protocol, resource.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use spanway::exporters::{Exporter, Langfuse, LangfuseRegion, Mlflow, OtlpExporter, Phoenix};

use crate::collector::{Collector, Received};
use crate::support::{PATIENT, send};

/// An exporter, the URL that it shows, what follows the host in it, its own headers,
/// and what it adds to the resource.
struct Row {
    exporter: OtlpExporter,
    url: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    resource: Option<(&'static str, &'static str)>,
}

fn row(
    exporter: impl Into<OtlpExporter>,
    url: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
) -> Row {
    Row {
        exporter: exporter.into(),
        url,
        path,
        headers,
        resource: None,
    }
}

impl Row {
    fn with_resource(mut self, key: &'static str, value: &'static str) -> Self {
        self.resource = Some((key, value));
        self
    }
}

fn http_rows() -> Vec<Row> {
    // base64 of "pk-lf-1:sk-lf-2".
    const LANGFUSE: &[(&str, &str)] = &[
        ("authorization", "Basic cGstbGYtMTpzay1sZi0y"),
        ("x-langfuse-ingestion-version", "4"),
    ];
    let langfuse = || Langfuse::new("pk-lf-1", "sk-lf-2");
    vec![
        row(
            langfuse(),
            "https://cloud.langfuse.com/api/public/otel/v1/traces",
            "/api/public/otel/v1/traces",
            LANGFUSE,
        ),
        row(
            langfuse().region(LangfuseRegion::Us),
            "https://us.cloud.langfuse.com/api/public/otel/v1/traces",
            "/api/public/otel/v1/traces",
            LANGFUSE,
        ),
        row(
            langfuse().base_url("http://localhost:3000/"),
            "http://localhost:3000/api/public/otel/v1/traces",
            "/api/public/otel/v1/traces",
            LANGFUSE,
        ),
        row(
            Phoenix::http("http://localhost:6006"),
            "http://localhost:6006/v1/traces",
            "/v1/traces",
            &[],
        ),
        row(
            Phoenix::http("http://localhost:6006")
                .api_key("px-key")
                .project("shop-agents"),
            "http://localhost:6006/v1/traces",
            "/v1/traces",
            &[("authorization", "Bearer px-key")],
        )
        .with_resource("openinference.project.name", "shop-agents"),
        row(
            Mlflow::new("http://localhost:5000", "7"),
            "http://localhost:5000/v1/traces",
            "/v1/traces",
            &[("x-mlflow-experiment-id", "7")],
        ),
    ]
}

/// Whole and sorted, as they are on the wire.
fn sorted<'h>(headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> Vec<(String, String)> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut headers: Vec<_> = headers.into_iter().map(owned).collect();
    headers.sort();
    headers
}

fn resource(received: &Received) -> Vec<(String, String)> {
    let message = received.message();
    let resource = message.resource_spans[0].resource.clone().unwrap();
    let text = |value: Option<Value>| match value {
        Some(Value::StringValue(text)) => text,
        other => panic!("no text: {other:?}"),
    };
    let attributes = resource.attributes.into_iter();
    let mut attributes: Vec<_> = attributes
        .map(|of| (of.key, text(of.value.and_then(|value| value.value))))
        .filter(|(key, _)| !key.starts_with("telemetry.sdk."))
        .collect();
    attributes.sort();
    attributes
}

fn assert_resource(row: &Row, received: &Received) {
    let expected = row.resource.into_iter().chain([("service.name", "shop")]);
    assert_eq!(resource(received), sorted(expected), "{}", row.url);
}

#[test]
fn each_preset_over_http_is_what_its_backend_documents() {
    for row in http_rows() {
        let exporter = Exporter::from(row.exporter.clone());
        assert_eq!(exporter.endpoint().as_deref(), Some(row.url));

        let collector = Collector::start();
        let exporter = row.exporter.clone().origin(collector.origin());
        let counts = send(exporter, 3, PATIENT);
        assert_eq!((counts.delivered, counts.lost()), (3, 0), "{}", row.url);

        let [received] = &collector.received()[..] else {
            panic!("one batch is one request to {}", row.url);
        };
        assert_eq!(received.method, "POST");
        assert_eq!(received.path, row.path, "{}", row.url);
        let (authority, length) = (collector.authority(), received.body.len().to_string());
        let common = [
            ("accept", "*/*"),
            ("content-length", &*length),
            ("content-type", "application/x-protobuf"),
            ("host", &*authority),
            ("user-agent", concat!("spanway/", env!("CARGO_PKG_VERSION"))),
        ];
        let expected = sorted(row.headers.iter().copied().chain(common));
        let mut headers = received.headers.clone();
        headers.sort();
        assert_eq!(headers, expected, "{}", row.url);
        let scopes = &received.message().resource_spans[0].scope_spans;
        assert_eq!(scopes[0].spans.len(), 3);
        assert_resource(&row, received);
    }
}
