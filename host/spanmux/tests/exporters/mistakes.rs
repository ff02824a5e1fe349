//! Tests for the error messages of invalid exporter settings.

use spanmux::exporters::{Langfuse, Mlflow, OtlpExporter};
use spanmux::otel::TracerConfig;

fn message(exporter: OtlpExporter) -> String {
    let error = TracerConfig::new()
        .service_name("shop")
        .exporter(exporter)
        .build();
    error.unwrap_err().to_string()
}

#[rustfmt::skip]
const ENDPOINTS: [(&str, &str); 6] = [
    ("localhost:4318", "the endpoint \"localhost:4318\" of exporter otlp has no scheme; write \"http://localhost:4318\" or https"),
    ("ftp://host", "the endpoint \"ftp://host\" of exporter otlp must use http or https"),
    ("https://", "the endpoint \"https://\" of exporter otlp is not a URL"),
    ("${ENDPOINT}", "the endpoint \"${ENDPOINT}\" of exporter otlp is not a URL"),
    ("", "the endpoint \"\" of exporter otlp is not a URL"),
    ("https://user:pw@host", "the endpoint \"https://***@host\" of exporter otlp contains credentials, which would be shown; send them in a header"),
];

#[test]
fn invalid_endpoint_is_reported_with_the_remedy() {
    for (endpoint, expected) in ENDPOINTS {
        assert_eq!(message(OtlpExporter::http(endpoint)), expected);
        assert_eq!(message(OtlpExporter::http_to(endpoint)), expected);
        assert_eq!(message(OtlpExporter::grpc(endpoint)), expected);
        assert!(OtlpExporter::http(endpoint).endpoint().is_err());
    }
    assert_eq!(
        message(OtlpExporter::grpc("http://host:4317/v1/traces")),
        "the endpoint \"http://host:4317/v1/traces\" of exporter otlp must not have a path \
         for gRPC"
    );
    assert_eq!(
        message(OtlpExporter::http("http://a").origin("http://b/c")),
        "the endpoint \"http://b/c\" of exporter otlp has a path; only the host can be replaced"
    );
}

#[rustfmt::skip]
const HEADERS: [(&str, &str, &str); 8] = [
    ("x-key", "", "the header \"x-key\" of exporter otlp is empty: a key or an id is missing"),
    ("x-key", "key\n", "the header \"x-key\" of exporter otlp has a character that is invalid in headers, often a line break at the end of a key"),
    ("x key", "key", "the header \"x ***\" of exporter otlp has an invalid name"),
    ("c2stMTIzNA==", "x-key", "the header \"***\" of exporter otlp has an invalid name"),
    ("authorization", "Bearer ", "the header \"authorization\" of exporter otlp has a scheme without a token: the key is missing"),
    ("Content-Type", "text/plain", "the header \"Content-Type\" of exporter otlp is set by the protocol itself"),
    ("grpc-timeout", "1S", "the header \"grpc-timeout\" of exporter otlp is set by the protocol itself"),
    ("x-key-bin", "AA==", "the header \"x-key-bin\" of exporter otlp has a name that gRPC reserves for binary values"),
];

#[test]
fn invalid_header_is_reported_without_its_value() {
    for (name, value, expected) in HEADERS {
        let with = |exporter: OtlpExporter| message(exporter.header(name, value));
        assert_eq!(with(OtlpExporter::http("http://localhost:4318")), expected);
        #[cfg(feature = "grpc")]
        assert_eq!(with(OtlpExporter::grpc("http://localhost:4317")), expected);
    }
}

#[test]
fn preset_without_a_key_is_an_error() {
    let missing = [
        (
            Langfuse::new("", "sk-lf-1").into(),
            "langfuse",
            "authorization",
        ),
        (
            Langfuse::new("pk-lf-1", "").into(),
            "langfuse",
            "authorization",
        ),
        (
            Mlflow::new("http://localhost:5000", "").into(),
            "mlflow",
            "x-mlflow-experiment-id",
        ),
    ];
    for (exporter, name, header) in missing {
        assert_eq!(
            message(exporter),
            format!("the header {header:?} of exporter {name} is empty: a key or an id is missing")
        );
    }
}

#[test]
fn invalid_certificates_are_an_error() {
    let expected = "the CA certificates of exporter otlp are not PEM text with a \
                    `BEGIN CERTIFICATE` line";
    let with = |exporter: OtlpExporter| message(exporter.ca_certificates("no PEM"));
    assert_eq!(with(OtlpExporter::http("https://localhost:4318")), expected);
    #[cfg(feature = "grpc")]
    assert_eq!(with(OtlpExporter::grpc("https://localhost:4317")), expected);
}

#[test]
fn invalid_proxy_is_an_error() {
    let exporter = OtlpExporter::http("http://localhost:4318").proxy("not a url");
    assert!(message(exporter).contains("has an invalid proxy URL"));
}

#[cfg(not(feature = "grpc"))]
#[test]
fn missing_grpc_error_names_the_feature() {
    let text = message(OtlpExporter::grpc("http://localhost:4317"));
    assert!(
        text.contains("the feature `grpc` of the crate `spanmux`"),
        "{text}"
    );
}

/// The error of a tracer whose exporter sends to the wrong kind of server.
#[cfg(feature = "grpc")]
fn failure(exporter: OtlpExporter) -> String {
    let tracer = crate::support::tracer(exporter, crate::faults::SHORT);
    crate::support::end_spans(&tracer, 1);
    tracer.force_flush().unwrap_err().to_string()
}

#[cfg(feature = "grpc")]
#[test]
fn http_to_a_grpc_port_is_reported_with_the_remedy() {
    let grpc = crate::grpc_collector::GrpcCollector::start();
    let text = failure(OtlpExporter::http(grpc.origin()));
    assert!(text.contains("check the port or use gRPC"), "{text}");
}
