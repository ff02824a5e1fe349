//! Tests for requests and spans that are too large for a backend, and for refused credentials.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, Tracer as _, TracerProvider as _};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use spanmux::delivery::{BatchConfig, DeliveryCounts, DiskBuffer, Loss};
use spanmux::exporters::{DatadogIntake, Exporter, OtlpExporter};
use spanmux::otel::{OtelTracer, TracerConfig};
use spanmux::redaction::AttributeLimits;

use crate::collector::{Answer, Collector, Received};
#[cfg(feature = "grpc")]
use crate::grpc_collector::{GrpcAnswer, GrpcCollector};
use crate::log::Log;
use crate::process::alone;
use crate::support::{PATIENT, counts, end_spans};

/// The limit of the Datadog intake.
const LIMIT: usize = 3_200_000;

const SPANS: usize = 600;

fn start(exporter: impl Into<Exporter>) -> OtelTracer {
    let batch = BatchConfig::new()
        .scheduled_delay(PATIENT)
        .max_export_timeout(PATIENT);
    TracerConfig::new()
        .service_name("shop")
        .batch(batch)
        // Only the exporter shortens.
        .limits(AttributeLimits::new().length(usize::MAX))
        .exporter(exporter)
        .build()
        .unwrap()
}

/// Ends a span with this many bytes of content.
fn end(tracer: &OtelTracer, number: usize, bytes: usize) {
    let content = [
        KeyValue::new("number", number as i64),
        KeyValue::new("content", "x".repeat(bytes)),
        KeyValue::new("small", "kept"),
    ];
    let span = SpanBuilder::from_name("answer").with_attributes(content);
    drop(tracer.provider().tracer("library").build(span));
}

/// Ends 600 spans of 8 kB. One of them may be larger.
fn end_all(tracer: &OtelTracer, oversized: Option<usize>) {
    for number in 0..SPANS {
        let bytes = oversized.filter(|_| number == 300).unwrap_or(8_000);
        end(tracer, number, bytes);
    }
}

/// Returns the accepted spans by their number. Each was accepted once.
fn accepted(received: &[Received], limit: usize) -> BTreeMap<i64, Span> {
    let mut spans = BTreeMap::new();
    for request in received.iter().filter(|it| it.body.len() <= limit) {
        let message = request.message();
        let scopes = message
            .resource_spans
            .into_iter()
            .flat_map(|it| it.scope_spans);
        for span in scopes.flat_map(|scope| scope.spans) {
            let number = number(&span, "number").unwrap();
            assert!(spans.insert(number, span).is_none(), "{number} came twice");
        }
    }
    spans
}

fn text<'s>(span: &'s Span, key: &str) -> &'s str {
    let found = span.attributes.iter().find(|of| of.key == key);
    match found.and_then(|of| of.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{key}: {other:?}"),
    }
}

fn number(span: &Span, key: &str) -> Option<i64> {
    let found = span.attributes.iter().find(|of| of.key == key)?;
    match found.value.as_ref()?.value {
        Some(Value::IntValue(number)) => Some(number),
        _ => None,
    }
}

/// All spans arrived once, and only number 300 may be shortened.
fn assert_all_arrived(
    counts: &DeliveryCounts,
    received: &[Received],
    limit: usize,
    shortened: u64,
) {
    assert_eq!(
        (counts.delivered, counts.lost()),
        (SPANS as u64, 0),
        "{counts:?}"
    );
    assert_eq!(
        (counts.waiting, counts.shortened),
        (0, shortened),
        "{counts:?}"
    );
    let spans = accepted(received, limit);
    assert_eq!(spans.len(), SPANS);
    for (place, span) in &spans {
        let is_short = shortened > 0 && *place == 300;
        assert_eq!(
            number(span, "spanmux.cut"),
            is_short.then_some(1),
            "{place}"
        );
        assert_eq!(text(span, "small"), "kept");
        if is_short {
            let content = text(span, "content");
            assert!(content.len() > LIMIT / 4, "{} bytes", content.len());
            assert!(content.ends_with(']') && content.contains("…[+"));
        } else {
            assert_eq!(text(span, "content").len(), 8_000, "{place}");
        }
    }
}

/// An exporter with the limit of its preset, and one that learns the limit from refusals.
fn exporters(origin: &str) -> [OtlpExporter; 2] {
    let preset: OtlpExporter = DatadogIntake::new("datadoghq.com", "key").into();
    [preset.origin(origin), OtlpExporter::http(origin)]
}

