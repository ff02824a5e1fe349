//! Several destinations of one tracer, each with its own content, redaction, filter and sampling, on
//! real receivers.

use std::collections::BTreeMap;

use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue, TraceId};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, ShouldSample as _};
use spanmux::delivery::DeliveryCounts;
use spanmux::exporters::{Exporter, OtlpExporter};
use spanmux::otel::{OtelTracer, Sampling, TracerConfig};
use spanmux::redaction::{Redaction, SpanFilter};

use crate::collector::Collector;

const TRACES: usize = 300;

/// Ends traces of three spans: a root, a model call with a prompt, and a poll.
fn end_traces(tracer: &OtelTracer) {
    let sdk = tracer.provider().tracer("library");
    for _ in 0..TRACES {
        let root = Context::new().with_span(sdk.start_with_context("chat", &Context::new()));
        let attributes = [
            KeyValue::new("gen_ai.request.model", "small"),
            KeyValue::new("gen_ai.input.messages", "the prompt"),
            KeyValue::new("llm.input_messages.0.message.content", "the prompt"),
            KeyValue::new("card", "4111 1111"),
        ];
        let call = sdk.span_builder("call").with_attributes(attributes);
        let mut call = sdk.build_with_context(call, &root);
        call.add_event(
            "gen_ai.user.message",
            vec![KeyValue::new("content", "the prompt")],
        );
        drop(call);
        drop(sdk.start_with_context("poll", &root));
        root.span().end();
    }
}

/// Returns the received spans by trace.
fn traces(collector: &Collector) -> BTreeMap<Vec<u8>, Vec<Span>> {
    let mut traces: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for request in collector.received() {
        let scopes = request
            .message()
            .resource_spans
            .into_iter()
            .flat_map(|it| it.scope_spans);
        for span in scopes.flat_map(|scope| scope.spans) {
            traces.entry(span.trace_id.clone()).or_default().push(span);
        }
    }
    traces
}

fn counts(tracer: &OtelTracer) -> BTreeMap<String, DeliveryCounts> {
    tracer.delivery().into_iter().collect()
}

fn has(traces: &BTreeMap<Vec<u8>, Vec<Span>>, text: &str) -> bool {
    traces
        .values()
        .flatten()
        .any(|span| format!("{span:?}").contains(text))
}

fn is_sampled(trace: &[u8], share: f64) -> bool {
    let trace = TraceId::from_bytes(trace.try_into().unwrap());
    let kind = opentelemetry::trace::SpanKind::Internal;
    let result = Sampler::TraceIdRatioBased(share).should_sample(None, trace, "", &kind, &[], &[]);
    result.decision == SamplingDecision::RecordAndSample
}

/// Two receivers of one tracer: the customer's has everything, ours a third of the traces without
/// content, polls and cards.
fn check(acme: &Collector, ours: &Collector, tracer: &OtelTracer) {
    end_traces(tracer);
    tracer.force_flush().unwrap();
    tracer.shutdown().unwrap();
    let (all, third) = (traces(acme), traces(ours));
    let spans = 3 * TRACES as u64;

    assert_eq!(all.len(), TRACES);
    assert!(all.values().all(|spans| spans.len() == 3));
    assert!(has(&all, "the prompt") && has(&all, "4111 1111"));

    // Whole traces, chosen by the trace id as a tracer would.
    let expected: Vec<_> = all.keys().filter(|trace| is_sampled(trace, 0.3)).collect();
    assert_eq!(third.keys().collect::<Vec<_>>(), expected);
    assert!((40..=160).contains(&third.len()), "{}", third.len());
    for spans in third.values() {
        let mut names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["call", "chat"]);
    }
    assert!(!has(&third, "the prompt") && !has(&third, "4111 1111"));
    assert!(has(&third, "small"), "facts stay");

    let counts = counts(tracer);
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["acme", "ours"]);
    let acme = &counts["acme"];
    assert_eq!(
        (acme.ended, acme.delivered, acme.sampled_out),
        (spans, spans, 0)
    );
    let ours = &counts["ours"];
    let kept = third.len() as u64;
    assert_eq!(ours.ended + ours.sampled_out, spans);
    assert_eq!(
        (ours.ended, ours.delivered, ours.filtered),
        (3 * kept, 2 * kept, kept)
    );
    assert_eq!((ours.lost(), ours.waiting), (0, 0));
    // Two attributes, one of an event, and the card.
    assert_eq!(ours.redacted, 4 * kept);
}

