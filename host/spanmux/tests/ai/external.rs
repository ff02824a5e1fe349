//! Roots in traces that another system began.

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, Tracer as _, TracerProvider as _};
use spanmux::genai::AiOptions;
use spanmux::otel::{ExternalTrace, ExternalTraceExt};

use crate::support::{CARRIERS, Fleet, NAMES, ai, run, spans, value};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn trace() -> ExternalTrace {
    ExternalTrace::new(TRACE).unwrap()
}

#[test]
fn invalid_id_is_refused_with_the_value_and_the_rule() {
    let zeros = "0".repeat(32);
    let letters = "g".repeat(32);
    let umlauts = "ä".repeat(32);
    let half = &umlauts[..32];
    for (id, rule) in [
        ("", "32 hexadecimal digits, found 0"),
        ("4bf9", "32 hexadecimal digits, found 4"),
        (half, "32 hexadecimal digits, found 16"),
        (&umlauts, "expected only hexadecimal digits"),
        (&letters, "expected only hexadecimal digits"),
        (
            "+bf92f3577b34da6a3ce929d0e0e4736",
            "only hexadecimal digits",
        ),
        (&zeros, "at least one digit must not be zero"),
    ] {
        let error = ExternalTrace::new(id).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("invalid trace id \"{id}\"")),
            "{error}"
        );
        assert!(error.contains(rule), "{error}");
        let error = trace().parent(&id[..id.len() / 2]);
        assert!(
            error
                .unwrap_err()
                .to_string()
                .starts_with("invalid span id")
        );
    }
    let long = ExternalTrace::new(&"x".repeat(10_000)).unwrap_err();
    assert!(long.to_string().len() < 200);
    assert_eq!(ExternalTrace::new(&TRACE.to_uppercase()), Ok(trace()));
}

#[test]
fn roots_of_one_external_trace_share_one_tracer() {
    for carrier in CARRIERS {
        for parent in [None, Some(SPAN)] {
            let fleet = Fleet::new(carrier);
            let external = match parent {
                Some(span) => trace().parent(span).unwrap(),
                None => trace(),
            };
            let first = fleet.ai().agent_run("a").under(&run("other"));
            let first = first.in_trace(&external).start();
            first.tool_call("t").start().end();
            first.end();
            // The second root asks for another tracer, but must follow the first root.
            let second = fleet.ai().agent_run("b").under(&run("default"));
            let second = second.in_trace(&external).start();
            second.tool_call("t").start().end();
            second.end();
            assert_eq!((fleet.counts(), fleet.asked()), (vec![0, 4], 1));
            let spans = fleet.spans("other");
            for span in &spans {
                assert_eq!(span.span_context.trace_id().to_string(), TRACE);
            }
            let roots = [&spans[1], &spans[3]];
            let parents = roots.map(|root| root.parent_span_id);
            match parent {
                Some(span) => assert_eq!(parents.map(|id| id.to_string()), [span, span]),
                None if carrier => assert_eq!(parents, [SpanId::INVALID; 2]),
                None => assert_eq!(parents[0], parents[1]),
            }
            let why = roots.map(|root| value(root, "spanmux.selector"));
            assert_eq!(why, [Some("by-key".to_owned()), None]);
            let tracer = roots.map(|root| value(root, "spanmux.tracer").unwrap());
            assert_eq!(tracer, ["other", "other"]);
        }
    }
}

#[test]
fn each_request_is_selected_when_the_trace_is_not_declared_external() {
    let fleet = Fleet::new(true);
    let ordinary = fleet.provider.tracer("shop");
    for tracer in ["other", "default"] {
        let context = run(tracer).with_external_trace(&trace().parent(SPAN).unwrap());
        // The same ids in a remote span context, as from a request.
        let parent = opentelemetry::trace::TraceContextExt::span(&context)
            .span_context()
            .clone();
        let remote =
            opentelemetry::trace::TraceContextExt::with_remote_span_context(&run(tracer), parent);
        ordinary.in_span_with_context("request", &remote, |_context| {});
    }
    assert_eq!((fleet.counts(), fleet.asked()), (vec![1, 1], 2));
    assert_eq!(fleet.provider.external_traces().remembered, 0);
}

#[test]
fn oldest_external_traces_are_forgotten_at_the_limit() {
    let fleet = Fleet::new(true);
    let ai = fleet.ai();
    let root = |number: u32, tracer: &str| {
        let external = ExternalTrace::new(&format!("{:032x}", number + 1)).unwrap();
        let builder = ai.generic("root").under(&run(tracer));
        builder.in_trace(&external).start().end();
    };
    (0..5000).for_each(|number| root(number, "other"));
    let counts = fleet.provider.external_traces();
    assert_eq!((counts.remembered, counts.forgotten), (4096, 904));
    root(904, "default");
    assert_eq!((fleet.counts(), fleet.asked()), (vec![0, 5001], 5000));
    root(903, "default");
    assert_eq!((fleet.counts(), fleet.asked()), (vec![1, 5001], 5001));
}

#[test]
fn trace_is_selected_again_when_its_tracer_is_unregistered() {
    let fleet = Fleet::new(true);
    let root = |tracer: &str| {
        let builder = fleet.ai().generic("root").under(&run(tracer));
        builder.in_trace(&trace()).start().end();
    };
    root("other");
    fleet.provider.registry().unregister("other");
    root("default");
    root("default");
    assert_eq!((fleet.spans("default").len(), fleet.asked()), (2, 2));
    assert_eq!(fleet.provider.external_traces().remembered, 1);
}

#[test]
fn plain_sdk_tracer_joins_the_external_trace() {
    let (ai, exporter) = ai(AiOptions::new());
    for external in [trace(), trace().parent(SPAN).unwrap()] {
        let builder = ai.agent_run("a").under(&Context::new());
        builder.in_trace(&external).start().end();
    }
    for span in spans(&exporter) {
        assert_eq!(span.span_context.trace_id().to_string(), TRACE);
    }
}

#[test]
fn concurrent_roots_agree_on_a_tracer() {
    for carrier in CARRIERS {
        let fleet = Fleet::new(carrier);
        let ai = fleet.ai();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let ai = &ai;
                scope.spawn(move || {
                    let wanted = run(NAMES[number % 2]);
                    let root = ai.generic("root").under(&wanted);
                    root.in_trace(&trace()).start().end();
                });
            }
        });
        let mut counts = fleet.counts();
        counts.sort_unstable();
        assert_eq!(counts, [0, 8]);
    }
}