#[test]
fn all_spans_arrive_when_a_batch_is_too_large() {
    for (oversized, shortened) in [(None, 0), (Some(5_000_000), 1)] {
        for known in [0, 1] {
            let collector = Collector::answering([Answer::Within(LIMIT)]);
            let tracer = start(exporters(&collector.origin())[known].clone());
            end_all(&tracer, oversized);
            tracer.shutdown_with_timeout(PATIENT).unwrap();
            let received = collector.received();
            assert_all_arrived(&counts(&tracer), &received, LIMIT, shortened);
            let refused = received.iter().filter(|it| it.body.len() > LIMIT).count();
            // A preset knows the limit.
            assert_eq!(refused > 0, known == 1, "{refused} requests were refused");
        }
    }
}

#[cfg(feature = "grpc")]
#[test]
fn all_spans_arrive_when_a_grpc_message_is_too_large() {
    for (oversized, shortened) in [(None, 0), (Some(5_000_000), 1)] {
        for limit in [LIMIT, 4 << 20] {
            let collector = GrpcCollector::answering([GrpcAnswer::Within(limit)]);
            let tracer = start(OtlpExporter::grpc(collector.origin()));
            end_all(&tracer, oversized);
            tracer.shutdown_with_timeout(PATIENT).unwrap();
            let received = collector.received();
            assert_all_arrived(&counts(&tracer), &received, limit, shortened);
            let refused = received.iter().filter(|it| it.body.len() > limit).count();
            // The default is the limit of gRPC servers.
            assert_eq!(
                refused > 0,
                limit == LIMIT,
                "{refused} requests were refused"
            );
        }
    }
}

fn buffered(exporter: OtlpExporter, directory: &Path) -> Exporter {
    Exporter::otlp(exporter).disk_buffer(DiskBuffer::new(directory))
}

#[test]
fn disk_buffer_sends_new_and_buffered_spans_in_parts() {
    for (oversized, shortened) in [(None, 0), (Some(5_000_000), 1)] {
        for known in [0, 1] {
            let dir = tempfile::tempdir().unwrap();
            let collector = Collector::answering([Answer::Within(LIMIT)]);
            // The spans of the first process are buffered.
            let nobody = exporters(&crate::faults::nobody())[known].clone();
            let first = start(buffered(nobody, dir.path()));
            end_all(&first, oversized);
            let _ = first.shutdown_with_timeout(Duration::from_secs(2));
            assert_eq!(counts(&first).buffered, SPANS as u64);
            let exporter = exporters(&collector.origin())[known].clone();
            let second = start(buffered(exporter, dir.path()));
            let begun = std::time::Instant::now();
            while counts(&second).buffered > 0 {
                assert!(begun.elapsed() < PATIENT, "{:?}", counts(&second));
                std::thread::sleep(Duration::from_millis(5));
            }
            let replayed = counts(&second);
            assert_eq!(replayed.replayed, SPANS as u64);
            assert_all_arrived(&replayed, &collector.received(), LIMIT, shortened);
            // New spans follow the same rules.
            let before = collector.received().len();
            end_all(&second, oversized);
            second.shutdown_with_timeout(PATIENT).unwrap();
            let new = &collector.received()[before..];
            assert_eq!(accepted(new, LIMIT).len(), SPANS);
            assert_eq!(counts(&second).shortened, shortened * 2);
            assert_eq!(counts(&second).lost(), 0);
        }
    }
}

#[test]
fn refused_span_is_lost_alone() {
    // Two spans, the first one alone, every form of the second one, and then the third one.
    let mut answers = vec![Answer::status(413), Answer::status(200)];
    answers.extend(vec![Answer::status(413); 5]);
    answers.push(Answer::status(200));
    let collector = Collector::answering(answers);
    let exporter = OtlpExporter::http(collector.origin()).max_request_bytes(100_000);
    let tracer = start(exporter);
    for place in 0..3 {
        end(&tracer, place, if place == 1 { 60_000 } else { 30_000 });
    }
    let error = tracer
        .shutdown_with_timeout(PATIENT)
        .unwrap_err()
        .to_string();
    let seen = counts(&tracer);
    assert_eq!(
        (seen.delivered, seen.lost_to(Loss::Rejected)),
        (2, 1),
        "{seen:?}"
    );
    assert_eq!(
        (seen.lost(), collector.received().len()),
        (1, 8),
        "{seen:?}"
    );
    assert!(
        error.contains("413") && error.contains("too large alone"),
        "{error}"
    );
}

