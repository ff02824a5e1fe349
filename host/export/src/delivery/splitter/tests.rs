//! Tests for splitting: every span has one outcome, for any sizes and any backend.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::*;
use crate::delivery::DeliveryCounts;

/// A repeatable source of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }
}

fn span(name: &str, bytes: usize) -> Span {
    Span {
        name: name.to_owned(),
        attributes: vec![KeyValue {
            key: "content".to_owned(),
            value: Some(AnyValue {
                value: Some(Value::StringValue("x".repeat(bytes))),
            }),
            ..KeyValue::default()
        }],
        ..Span::default()
    }
}

/// Creates a request with spans of these sizes, three for each scope.
fn request(sizes: &[usize]) -> ExportTraceServiceRequest {
    let scope = |(number, sizes): (usize, &[usize])| ScopeSpans {
        scope: Some(InstrumentationScope {
            name: format!("scope {number}"),
            ..InstrumentationScope::default()
        }),
        spans: sizes
            .iter()
            .enumerate()
            .map(|(place, bytes)| span(&format!("{}", number * 3 + place), *bytes))
            .collect(),
        ..ScopeSpans::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: sizes.chunks(3).enumerate().map(scope).collect(),
            ..ResourceSpans::default()
        }],
    }
}

fn spans_of(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    let scopes = request.resource_spans.iter().flat_map(|of| &of.scope_spans);
    scopes.flat_map(|scope| &scope.spans)
}

/// A backend with a limit that the exporter does not know.
struct Backend {
    most: usize,
    /// The name of a span that it refuses for its size, whatever its size is.
    refuses: Option<&'static str>,
    requests: usize,
    took: BTreeMap<String, usize>,
    largest: usize,
}

impl Backend {
    fn new(most: usize) -> Self {
        Self {
            most,
            refuses: None,
            requests: 0,
            took: BTreeMap::new(),
            largest: 0,
        }
    }

    fn answer(&mut self, request: &ExportTraceServiceRequest, max_bytes: usize) -> Sent {
        let bytes = request.encoded_len();
        let spans = spans_of(request).count() as u64;
        let too_large = |it| Sent {
            too_large: Some(it),
            ..Sent::none(spans, Loss::Rejected, "too large")
        };
        if bytes > max_bytes {
            return too_large(TooLarge::Unsent);
        }
        self.requests += 1;
        let refused = spans_of(request).any(|span| Some(&*span.name) == self.refuses);
        if bytes > self.most || refused {
            return too_large(TooLarge::Refused);
        }
        self.largest = self.largest.max(bytes);
        for span in spans_of(request) {
            *self.took.entry(span.name.clone()).or_default() += 1;
        }
        Sent::all(spans)
    }

    fn send(&mut self, splitter: &Splitter, sizes: &[usize]) -> DeliveryCounts {
        let sent = splitter.send(&request(sizes), false, |part, max| self.answer(part, max));
        let mut counts = DeliveryCounts::default();
        sent.count(sizes.len() as u64, &mut counts);
        counts
    }
}

fn limits(request: usize, span: usize) -> SizeLimits {
    SizeLimits { request, span }
}

#[test]
fn every_span_has_one_outcome_for_any_sizes_and_limits() {
    for seed in 0..300 {
        let mut random = Random(seed);
        let count = 1 + random.below(40);
        let sizes: Vec<usize> = (0..count)
            .map(|_| (1 << random.below(17)) + random.below(100) as usize)
            .collect();
        let mut backend = Backend::new(SMALL_SPAN * 2 + random.below(60_000) as usize);
        let most = [usize::MAX, 700, 5_000, 40_000][random.below(4) as usize];
        let span = [usize::MAX, 600, 3_000][random.below(3) as usize];
        let splitter = Splitter::new(limits(most, span));
        for _ in 0..2 {
            backend.took.clear();
            let counts = backend.send(&splitter, &sizes);
            let about = format!("seed {seed}: {counts:?}");
            assert_eq!(counts.delivered + counts.lost(), count, "{about}");
            assert_eq!(counts.lost(), counts.lost_to(Loss::Rejected), "{about}");
            assert_eq!(counts.delivered, backend.took.len() as u64, "{about}");
            assert!(backend.took.values().all(|times| *times == 1), "{about}");
            assert!(backend.largest <= most.min(backend.most), "{about}");
            // Each span can be shortened to fit any of these limits.
            assert_eq!(counts.lost(), 0, "{about}");
            let most = most.min(span).min(backend.most);
            let larger_than = |most| sizes.iter().filter(|bytes| **bytes > most).count() as u64;
            assert!(counts.shortened >= larger_than(most), "{about}");
            assert!(counts.shortened <= larger_than(most - 200), "{about}");
        }
    }
}

