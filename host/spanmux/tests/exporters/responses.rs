//! Tests that a success status alone does not count as delivery.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use spanmux::delivery::BatchConfig;
use spanmux::delivery::Loss::Unavailable;
use spanmux::exporters::OtlpExporter;
use spanmux::otel::TracerConfig;

use crate::collector::{Answer, Collector};
use crate::faults::Attempts::Exactly;
use crate::faults::Fate::{self, Delivered, Lost, Refused};
use crate::faults::{assert_fate, partial};
use crate::log::Log;
use crate::process::alone;
use crate::support::{PATIENT, counts, end_spans, send, tracer};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

const HTML: &str = "content-type: text/html; charset=utf-8\r\n";
const JSON: &str = "content-type: application/json\r\n";
const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";
const GZIP_JSON: &str = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
const GZIP: &str = "content-type: application/x-protobuf\r\ncontent-encoding: gzip\r\n";
const UNKNOWN: &str = "content-type: application/x-protobuf\r\ncontent-encoding: br\r\n";

#[rustfmt::skip]
fn rows() -> Vec<(&'static str, u16, &'static str, Vec<u8>, Fate)> {
    let json_partial = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"old"}}"#;
    vec![
        ("empty protobuf", 200, PROTOBUF, Vec::new(), Delivered),
        ("empty JSON", 200, JSON, b"{}".to_vec(), Delivered),
        ("no content", 204, "", Vec::new(), Delivered),
        ("login page", 200, HTML, b"<html><title>Log in</title>".to_vec(), Lost(Unavailable)),
        ("long login page", 200, HTML, vec![b'<'; 1 << 20], Lost(Unavailable)),
        ("login page of no type", 200, "", b"\n<!DOCTYPE html><html>".to_vec(), Lost(Unavailable)),
        ("JSON error", 200, JSON, br#"{"error":"invalid api key"}"#.to_vec(), Lost(Unavailable)),
        ("207 with errors", 207, JSON, br#"{"errors":[{"status":400}]}"#.to_vec(), Lost(Unavailable)),
        ("207 with some errors", 207, JSON, br#"{"successes":[1,2],"errors":[{"status":400}]}"#.to_vec(), Refused(1)),
        ("JSON partial success", 200, JSON, json_partial.to_vec(), Refused(3)),
        ("compressed JSON partial success", 200, GZIP_JSON, gzip(json_partial), Refused(3)),
        ("compressed partial success", 200, GZIP, gzip(&partial(2)), Refused(2)),
        ("compressed login page", 200, "content-encoding: gzip\r\n", gzip(b"<html>"), Lost(Unavailable)),
        ("decompression bomb", 200, GZIP_JSON, gzip(&vec![b' '; 32 << 20]), Delivered),
        ("unknown encoding", 200, UNKNOWN, vec![1, 2, 3], Delivered),
    ]
}

#[test]
fn success_status_is_judged_by_the_body() {
    for (what, status, headers, body, fate) in rows() {
        let collector = Collector::answering([Answer::Status(status, headers, body)]);
        let counts = send(OtlpExporter::http(collector.origin()), 3, PATIENT);
        assert_fate(what, &counts, &fate, &Exactly(1));
        assert_eq!(collector.received().len(), 1, "{what}");
    }
}

#[test]
fn login_page_is_reported_with_the_remedy() {
    let answer = Answer::Status(200, HTML, b"<html>".to_vec());
    let collector = Collector::answering([answer]);
    let tracer = tracer(OtlpExporter::http(collector.origin()), PATIENT);
    end_spans(&tracer, 1);
    let error = tracer.force_flush().unwrap_err().to_string();
    assert!(error.contains("HTML page, often a login page"), "{error}");
    assert!(error.contains("; check the endpoint"), "{error}");
}

#[test]
fn login_page_is_logged_once() {
    let name = "responses::login_page_is_logged_once";
    alone(name, &[], || {
        let log = Log::install();
        let answer = Answer::Status(200, HTML, b"<html>".to_vec());
        let collector = Collector::answering([answer]);
        let batch = BatchConfig::new().scheduled_delay(Duration::from_millis(1));
        let tracer = TracerConfig::new()
            .service_name("shop")
            .exporter(OtlpExporter::http(collector.origin()))
            .batch(batch)
            .build()
            .unwrap();
        // Without a flush, which returns the error instead.
        for requests in 1..=10 {
            end_spans(&tracer, 1);
            while counts(&tracer).lost() < requests {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        tracer.shutdown().unwrap_err();
        assert_eq!(collector.received().len(), 10);
        let text = log.text();
        assert_eq!(text.matches("HTML page").count(), 1, "{text}");
    });
}
