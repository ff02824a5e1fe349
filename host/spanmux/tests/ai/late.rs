//! Scores, feedback and links reach the tracer of their trace, and no other.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use spanmux::genai::{AiOptions, Dialect, LateSignals, Score};
use spanmux::otel::{NoSuchTrace, OtelTracer, SpanReference};

use crate::support::{CARRIERS, Fleet, run, shown};

/// Returns the stored reference of a finished run in the tracer "other".
fn kept(fleet: &Fleet) -> String {
    let agent = fleet.ai().agent_run("a").under(&run("other")).start();
    fleet.provider.reference(&agent.span_context()).to_string()
}

fn signals(fleet: &Fleet) -> LateSignals {
    LateSignals::new(&fleet.provider, AiOptions::new().dialect(Dialect::Both))
}

#[test]
fn score_is_an_event_on_a_child_of_the_scored_span() {
    for carrier in CARRIERS {
        let fleet = Fleet::new(carrier);
        let reference: SpanReference = kept(&fleet).parse().unwrap();
        let score = Score::new("relevance")
            .value(0.5)
            .label("pass")
            .explanation("it fits")
            .by_model();
        signals(&fleet).score(&reference, score).unwrap();
        assert_eq!((fleet.counts(), fleet.asked()), (vec![0, 2], 1));
        let spans = fleet.spans("other");
        assert_eq!(spans[1].name, "evaluate relevance");
        assert_eq!(spans[1].parent_span_id, spans[0].span_context.span_id());
        assert_eq!(
            spans[1].span_context.trace_id(),
            spans[0].span_context.trace_id()
        );
        assert_eq!(
            shown(&spans[1].attributes),
            [
                "evaluations.0.evaluation.annotator_kind=LLM",
                "evaluations.0.evaluation.explanation=it fits",
                "evaluations.0.evaluation.label=pass",
                "evaluations.0.evaluation.name=relevance",
                "evaluations.0.evaluation.score=0.5",
                "openinference.span.kind=EVALUATOR",
            ]
        );
        let event = spans[1].events.iter().next().unwrap();
        assert_eq!(event.name, "gen_ai.evaluation.result");
        assert_eq!(
            shown(&event.attributes),
            [
                "gen_ai.evaluation.explanation=it fits",
                "gen_ai.evaluation.name=relevance",
                "gen_ai.evaluation.score.label=pass",
                "gen_ai.evaluation.score.value=0.5",
            ]
        );
    }
}

#[test]
fn link_is_recorded_below_its_source_span() {
    let fleet = Fleet::new(true);
    let from: SpanReference = kept(&fleet).parse().unwrap();
    let elsewhere = fleet.ai().agent_run("b").under(&run("default")).start();
    let to = fleet.provider.reference(&elsewhere.span_context());
    let why = vec![KeyValue::new("why", "retried")];
    signals(&fleet).link(&from, &to, why).unwrap();
    let spans = fleet.spans("other");
    let link = spans[1].links.iter().next().unwrap();
    assert_eq!(
        link.span_context.span_id(),
        elsewhere.span_context().span_id()
    );
    assert_eq!(shown(&link.attributes), ["why=retried"]);
}

#[test]
fn other_process_finds_the_tracer_by_name() {
    for carrier in CARRIERS {
        let (here, there) = (Fleet::new(carrier), Fleet::new(carrier));
        let reference: SpanReference = kept(&here).parse().unwrap();
        signals(&there)
            .score(&reference, Score::new("helpful").by_human())
            .unwrap();
        assert_eq!((there.counts(), there.asked()), (vec![0, 1], 0));
        let spans = there.spans("other");
        let scored = reference.span_context();
        assert_eq!(spans[0].parent_span_id, scored.span_id());
        assert_eq!(spans[0].span_context.trace_id(), scored.trace_id());
    }
}

