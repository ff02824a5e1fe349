//! Tests for the file exporter: rotation, removed files, partial lines and full disks.

use std::fs;
use std::path::Path;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use spanmux::delivery::DiskBuffer;
use spanmux::exporters::{Exporter, Rotation};
use spanmux::otel::{RoutingTracerProvider, TracerConfig};

use crate::support::*;

fn writing_to(exporter: Exporter) -> RoutingTracerProvider {
    let config = TracerConfig::new()
        .service_name("shop")
        .batch(patient(1_000, 1));
    of(config.exporter(exporter))
}

fn flushed(provider: &RoutingTracerProvider, spans: usize) {
    end_spans(provider, spans);
    assert_eq!(provider.force_flush_with_timeout(LONG).failed, []);
}

/// Returns the number of spans in a file. Each line must be a complete request.
fn spans(path: &Path) -> usize {
    let text = fs::read_to_string(path).unwrap();
    let count = |line: &str| {
        let request: ExportTraceServiceRequest = serde_json::from_str(line).unwrap();
        request.resource_spans[0].scope_spans[0].spans.len()
    };
    text.lines().map(count).sum()
}

#[test]
fn file_is_rotated_by_size_without_splitting_lines() {
    let dir = tempfile::tempdir().unwrap();
    for (keep, files) in [(0, 1), (1, 2), (3, 4)] {
        let path = dir.path().join(format!("{keep}.jsonl"));
        let rotation = Rotation::new().max_bytes(4_000).keep(keep);
        let provider = writing_to(Exporter::file_rotated(&path, rotation));
        flushed(&provider, 100);
        assert_eq!(counts(&provider)[0].delivered, 100);
        let mut found = vec![path.clone()];
        found.extend((1..9).map(|number| dir.path().join(format!("{keep}.jsonl.{number}"))));
        found.retain(|path| path.exists());
        assert_eq!(found.len(), files);
        for path in &found {
            assert!(fs::metadata(path).unwrap().len() <= 4_000);
            assert!(spans(path) > 0);
        }
        // The current file contains the newest spans.
        assert!(fs::read_to_string(&path).unwrap().contains("span 99"));
    }
}

#[test]
fn line_may_exceed_the_limit_and_zero_means_no_limit() {
    let dir = tempfile::tempdir().unwrap();
    for (max_bytes, files) in [(0, 1), (1, 5)] {
        let path = dir.path().join(format!("{max_bytes}.jsonl"));
        let rotation = Rotation::new().max_bytes(max_bytes).keep(9);
        let provider = writing_to(Exporter::file_rotated(&path, rotation));
        flushed(&provider, 5);
        let older = (1..9).map(|number| dir.path().join(format!("{max_bytes}.jsonl.{number}")));
        let all: Vec<_> = older.chain([path]).filter(|path| path.exists()).collect();
        assert_eq!(all.len(), files);
        assert_eq!(all.iter().map(|path| spans(path)).sum::<usize>(), 5);
    }
}

#[test]
fn removed_or_renamed_file_is_created_again() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("spans.jsonl"), dir.path().join("old.jsonl"));
    let provider = writing_to(Exporter::file(&path));
    flushed(&provider, 1);
    fs::rename(&path, &old).unwrap();
    flushed(&provider, 2);
    assert_eq!((spans(&old), spans(&path)), (1, 2));
    fs::remove_file(&path).unwrap();
    flushed(&provider, 3);
    assert_eq!(spans(&path), 3);
}

#[test]
fn partial_line_is_terminated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spans.jsonl");
    fs::write(&path, "{\"resourceSpans\":[").unwrap();
    let provider = writing_to(Exporter::file(&path));
    flushed(&provider, 1);
    let text = fs::read_to_string(&path).unwrap();
    let (torn, rest) = text.split_once('\n').unwrap();
    assert_eq!(torn, "{\"resourceSpans\":[");
    fs::write(&path, rest).unwrap();
    assert_eq!(spans(&path), 1);
}

/// `/dev/full` simulates a full disk. The second file has enough space.
#[cfg(target_os = "linux")]
#[test]
fn full_disk_affects_only_its_own_exporter() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spans.jsonl");
    let config = TracerConfig::new()
        .service_name("shop")
        .batch(patient(1_000, 10));
    let config = config.exporter(Exporter::file("/dev/full"));
    let provider = of(config.exporter(Exporter::file(&path)));
    end_spans(&provider, 50);
    let report = provider.force_flush_with_timeout(LONG);
    assert_eq!(report.failed[0].lost, 50);
    assert!(report.failed[0].message.contains("/dev/full"), "{report:?}");
    let counts = counts(&provider);
    assert_eq!((counts[0].lost(), counts[1].delivered), (50, 50));
    assert_eq!(spans(&path), 50);
}

#[test]
fn unsupported_disk_buffer_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for (exporter, message) in [
        (
            Exporter::discard().disk_buffer(DiskBuffer::new(dir.path())),
            "exporter \"discard\" does not support a disk buffer; only OTLP exporters do",
        ),
        (
            Exporter::console().disk_buffer(DiskBuffer::new(dir.path())),
            "exporter \"console\" does not support a disk buffer; only OTLP exporters do",
        ),
    ] {
        let error = TracerConfig::new()
            .service_name("shop")
            .exporter(exporter)
            .build();
        assert_eq!(error.unwrap_err().to_string(), message);
    }
}
