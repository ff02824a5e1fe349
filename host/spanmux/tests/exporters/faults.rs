//! Tests for the counts of backend faults over HTTP, with one row per fault.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use spanmux::delivery::{DeliveryCounts, Loss};
use spanmux::exporters::OtlpExporter;

use crate::collector::{Answer, Collector};
use crate::support::{PATIENT, counts, end_spans, send, tracer};

/// Enough time for a few attempts.
pub(crate) const SHORT: Duration = Duration::from_millis(700);

const SPANS: u64 = 3;

/// The expected outcome of the spans of one batch.
pub(crate) enum Fate {
    Delivered,
    /// All spans are lost.
    Lost(Loss),
    /// This number of spans is refused. The rest is delivered.
    Refused(u64),
}

/// The expected number of attempts.
#[derive(Debug)]
pub(crate) enum Attempts {
    Exactly(u64),
    Several,
}

use Attempts::{Exactly, Several};
use Fate::{Delivered, Lost, Refused};

pub(crate) fn assert_fate(what: &str, counts: &DeliveryCounts, fate: &Fate, attempts: &Attempts) {
    let (delivered, cause, lost) = match fate {
        Delivered => (SPANS, Loss::Failed, 0),
        Lost(cause) => (0, *cause, SPANS),
        Refused(spans) => (SPANS - spans, Loss::Rejected, *spans),
    };
    assert_eq!(counts.delivered, delivered, "{what}: {counts:?}");
    assert_eq!(counts.lost_to(cause), lost, "{what}: {counts:?}");
    assert_eq!(counts.lost(), lost, "{what}: {counts:?}");
    match attempts {
        Exactly(attempts) => assert_eq!(counts.retries + 1, *attempts, "{what}"),
        Several => assert!(counts.retries > 0, "{what}"),
    }
}

pub(crate) fn partial(rejected_spans: i64) -> Vec<u8> {
    let partial_success = Some(ExportTracePartialSuccess {
        rejected_spans,
        error_message: "too old".to_owned(),
    });
    ExportTraceServiceResponse { partial_success }.encode_to_vec()
}

fn busy(status: u16, headers: &'static str) -> Answer {
    Answer::Status(status, headers, Vec::new())
}

fn ok(body: impl Into<Vec<u8>>) -> Answer {
    Answer::Status(200, "", body.into())
}

type Row = (&'static str, Vec<Answer>, Duration, Fate, Attempts);

#[rustfmt::skip]
fn http_rows() -> Vec<Row> {
    use Loss::{Rejected, TimedOut, Unavailable};
    let status = Answer::status;
    let now = "retry-after: 0\r\n";
    let past = "retry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    vec![
        ("200", vec![status(200)], PATIENT, Delivered, Exactly(1)),
        ("202 with JSON", vec![Answer::Status(202, "", b"{}".to_vec())], PATIENT, Delivered, Exactly(1)),
        ("200 with a huge body", vec![ok(vec![b'x'; 1 << 20])], PATIENT, Lost(Unavailable), Exactly(1)),
        ("503, then 200", vec![status(503), status(200)], PATIENT, Delivered, Exactly(2)),
        ("502, then 504, then 200", vec![status(502), status(504), status(200)], PATIENT, Delivered, Exactly(3)),
        ("429 for a moment", vec![busy(429, now), status(200)], PATIENT, Delivered, Exactly(2)),
        ("503 until a date", vec![busy(503, past), status(200)], PATIENT, Delivered, Exactly(2)),
        ("503 forever", vec![status(503)], SHORT, Lost(Unavailable), Several),
        ("500", vec![status(500)], PATIENT, Lost(Unavailable), Exactly(1)),
        ("501", vec![status(501)], PATIENT, Lost(Unavailable), Exactly(1)),
        ("400", vec![status(400)], PATIENT, Lost(Rejected), Exactly(1)),
        ("401", vec![status(401)], PATIENT, Lost(Rejected), Exactly(1)),
        ("402", vec![status(402)], PATIENT, Lost(Rejected), Exactly(1)),
        ("404", vec![status(404)], PATIENT, Lost(Rejected), Exactly(1)),
        ("401 after 503", vec![status(503), status(401)], PATIENT, Lost(Rejected), Exactly(2)),
        ("no answer", vec![Answer::Hang], SHORT, Lost(TimedOut), Exactly(2)),
        ("closed, then 200", vec![Answer::Close, status(200)], PATIENT, Delivered, Exactly(2)),
        ("closed forever", vec![Answer::Close], SHORT, Lost(Unavailable), Several),
        ("2 of 3 refused", vec![ok(partial(2))], PATIENT, Refused(2), Exactly(1)),
        ("more refused than sent", vec![ok(partial(9))], PATIENT, Lost(Rejected), Exactly(1)),
        ("negative number refused", vec![ok(partial(-1))], PATIENT, Delivered, Exactly(1)),
        ("a warning", vec![ok(partial(0))], PATIENT, Delivered, Exactly(1)),
    ]
}