#[test]
fn known_limit_is_never_exceeded() {
    let mut backend = Backend::new(usize::MAX);
    let counts = backend.send(&Splitter::new(limits(10_000, usize::MAX)), &[900; 100]);
    assert_eq!((counts.delivered, counts.retries), (100, 0));
    assert!(backend.largest <= 10_000 && backend.largest > 9_000);
    assert_eq!(backend.requests, 10);
}

#[test]
fn one_oversized_span_is_shortened_alone() {
    let mut sizes = [8_000; 600];
    sizes[77] = 5_000_000;
    let mut backend = Backend::new(3_200_000);
    let splitter = Splitter::new(SizeLimits::default());
    let counts = backend.send(&splitter, &sizes);
    assert_eq!((counts.delivered, counts.lost()), (600, 0));
    assert_eq!(counts.shortened, 1);
    assert_eq!(backend.took.len(), 600);
}

#[test]
fn span_that_is_refused_at_any_size_is_lost_alone() {
    for name in ["0", "17", "99"] {
        let mut backend = Backend::new(usize::MAX);
        backend.refuses = Some(name);
        let counts = backend.send(&Splitter::new(SizeLimits::default()), &[100; 100]);
        assert_eq!((counts.delivered, counts.lost()), (99, 1));
        assert!(!backend.took.contains_key(name));
    }
}

#[test]
fn backend_that_refuses_every_size_gets_few_requests() {
    let mut backend = Backend::new(0);
    let counts = backend.send(&Splitter::new(SizeLimits::default()), &[400; 512]);
    assert_eq!((counts.delivered, counts.lost()), (0, 512));
    assert!(backend.requests < 20, "{}", backend.requests);
}

#[test]
fn later_batches_are_split_in_advance() {
    let mut backend = Backend::new(1_000_000);
    let splitter = Splitter::new(SizeLimits::default());
    let first = backend.send(&splitter, &[10_000; 500]);
    let (requests, retries) = (backend.requests, first.retries);
    assert!(retries > 0);
    backend.took.clear();
    let second = backend.send(&splitter, &[10_000; 500]);
    assert_eq!((second.delivered, second.retries), (500, 0));
    assert!(backend.requests - requests < requests);
    // A single span is not shortened to a size that was only learned.
    backend.took.clear();
    let alone = backend.send(&splitter, &[900_000]);
    assert_eq!((alone.delivered, alone.shortened), (1, 0));
}

#[test]
fn kept_spans_are_the_originals() {
    let splitter = Splitter::new(limits(10_000, 2_000));
    let mut calls = 0;
    let sent = splitter.send(&request(&[5_000; 10]), true, |part, max| {
        calls += 1;
        match calls {
            1 => Sent {
                too_large: Some(TooLarge::Unsent),
                ..Sent::default()
            },
            2 => Sent::all(spans_of(part).count() as u64),
            _ => {
                assert!(part.encoded_len() <= max);
                Sent {
                    later: true,
                    ..Sent::none(1, Loss::Unavailable, "no")
                }
            }
        }
    });
    let rest = sent.rest.as_ref().unwrap();
    let kept: Vec<_> = spans_of(rest).map(|span| span.name.clone()).collect();
    assert_eq!(sent.settled().spans() + kept.len() as u64, 10);
    assert_eq!(kept.last().map(String::as_str), Some("9"));
    assert!(spans_of(rest).all(|span| span.encoded_len() > 5_000));
    assert_eq!(sent.shortened, sent.delivered);
}
