//! Tests for the disk buffer with real servers: each response that may pass keeps all spans.

use std::time::{Duration, Instant};

use spanmux::delivery::{BatchConfig, DeliveryCounts, DiskBuffer, Loss};
use spanmux::exporters::{Exporter, OtlpExporter};
use spanmux::otel::{OtelTracer, TracerConfig};

use crate::collector::{Answer, Collector};
use crate::support::{PATIENT, counts, end_spans};

const SPANS: u64 = 40;

fn start(exporter: OtlpExporter, directory: &std::path::Path) -> OtelTracer {
    let batch = BatchConfig::new()
        .max_export_batch_size(10)
        .max_export_timeout(Duration::from_millis(400));
    let exporter = Exporter::otlp(exporter).disk_buffer(DiskBuffer::new(directory));
    let config = TracerConfig::new().service_name("shop").batch(batch);
    config.exporter(exporter).build().unwrap()
}

/// Ends spans while the backend is down, and shuts the exporter down.
fn outage(exporter: OtlpExporter, directory: &std::path::Path) -> DeliveryCounts {
    let tracer = start(exporter, directory);
    end_spans(&tracer, SPANS as usize);
    let _ = tracer.shutdown_with_timeout(Duration::from_secs(2));
    counts(&tracer)
}

/// Starts the exporter again and waits until all spans are delivered.
fn recovery(exporter: OtlpExporter, directory: &std::path::Path) -> DeliveryCounts {
    let tracer = start(exporter, directory);
    let start = Instant::now();
    while counts(&tracer).buffered > 0 {
        assert!(start.elapsed() < PATIENT, "{:?}", counts(&tracer));
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = tracer.shutdown();
    counts(&tracer)
}

fn assert_kept(what: &str, down: &DeliveryCounts, back: &DeliveryCounts) {
    assert_eq!(down.ended, SPANS, "{what}");
    assert_eq!((down.buffered, down.lost()), (SPANS, 0), "{what}: {down:?}");
    assert_eq!(back.recovered, SPANS, "{what}");
    assert_eq!(
        (back.delivered, back.lost()),
        (SPANS, 0),
        "{what}: {back:?}"
    );
}

#[test]
fn http_outage_of_any_kind_loses_nothing() {
    let statuses = [
        301, 401, 402, 403, 404, 405, 407, 408, 410, 415, 429, 500, 501, 502, 503,
    ];
    let mut rows: Vec<_> = statuses
        .map(|it| (it.to_string(), Answer::status(it)))
        .into();
    rows.push(("hangs".to_owned(), Answer::Hang));
    rows.push(("closes".to_owned(), Answer::Close));
    for (what, answer) in rows {
        let dir = tempfile::tempdir().unwrap();
        let broken = Collector::answering([answer]);
        let down = outage(OtlpExporter::http(broken.origin()), dir.path());
        // A replay meets the same response.
        let tracer = start(OtlpExporter::http(broken.origin()), dir.path());
        let before = broken.received().len();
        let begun = Instant::now();
        while broken.received().len() == before {
            assert!(begun.elapsed() < PATIENT);
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = tracer.shutdown_with_timeout(Duration::from_secs(2));
        assert_eq!(
            (counts(&tracer).buffered, counts(&tracer).lost()),
            (SPANS, 0),
            "{what}"
        );
        let collector = Collector::start();
        let back = recovery(OtlpExporter::http(collector.origin()), dir.path());
        assert_kept(&what, &down, &back);
    }
}

#[test]
fn missing_backend_loses_nothing() {
    for endpoint in [
        crate::faults::nobody(),
        "http://backend.invalid:4318".to_owned(),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let down = outage(OtlpExporter::http(&*endpoint), dir.path());
        let collector = Collector::start();
        let back = recovery(OtlpExporter::http(collector.origin()), dir.path());
        assert_kept(&endpoint, &down, &back);
    }
}

#[test]
fn only_content_refusals_lose_buffered_spans() {
    for status in [400, 413, 422] {
        let dir = tempfile::tempdir().unwrap();
        let down = outage(OtlpExporter::http(crate::faults::nobody()), dir.path());
        assert_eq!(down.buffered, SPANS);
        let collector = Collector::answering([Answer::status(status)]);
        let back = recovery(OtlpExporter::http(collector.origin()), dir.path());
        assert_eq!(back.lost_to(Loss::Rejected), SPANS, "{status}");
        assert_eq!(back.lost(), SPANS, "{status}");
    }
}

#[test]
fn unusable_directory_is_an_error() {
    let exporter = Exporter::otlp(OtlpExporter::http(crate::faults::nobody()));
    let exporter = exporter.disk_buffer(DiskBuffer::new("/dev/null/spill"));
    let config = TracerConfig::new().service_name("shop").exporter(exporter);
    assert_eq!(
        config.build().unwrap_err().to_string(),
        "cannot use \"/dev/null/spill\" as a disk buffer; it must be a writable directory that \
         only this exporter uses"
    );
}

#[cfg(feature = "grpc")]
#[test]
fn grpc_outage_of_any_kind_loses_nothing() {
    use crate::grpc_collector::{GrpcAnswer, GrpcCollector};
    use tonic::Code;
    let codes = [
        Code::Unauthenticated,
        Code::PermissionDenied,
        Code::Unimplemented,
        Code::NotFound,
        Code::Unavailable,
        Code::ResourceExhausted,
        Code::Internal,
        Code::Unknown,
        Code::FailedPrecondition,
        Code::DeadlineExceeded,
    ];
    let status = |code| (format!("{code:?}"), GrpcAnswer::Status(code, None));
    let mut rows: Vec<_> = codes.map(status).into();
    rows.push(("hangs".to_owned(), GrpcAnswer::Hang));
    rows.push(("resets".to_owned(), GrpcAnswer::Reset));
    for (what, answer) in rows {
        let dir = tempfile::tempdir().unwrap();
        let broken = GrpcCollector::answering([answer]);
        let down = outage(OtlpExporter::grpc(broken.origin()), dir.path());
        let collector = GrpcCollector::start();
        let back = recovery(OtlpExporter::grpc(collector.origin()), dir.path());
        assert_kept(&what, &down, &back);
    }
}

#[test]
fn unlimited_settings_work() {
    let collector = Collector::start();
    let dir = tempfile::tempdir().unwrap();
    let disk_buffer = DiskBuffer::new(dir.path())
        .max_bytes(u64::MAX)
        .max_files(usize::MAX)
        .max_age(Duration::MAX);
    let exporter = OtlpExporter::http(collector.origin()).timeout(Duration::MAX);
    let exporters = [
        Exporter::otlp(exporter.clone()),
        Exporter::otlp(exporter).disk_buffer(disk_buffer),
        #[cfg(feature = "grpc")]
        Exporter::otlp(OtlpExporter::grpc(collector.origin())),
    ];
    for exporter in exporters {
        let is_http = exporter.endpoint().unwrap().contains("v1");
        let batch = BatchConfig::new()
            .max_queue_size(usize::MAX)
            .max_export_batch_size(usize::MAX)
            .scheduled_delay(Duration::MAX)
            .max_export_timeout(Duration::MAX);
        let config = TracerConfig::new().service_name("shop").batch(batch);
        let tracer = config.exporter(exporter).build().unwrap();
        end_spans(&tracer, 3);
        if is_http {
            tracer.force_flush_with_timeout(Duration::MAX).unwrap();
            tracer.shutdown_with_timeout(Duration::MAX).unwrap();
            assert_eq!(counts(&tracer).delivered, 3);
        } else {
            // This is not a gRPC server.
            let _ = tracer.force_flush_with_timeout(Duration::from_millis(100));
            let _ = tracer.shutdown_with_timeout(Duration::from_millis(100));
        }
    }
}