fn otlp(collector: &Collector) -> Exporter {
    Exporter::otlp(OtlpExporter::http(collector.origin()))
}

#[test]
fn each_destination_has_its_own_settings_and_exact_counts() {
    let (acme, ours) = (Collector::start(), Collector::start());
    let tracer = TracerConfig::new()
        .service_name("shop")
        .redaction(Redaction::none())
        .exporter(otlp(&acme).named("acme"))
        .exporter(
            otlp(&ours)
                .named("ours")
                .content(false)
                .sampling(0.3)
                .redaction(Redaction::none().keys(["card"]))
                .filter(SpanFilter::new().drop_names(["poll"])),
        )
        .build()
        .unwrap();
    check(&acme, &ours, &tracer);
}

#[cfg(feature = "config")]
#[test]
fn file_with_named_exporters_gives_two_tracers_the_same_destinations() {
    let (acme, ours) = (Collector::start(), Collector::start());
    let text = format!(
        "service = 'shop'
        [exporters.acme]
        type = 'otlp'
        endpoint = '{}'
        [exporters.ours]
        type = 'otlp'
        endpoint = '{}'
        [tracers.acme]
        redaction.defaults = false
        exporters = ['acme', {{ use = 'ours', content = false, sampling = 0.3, filter = {{ drop_names = ['poll'] }}, redaction = {{ defaults = false, keys = ['card'] }} }}]
        [tracers.other]
        exporter = 'ours'",
        acme.origin(),
        ours.origin()
    );
    let config = spanmux::config::Config::from_toml(&text).unwrap();
    assert_eq!(config.warnings(), []);
    let provider = config.builder().build().unwrap();
    let tracer = provider.registry().get("acme").unwrap();
    check(&acme, &ours, &tracer);

    let before = traces(&ours).len();
    let other = provider.registry().get("other").unwrap();
    end_traces(&other);
    other.force_flush().unwrap();
    let all = traces(&ours);
    assert_eq!(all.len(), before + TRACES);
    assert!(has(&all, "the prompt"), "the settings belong to the use");
    let counts = counts(&other);
    assert_eq!(counts["ours"].delivered, 3 * TRACES as u64);
}

#[test]
fn share_of_an_exporter_is_a_share_of_all_traces() {
    let ours = Collector::start();
    let tracer = TracerConfig::new()
        .service_name("shop")
        .sampling(Sampling::ratio(0.5).unwrap())
        .exporter(otlp(&ours).named("ours").sampling(0.2))
        .build()
        .unwrap();
    end_traces(&tracer);
    tracer.shutdown().unwrap();
    let traces = traces(&ours);
    assert!(traces.keys().all(|trace| is_sampled(trace, 0.2)));
    // A fifth, and not a fifth of the half.
    assert!((30..=100).contains(&traces.len()), "{}", traces.len());
}

#[test]
fn extreme_shares_send_nothing_and_everything() {
    for (share, expected) in [(0.0, 0), (1.0, TRACES)] {
        let ours = Collector::start();
        let tracer = TracerConfig::new()
            .service_name("shop")
            .exporter(otlp(&ours).sampling(share))
            .build()
            .unwrap();
        end_traces(&tracer);
        tracer.shutdown().unwrap();
        assert_eq!(traces(&ours).len(), expected);
    }
}

#[test]
fn share_that_is_not_between_0_and_1_is_an_error() {
    for share in [1.5, -0.1, f64::NAN] {
        let exporter = Exporter::discard().named("ours").sampling(share);
        let error = TracerConfig::new().exporter(exporter).build().unwrap_err();
        let message = error.to_string();
        let start = format!("invalid sampling {share} of exporter \"ours\"");
        assert!(message.starts_with(&start), "{message}");
    }
}