#[test]
fn compressed_request_is_measured_before_compression() {
    let collector = Collector::start();
    let exporter = OtlpExporter::http(collector.origin())
        .gzip()
        .max_request_bytes(50_000);
    let tracer = start(exporter);
    (0..20).for_each(|place| end(&tracer, place, 10_000));
    tracer.shutdown_with_timeout(PATIENT).unwrap();
    let received = collector.received();
    assert_eq!(received.len(), 5);
    for request in received {
        let mut plain = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(&*request.body);
        std::io::Read::read_to_end(&mut decoder, &mut plain).unwrap();
        assert!(plain.len() <= 50_000, "{}", plain.len());
    }
}

#[test]
fn oversized_span_is_shortened_to_the_span_limit() {
    let collector = Collector::start();
    let tracer = start(OtlpExporter::http(collector.origin()).max_span_bytes(20_000));
    (0..3).for_each(|place| end(&tracer, place, if place == 1 { 90_000 } else { 10_000 }));
    tracer.shutdown_with_timeout(PATIENT).unwrap();
    let spans = accepted(&collector.received(), usize::MAX);
    assert_eq!((counts(&tracer).shortened, spans.len()), (1, 3));
    assert!((19_000..=20_000).contains(&spans[&1].encoded_len()));
    assert_eq!(text(&spans[&0], "content").len(), 10_000);
}

#[test]
fn backend_that_refuses_every_size_gets_few_requests() {
    let collector = Collector::answering([Answer::status(413)]);
    let tracer = start(OtlpExporter::http(collector.origin()));
    end_spans(&tracer, 500);
    let error = tracer
        .shutdown_with_timeout(PATIENT)
        .unwrap_err()
        .to_string();
    assert_eq!(counts(&tracer).lost_to(Loss::Rejected), 500);
    assert!(
        collector.received().len() < 20,
        "{}",
        collector.received().len()
    );
    assert!(error.contains("max_request_bytes"), "{error}");
}

/// Ends a batch and waits until it is counted.
fn flush_one(tracer: &OtelTracer) -> String {
    end_spans(tracer, 10);
    let flushed = tracer.force_flush_with_timeout(PATIENT);
    flushed.map_or_else(|error| error.to_string(), |()| String::new())
}

#[test]
fn refused_credentials_pause_the_exporter() {
    for status in [401, 402, 403] {
        let answers = [Answer::status(status), Answer::status(200)];
        let collector = Collector::answering(answers);
        let tracer = start(OtlpExporter::http(collector.origin()));
        let first = flush_one(&tracer);
        assert!(first.contains(&status.to_string()), "{first}");
        // The next batches are not sent before the end of the pause of about one second.
        let begun = std::time::Instant::now();
        let next = flush_one(&tracer);
        if begun.elapsed() < Duration::from_millis(500) {
            assert!(next.contains("the next attempt is in"), "{next}");
            assert_eq!(collector.received().len(), 1);
            assert_eq!(counts(&tracer).lost_to(Loss::Rejected), 20);
        }
        while !flush_one(&tracer).is_empty() {
            assert!(begun.elapsed() < PATIENT);
            std::thread::sleep(Duration::from_millis(50));
        }
        let seen = counts(&tracer);
        assert_eq!((collector.received().len(), seen.delivered), (2, 10));
        assert_eq!(seen.ended, seen.delivered + seen.lost_to(Loss::Rejected));
    }
}

#[test]
fn refused_credentials_are_logged_once() {
    let name = "sizes::refused_credentials_are_logged_once";
    alone(name, &[], || {
        let log = Log::install();
        let collector = Collector::answering([Answer::status(402)]);
        let tracer = TracerConfig::new()
            .service_name("shop")
            .exporter(OtlpExporter::http(collector.origin()))
            .batch(BatchConfig::new().scheduled_delay(Duration::from_millis(1)))
            .build()
            .unwrap();
        // Without a flush, which returns the error instead.
        for spans in 1..=20 {
            end_spans(&tracer, 1);
            while counts(&tracer).lost() < spans {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        tracer.shutdown().unwrap_err();
        let text = log.text();
        assert_eq!(text.matches("402").count(), 1, "{text}");
        assert!(text.contains("check the plan"), "{text}");
    });
}

#[cfg(feature = "grpc")]
#[test]
fn refused_credentials_pause_a_grpc_exporter() {
    for code in [tonic::Code::Unauthenticated, tonic::Code::PermissionDenied] {
        let collector = GrpcCollector::answering([GrpcAnswer::Status(code, None)]);
        let tracer = start(OtlpExporter::grpc(collector.origin()));
        let begun = std::time::Instant::now();
        for _ in 0..5 {
            assert!(!flush_one(&tracer).is_empty());
        }
        if begun.elapsed() < Duration::from_millis(500) {
            assert_eq!(collector.received().len(), 1, "{code:?}");
        }
        assert_eq!(counts(&tracer).lost_to(Loss::Rejected), 50);
    }
}