#[test]
fn signal_is_lost_and_counted_when_its_tracer_is_unregistered() {
    for carrier in CARRIERS {
        let fleet = Fleet::new(carrier);
        let reference: SpanReference = kept(&fleet).parse().unwrap();
        let trace = reference.span_context().trace_id();
        fleet.provider.registry().unregister("other");
        // A new tracer under the same name is not the tracer of the trace.
        let another = OtelTracer::from_builder(SdkTracerProvider::builder());
        let another = Arc::new(another);
        let registry = fleet.provider.registry();
        registry.register("other", another).unwrap();
        let lost = signals(&fleet).score(&reference, Score::new("late"));
        assert_eq!(lost, Err(NoSuchTrace::TracerGone { trace }));

        // A reference without a tracestate entry and from no known provider.
        let bare = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let bare: SpanReference = bare.parse().unwrap();
        let lost = signals(&fleet).score(&bare, Score::new("late"));
        let trace = bare.span_context().trace_id();
        assert_eq!(lost, Err(NoSuchTrace::Unknown { trace }));
        assert_eq!(lost.unwrap_err().to_string().matches("4bf92f35").count(), 1);

        // A reference from another process, to a tracer that does not exist here.
        let there = Fleet::new(carrier);
        there.provider.registry().unregister("other");
        assert!(
            signals(&there)
                .score(&reference, Score::new("late"))
                .is_err()
        );
        assert_eq!(fleet.spans("default").len(), 0);
        assert_eq!(there.counts(), [0, 0]);
        assert_eq!(fleet.provider.dropped().late_signals, 2);
        assert_eq!(there.provider.dropped().late_signals, 1);
        assert_eq!((fleet.asked(), there.asked()), (1, 0));
    }
}

#[test]
fn signal_is_lost_and_counted_after_shutdown() {
    let fleet = Fleet::new(true);
    let reference: SpanReference = kept(&fleet).parse().unwrap();
    let _report = fleet.provider.shutdown();
    let signal = signals(&fleet).score(&reference, Score::new("late"));
    assert!(signal.is_err());
    assert_eq!(fleet.provider.dropped().total(), 1);
}

#[test]
fn unsampled_trace_stays_unsampled() {
    let fleet = Fleet::new(true);
    let mut text = kept(&fleet);
    let flags = text.find("-01 ").unwrap();
    text.replace_range(flags..flags + 3, "-00");
    signals(&fleet)
        .score(&text.parse().unwrap(), Score::new("late"))
        .unwrap();
    assert_eq!(fleet.counts(), [0, 1]);
}

#[test]
fn invalid_reference_is_refused() {
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let zeros = "0".repeat(32);
    for text in [
        String::new(),
        "x".repeat(1000),
        format!("01-{trace}-{span}-01"),
        format!("00-{trace}-{span}"),
        format!("00-{trace}-{span}-01-"),
        format!("00-{trace}-{span}-0x"),
        format!("00-{trace}-{span}-+1"),
        format!("00-{zeros}-{span}-01"),
        format!("00-{trace}-0000000000000000-01"),
        format!("00-{trace}-{span}-01 spanmux"),
        format!("00-{}-{span}-01", "ä".repeat(16)),
    ] {
        let error = text.parse::<SpanReference>().unwrap_err().to_string();
        assert!(error.starts_with("invalid span reference"), "{error}");
        assert!(error.len() < 250, "{error}");
    }
    let plain = format!("00-{trace}-{span}-01");
    let read: SpanReference = plain.parse().unwrap();
    assert_eq!(read.to_string(), plain);
    assert_ne!(read.span_context(), &SpanContext::NONE);
}

#[test]
fn below_returns_a_context_for_ordinary_spans() {
    let fleet = Fleet::new(true);
    let reference: SpanReference = kept(&fleet).parse().unwrap();
    let context = fleet.provider.below(&reference).unwrap();
    let tracer = fleet.provider.tracer("shop");
    let late = opentelemetry::trace::Tracer::start_with_context(&tracer, "late", &context);
    let context = context.with_span(late);
    context.span().end();
    assert_eq!((fleet.counts(), fleet.asked()), (vec![0, 2], 1));
}

#[test]
fn score_uses_the_selected_dialect() {
    for (dialect, events, attributes) in [
        (Dialect::GenAi, 1, 0),
        (Dialect::OpenInference, 0, 2),
        (Dialect::Both, 1, 2),
    ] {
        let fleet = Fleet::new(true);
        let reference: SpanReference = kept(&fleet).parse().unwrap();
        LateSignals::new(&fleet.provider, AiOptions::new().dialect(dialect))
            .score(&reference, Score::new("relevance"))
            .unwrap();
        let spans = fleet.spans("other");
        assert_eq!(spans[1].events.len(), events, "{dialect:?}");
        assert_eq!(spans[1].attributes.len(), attributes, "{dialect:?}");
    }
}
