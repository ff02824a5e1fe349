//! Tests that the key of one backend never reaches another: environment variables that set
//! headers for every OTLP exporter of a process do not affect these exporters.

use crate::collector::{Collector, Received};
use crate::presets::{Row, http_rows};
use crate::process::alone;
use crate::support::{PATIENT, send};

/// A value that no backend may receive.
const LEAK: &str = "another-backends-key";

const HEADERS: &str = "authorization=Bearer%20another-backends-key,x-api-key=another-backends-key,\
                       x-leaked=another-backends-key";

fn variables(trap: &Collector) -> Vec<(String, String)> {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut all = Vec::new();
    for signal in ["", "TRACES_"] {
        let name = |setting| format!("OTEL_EXPORTER_OTLP_{signal}{setting}");
        all.extend([
            set(&name("HEADERS"), HEADERS),
            set(&name("ENDPOINT"), &trap.origin()),
            set(&name("PROTOCOL"), "http/json"),
            set(&name("COMPRESSION"), "gzip"),
            set(&name("TIMEOUT"), "1"),
        ]);
    }
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        all.push(set(name, &trap.origin()));
        all.push(set(&name.to_lowercase(), &trap.origin()));
    }
    all
}

/// Checks that the request contains nothing from the variables and all headers of the row.
fn assert_own(row: &Row, received: &[Received], kind: &str) {
    let [received] = received else {
        panic!("{} requests to {}", received.len(), row.url);
    };
    let all = format!("{:?}", received.headers);
    assert!(!all.contains(LEAK), "{}: {all}", row.url);
    for (name, value) in row.headers {
        assert_eq!(received.header(name), Some(*value), "{}", row.url);
    }
    assert_eq!(received.header("content-type"), Some(kind));
    assert_eq!(received.header("content-encoding"), None);
    assert_eq!(received.header("grpc-encoding"), None);
    // The body is the request that this process built, uncompressed.
    assert_eq!(received.message().resource_spans.len(), 1);
}

fn send_by_each_preset() {
    for row in http_rows() {
        let collector = Collector::start();
        let exporter = row.exporter.clone().origin(collector.origin());
        assert_eq!(send(exporter, 1, PATIENT).delivered, 1, "{}", row.url);
        assert_own(&row, &collector.received(), "application/x-protobuf");
    }
    #[cfg(feature = "grpc")]
    for row in crate::presets::grpc_rows() {
        let collector = crate::grpc_collector::GrpcCollector::start();
        let exporter = row.exporter.clone().origin(collector.origin());
        assert_eq!(send(exporter, 1, PATIENT).delivered, 1, "{}", row.url);
        assert_own(&row, &collector.received(), "application/grpc");
    }
}

#[test]
fn environment_does_not_affect_requests() {
    let trap = Collector::start();
    let name = "leak::environment_does_not_affect_requests";
    alone(name, &variables(&trap), send_by_each_preset);
    assert!(trap.received().is_empty(), "{:?}", trap.received());
}
