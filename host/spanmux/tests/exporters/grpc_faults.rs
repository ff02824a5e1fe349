//! Tests for the counts of backend faults over gRPC, and for exporters on threads of a
//! runtime.

use std::time::Duration;

use spanmux::delivery::Loss;
use spanmux::exporters::OtlpExporter;
use tonic::Code;

use crate::faults::{Attempts, Fate, SHORT, assert_fate, nobody, partial};
use crate::grpc_collector::{GrpcAnswer, GrpcCollector};
use crate::support::{PATIENT, counts, end_spans, send, tracer};

use Attempts::{Exactly, Several};
use Fate::{Delivered, Lost, Refused};

type Row = (&'static str, Vec<GrpcAnswer>, Duration, Fate, Attempts);

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    use Loss::{Rejected, TimedOut, Unavailable};
    let ok = || GrpcAnswer::Taken(Vec::new());
    let code = |code| GrpcAnswer::Status(code, None);
    let asking = |code, millis| GrpcAnswer::Status(code, Some(Duration::from_millis(millis)));
    vec![
        ("taken", vec![ok()], PATIENT, Delivered, Exactly(1)),
        ("unavailable, then taken", vec![code(Code::Unavailable), ok()], PATIENT, Delivered, Exactly(2)),
        ("unavailable for a moment", vec![asking(Code::Unavailable, 1), ok()], PATIENT, Delivered, Exactly(2)),
        ("exhausted for a moment", vec![asking(Code::ResourceExhausted, 1), ok()], PATIENT, Delivered, Exactly(2)),
        ("exhausted without a time", vec![code(Code::ResourceExhausted)], PATIENT, Lost(Unavailable), Exactly(1)),
        ("unavailable forever", vec![code(Code::Unavailable)], SHORT, Lost(Unavailable), Several),
        ("aborted, then taken", vec![code(Code::Aborted), ok()], PATIENT, Delivered, Exactly(2)),
        ("deadline exceeded, then taken", vec![code(Code::DeadlineExceeded), ok()], PATIENT, Delivered, Exactly(2)),
        ("internal", vec![code(Code::Internal)], PATIENT, Lost(Unavailable), Exactly(1)),
        ("unauthenticated", vec![code(Code::Unauthenticated)], PATIENT, Lost(Rejected), Exactly(1)),
        ("permission denied", vec![code(Code::PermissionDenied)], PATIENT, Lost(Rejected), Exactly(1)),
        ("invalid argument", vec![code(Code::InvalidArgument)], PATIENT, Lost(Rejected), Exactly(1)),
        ("unimplemented", vec![code(Code::Unimplemented)], PATIENT, Lost(Rejected), Exactly(1)),
        ("refused stream, then taken", vec![GrpcAnswer::Reset, ok()], PATIENT, Delivered, Exactly(2)),
        ("no answer", vec![GrpcAnswer::Hang], SHORT, Lost(TimedOut), Exactly(2)),
        ("2 of 3 refused", vec![GrpcAnswer::Taken(partial(2))], PATIENT, Refused(2), Exactly(1)),
        ("a warning", vec![GrpcAnswer::Taken(partial(0))], PATIENT, Delivered, Exactly(1)),
    ]
}

#[test]
fn grpc_faults_are_counted_by_cause() {
    for (what, answers, timeout, fate, attempts) in rows() {
        let collector = GrpcCollector::answering(answers);
        let counts = send(OtlpExporter::grpc(collector.origin()), 3, timeout);
        assert_fate(what, &counts, &fate, &attempts);
        let requests = collector.received().len() as u64;
        assert_eq!(requests, counts.retries + 1, "{what}");
    }
}

#[test]
fn missing_grpc_backend_is_unreachable() {
    for endpoint in [nobody(), "http://backend.invalid:4317".to_owned()] {
        let counts = send(OtlpExporter::grpc(endpoint), 3, SHORT);
        assert_fate("nobody", &counts, &Lost(Loss::Unreachable), &Several);
    }
}

#[test]
fn compressed_batch_declares_its_encoding() {
    let collector = GrpcCollector::start();
    let counts = send(OtlpExporter::grpc(collector.origin()).gzip(), 3, PATIENT);
    assert_eq!(counts.delivered, 3);
    let received = collector.received().remove(0);
    assert_eq!(received.header("grpc-encoding"), Some("gzip"));
}

/// Builds a tracer, sends, flushes, shuts down and drops it, all on the current thread.
fn whole_life(exporter: OtlpExporter) {
    let tracer = tracer(exporter, PATIENT);
    end_spans(&tracer, 3);
    tracer.force_flush().unwrap();
    end_spans(&tracer, 2);
    tracer.shutdown().unwrap();
    assert_eq!(counts(&tracer).delivered, 5);
}

/// A kind of thread, and a function that runs work on it.
type Place = (&'static str, fn(Box<dyn FnOnce() + Send>));

const PLACES: [Place; 4] = [
    ("no runtime", |work| work()),
    ("a current_thread runtime", |work| {
        let builder = &mut tokio::runtime::Builder::new_current_thread();
        builder.build().unwrap().block_on(async { work() });
    }),
    ("a task of a multi_thread runtime", |work| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let task = runtime.spawn(async { work() });
        runtime.block_on(task).unwrap();
    }),
    ("a blocking thread of a runtime", |work| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let task = runtime.spawn_blocking(work);
        runtime.block_on(task).unwrap();
    }),
];

#[test]
fn exporters_work_on_any_thread() {
    for (place, run) in PLACES {
        let grpc = GrpcCollector::start();
        let exporter = OtlpExporter::grpc(grpc.origin());
        run(Box::new(move || whole_life(exporter)));
        assert_eq!(grpc.received().len(), 2, "gRPC in {place}");

        let http = crate::collector::Collector::start();
        let exporter = OtlpExporter::http(http.origin());
        run(Box::new(move || whole_life(exporter)));
        assert_eq!(http.received().len(), 2, "HTTP in {place}");
    }
}

#[test]
fn grpc_with_a_proxy_is_an_error() {
    let exporter = OtlpExporter::grpc("http://localhost:4317").proxy("http://proxy:3128");
    let config = spanmux::otel::TracerConfig::new()
        .service_name("shop")
        .exporter(exporter);
    let text = config.build().unwrap_err().to_string();
    assert!(
        text.contains("uses gRPC, which does not support proxies"),
        "{text}"
    );
}

/// An ingress or a login page answers instead of the backend.
#[test]
fn page_of_another_server_is_not_taken_for_a_delivery() {
    for (status, cause, remedy) in [
        (
            200,
            Loss::Unavailable,
            "often a login page: check the endpoint",
        ),
        (404, Loss::Unavailable, "404 Not Found"),
        (503, Loss::Unavailable, "503"),
    ] {
        let collector = GrpcCollector::answering([GrpcAnswer::Page(status)]);
        let tracer = crate::support::tracer(OtlpExporter::grpc(collector.origin()), SHORT);
        crate::support::end_spans(&tracer, 2);
        let error = tracer.force_flush().unwrap_err().to_string();
        assert!(error.contains(remedy), "{status}: {error}");
        let counts = crate::support::counts(&tracer);
        assert_eq!(
            (counts.delivered, counts.lost_to(cause)),
            (0, 2),
            "{status}: {counts:?}"
        );
    }
}