#[test]
fn http_faults_are_counted_by_cause() {
    for (what, answers, timeout, fate, attempts) in http_rows() {
        let collector = Collector::answering(answers);
        let counts = send(OtlpExporter::http(collector.origin()), 3, timeout);
        assert_fate(what, &counts, &fate, &attempts);
        let requests = collector.received().len() as u64;
        assert_eq!(requests, counts.retries + 1, "{what}");
    }
}

/// Returns an address without a listener.
pub(crate) fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Returns an address that responds to a TLS handshake with HTTP.
fn without_tls() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut hello = [0; 1024];
            let _read = std::io::Read::read(&mut stream, &mut hello).unwrap();
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    endpoint
}

#[test]
fn missing_backend_is_unreachable() {
    let rows = [
        ("refused", nobody()),
        // `.invalid` never resolves: RFC 6761.
        ("no such host", "http://backend.invalid:4318".to_owned()),
        ("no TLS", without_tls()),
    ];
    for (what, endpoint) in rows {
        let counts = send(OtlpExporter::http(endpoint), 3, SHORT);
        assert_fate(what, &counts, &Lost(Loss::Unreachable), &Several);
    }
}

#[test]
fn timed_out_attempt_is_retried() {
    let collector = Collector::answering([Answer::Hang, Answer::status(200)]);
    let exporter = OtlpExporter::http(collector.origin()).timeout(Duration::from_millis(300));
    let counts = send(exporter, 3, PATIENT);
    assert_fate("hang, then 200", &counts, &Delivered, &Exactly(2));
}

#[test]
fn batches_share_a_connection() {
    let collector = Collector::start();
    let tracer = tracer(OtlpExporter::http(collector.origin()), PATIENT);
    for _ in 0..4 {
        end_spans(&tracer, 1);
        tracer.force_flush().unwrap();
    }
    assert_eq!(counts(&tracer).delivered, 4);
    assert_eq!(collector.received().len(), 4);
    assert_eq!(collector.connections(), 1);
}

#[test]
fn redirect_does_not_send_the_key_to_another_host() {
    let other = Collector::start();
    let location: &'static str = format!("location: {}/v1/traces\r\n", other.origin()).leak();
    for status in [301, 302, 307, 308] {
        let collector = Collector::answering([busy(status, location)]);
        let exporter = OtlpExporter::http(collector.origin()).header("x-api-key", "a key");
        let counts = send(exporter, 3, PATIENT);
        assert_fate("redirect", &counts, &Lost(Loss::Rejected), &Exactly(1));
    }
    assert!(other.received().is_empty());
}

#[test]
fn configured_proxy_is_used() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://user:password@{}", listener.local_addr().unwrap());
    let first_line = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stream), &mut line).unwrap();
        line
    });
    let exporter = OtlpExporter::http("http://backend.invalid:4318").proxy(proxy);
    assert!(!format!("{exporter:?}").contains("password"));
    let counts = send(exporter, 3, SHORT);
    assert_eq!(counts.lost(), 3, "the proxy sends no response");
    let line = first_line.join().unwrap();
    assert!(line.contains("backend.invalid:4318"), "{line}");
}

#[test]
fn compressed_batch_arrives_complete() {
    let collector = Collector::start();
    let counts = send(OtlpExporter::http(collector.origin()).gzip(), 3, PATIENT);
    assert_eq!(counts.delivered, 3);
    let mut received = collector.received().remove(0);
    assert_eq!(received.header("content-encoding"), Some("gzip"));
    let mut plain = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(&*received.body);
    std::io::Read::read_to_end(&mut decoder, &mut plain).unwrap();
    received.body = plain;
    let scopes = &received.message().resource_spans[0].scope_spans;
    assert_eq!(scopes[0].spans.len(), 3);
}
