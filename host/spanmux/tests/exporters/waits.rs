//! Tests for backends that ask to wait.

use std::time::Duration;

use spanmux::delivery::{BatchConfig, Loss};
use spanmux::exporters::{Exporter, OtlpExporter};
use spanmux::otel::{OtelTracer, TracerConfig};

use crate::collector::{Answer, Collector};
use crate::support::{PATIENT, counts, end_spans, tracer};

#[cfg(feature = "grpc")]
use crate::grpc_collector::{GrpcAnswer, GrpcCollector};

/// A server over one of the protocols.
enum Server {
    Http(Collector),
    #[cfg(feature = "grpc")]
    Grpc(GrpcCollector),
}

impl Server {
    /// Starts a server over each protocol. It asks to wait as often as `times`, and then
    /// accepts. `None` means always.
    fn each(wait: &'static str, times: Option<usize>) -> Vec<Self> {
        let busy = Answer::Status(429, wait, Vec::new());
        let mut answers = vec![busy; times.unwrap_or(1)];
        answers.extend(times.map(|_| Answer::status(200)));
        let http = Self::Http(Collector::answering(answers));
        #[cfg(feature = "grpc")]
        {
            let seconds = wait.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
            let wait = Some(Duration::from_secs(seconds));
            let busy = GrpcAnswer::Status(tonic::Code::ResourceExhausted, wait);
            let mut answers = vec![busy; times.unwrap_or(1)];
            answers.extend(times.map(|_| GrpcAnswer::Taken(Vec::new())));
            vec![http, Self::Grpc(GrpcCollector::answering(answers))]
        }
        #[cfg(not(feature = "grpc"))]
        vec![http]
    }

    fn exporter(&self) -> OtlpExporter {
        match self {
            Self::Http(collector) => OtlpExporter::http(collector.origin()),
            #[cfg(feature = "grpc")]
            Self::Grpc(collector) => OtlpExporter::grpc(collector.origin()),
        }
    }

    fn requests(&self) -> usize {
        match self {
            Self::Http(collector) => collector.received().len(),
            #[cfg(feature = "grpc")]
            Self::Grpc(collector) => collector.received().len(),
        }
    }
}

#[test]
fn wait_of_zero_never_causes_a_hot_loop() {
    for server in Server::each("retry-after: 0\r\n", None) {
        let dir = tempfile::tempdir().unwrap();
        let buffered = spanmux::delivery::DiskBuffer::new(dir.path());
        let exporters = [
            (Exporter::otlp(server.exporter()), 8),
            (Exporter::otlp(server.exporter()).disk_buffer(buffered), 16),
        ];
        for (exporter, most) in exporters {
            let tracer = tracer(exporter, PATIENT);
            end_spans(&tracer, 10);
            // Delays of at least 100, 200, 400, 800 and 1,600 milliseconds.
            let _ = tracer.force_flush_with_timeout(Duration::from_secs(2));
            let counts = counts(&tracer);
            assert_eq!((counts.waiting + counts.buffered, counts.lost()), (10, 0));
            assert!(server.requests() <= most, "{}", server.requests());
            let _ = tracer.shutdown_with_timeout(Duration::ZERO);
        }
    }
}

#[test]
fn longer_wait_than_the_batch_has_loses_nothing() {
    for server in Server::each("retry-after: 1\r\n", Some(2)) {
        let tracer = tracer(server.exporter(), Duration::from_millis(500));
        end_spans(&tracer, 10);
        tracer.force_flush_with_timeout(PATIENT).unwrap();
        let counts = counts(&tracer);
        assert_eq!((counts.delivered, counts.lost()), (10, 0));
        assert_eq!((server.requests(), counts.retries), (3, 2));
    }
}

fn small_batches(exporter: impl Into<Exporter>) -> OtelTracer {
    let batch = BatchConfig::new()
        .max_export_batch_size(10)
        .max_export_timeout(Duration::from_millis(500));
    let config = TracerConfig::new().service_name("shop").batch(batch);
    config.exporter(exporter).build().unwrap()
}

#[test]
fn whole_exporter_waits_and_keeps_spans_in_the_queue() {
    for server in Server::each("retry-after: 3600\r\n", None) {
        let tracer = small_batches(server.exporter());
        end_spans(&tracer, 100);
        let _ = tracer.force_flush_with_timeout(Duration::from_millis(700));
        let seen = counts(&tracer);
        assert_eq!((seen.waiting, seen.lost()), (100, 0));
        assert_eq!(server.requests(), 1);
        // The wait ends with the exporter, whose batches are not sent any more.
        let error = tracer.shutdown_with_timeout(PATIENT).unwrap_err();
        let seen = counts(&tracer);
        assert_eq!(seen.lost_to(Loss::Unavailable), 100, "{error}");
        assert_eq!((server.requests(), seen.waiting), (1, 0));
    }
}
