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
const ENDPOINTS: [(&str, &str); 14] = [
    ("localhost:4318", "the endpoint \"localhost:4318\" of exporter otlp has no scheme; write \"http://localhost:4318\" or https"),
    ("ftp://host", "the endpoint \"ftp://host\" of exporter otlp must use http or https"),
    ("https://", "the endpoint \"https://\" of exporter otlp is not a URL"),
    ("${ENDPOINT}", "the endpoint \"${ENDPOINT}\" of exporter otlp is not a URL"),
    ("", "the endpoint \"\" of exporter otlp is empty: the address is missing"),
    (" ", "the endpoint \" \" of exporter otlp is empty: the address is missing"),
    ("\"http://host\"", "the endpoint \"\\\"http://host\\\"\" of exporter otlp contains quotes; remove them"),
    ("'http://host'", "the endpoint \"'http://host'\" of exporter otlp contains quotes; remove them"),
    ("http://host\n", "the endpoint \"http://host\\n\" of exporter otlp begins or ends with a space or a line break; remove it"),
    ("http://host:99999", "the endpoint \"http://host:99999\" of exporter otlp has an invalid port; a port is a number from 1 to 65535"),
    ("http://host:0", "the endpoint \"http://host:0\" of exporter otlp has an invalid port; a port is a number from 1 to 65535"),
    ("http://[::1]:70000", "the endpoint \"http://[::1]:70000\" of exporter otlp has an invalid port; a port is a number from 1 to 65535"),
    ("http://host:", "the endpoint \"http://host:\" of exporter otlp has an invalid port; a port is a number from 1 to 65535"),
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
    let twice = "http://host/v1/traces/v1/traces";
    assert_eq!(
        message(OtlpExporter::http(twice)),
        format!("the endpoint {twice:?} of exporter otlp contains /v1/traces twice; remove it")
    );
    assert_eq!(
        message(OtlpExporter::http("http://a").origin("http://b/c")),
        "the endpoint \"http://b/c\" of exporter otlp has a path; only the host can be replaced"
    );
}

/// The scheme and the host of a URL are the same in upper case.
#[test]
fn endpoint_in_upper_case_is_accepted() {
    let collector = crate::collector::Collector::start();
    let upper = collector
        .origin()
        .replace("http://127.0.0.1", "HTTP://LOCALHOST");
    let counts = crate::support::send(OtlpExporter::http(upper), 1, crate::support::PATIENT);
    assert_eq!(counts.delivered, 1, "{counts:?}");
}

#[rustfmt::skip]
const HEADERS: [(&str, &str, &str); 10] = [
    ("x-key", "", "the header \"x-key\" of exporter otlp is empty: a key or an id is missing"),
    ("x-key", "key\n", "the header \"x-key\" of exporter otlp has a character that is invalid in headers, often a line break at the end of a key"),
    ("x-key", "key\u{7f}", "the header \"x-key\" of exporter otlp has a character that is invalid in headers, often a line break at the end of a key"),
    ("x-key", "key\u{0}", "the header \"x-key\" of exporter otlp has a character that is invalid in headers, often a line break at the end of a key"),
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

#[cfg(feature = "grpc")]
#[test]
fn text_beyond_ascii_in_a_header_of_grpc_is_an_error() {
    let with = |exporter: OtlpExporter| exporter.header("x-project", "gr\u{fc}n");
    assert_eq!(
        message(with(OtlpExporter::grpc("http://localhost:4317"))),
        "the header \"x-project\" of exporter otlp has a character beyond ASCII, which gRPC does not \
         permit"
    );
    assert!(
        with(OtlpExporter::http("http://localhost:4318"))
            .endpoint()
            .is_ok()
    );
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
    for exception in ["10.0.0.0/8", "a, b", ""] {
        let exporter = OtlpExporter::http("http://localhost:4318").proxy("http://proxy:3128");
        assert_eq!(
            message(exporter.no_proxy([exception])),
            format!(
                "the exception {exception:?} of the proxy of exporter otlp is not a host; write a \
                 host, or \".internal\" for every host below it"
            )
        );
    }
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

#[cfg(feature = "grpc")]
#[test]
fn grpc_to_an_http_port_is_reported_with_the_remedy() {
    for answer in [
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 505 HTTP Version Not Supported\r\ncontent-length: 3\r\n\r\nno\n",
        "HTTP/1.0 404 Not Found\r\n\r\n",
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // The first lines of HTTP/2 are a request for HTTP/1.
                let mut read = [0; 24];
                let _ = std::io::Read::read_exact(&mut stream, &mut read);
                let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            }
        });
        let text = failure(OtlpExporter::grpc(format!("http://{address}")));
        assert!(text.contains("check the port or use HTTP"), "{text}");
    }
}

/// A server that closes each connection says nothing about its protocol.
#[test]
fn closed_connection_is_not_taken_for_a_wrong_protocol() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let url = format!("http://{address}");
    let text = failure(OtlpExporter::http(&*url));
    assert!(!text.contains("check the port"), "{text}");
    #[cfg(feature = "grpc")]
    {
        let text = failure(OtlpExporter::grpc(url));
        assert!(!text.contains("check the port"), "{text}");
    }
}
