//! Tests of process boundaries: outgoing context, inbound selections, and detached runs.

use std::collections::HashMap;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry::trace::{Span, SpanContext, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::BaggagePropagator;
use spanmux::otel::{Inbound, Outbound, RuntimeContextExt, SpanReference, attributes};

use crate::support::{CARRIERS, Fleet, assert_whole, attribute, remote, run, wants};

type Headers = HashMap<String, String>;

/// Starts a span in each of two processes: "front" with `name` in its runtime context,
/// and "back" with "a". `on_the_way` changes the headers between them.
fn through(front: &Fleet, back: &Fleet, name: &str, on_the_way: impl Fn(&mut Headers)) {
    let mut headers = Headers::new();
    let tracer = front.provider.tracer("shop");
    tracer.in_span_with_context("front", &run(name), |cx| {
        front
            .provider
            .propagator()
            .inject_context(&cx, &mut headers);
    });
    on_the_way(&mut headers);
    let cx = back.provider.propagator().extract(&headers);
    let cx = cx.with_runtime_context(wants("a"));
    let tracer = back.provider.tracer("shop");
    tracer.in_span_with_context("back", &cx, |_| tracer.in_span("below", |_| {}));
}

fn lose(header: &'static str) -> impl Fn(&mut Headers) {
    move |headers| {
        headers.remove(header);
    }
}

#[test]
fn inbound_selection_is_followed_only_when_configured() {
    use Inbound::{FollowBaggage, FollowBoth, FollowTracestate, Select};
    let both = Outbound::TracestateAndBaggage;
    let plain = Outbound::Tracestate;
    // Inbound setting, outbound setting, lost header, expected attribute of the root
    // span.
    for (inbound, outbound, lost, said) in [
        (Select, both, "", None),
        (FollowTracestate, plain, "", Some("tracestate")),
        (FollowTracestate, both, "baggage", Some("tracestate")),
        (FollowTracestate, both, "tracestate", None),
        (FollowTracestate, both, "traceparent", None),
        (FollowBaggage, plain, "", None),
        (FollowBaggage, both, "", Some("baggage")),
        (FollowBaggage, both, "tracestate", Some("baggage")),
        (FollowBoth, both, "", Some("tracestate")),
        (FollowBoth, both, "tracestate", Some("baggage")),
        (FollowBoth, both, "traceparent", None),
    ] {
        let front = Fleet::with(|builder| builder.outbound(outbound));
        let back = Fleet::with(|builder| builder.inbound(inbound));
        through(&front, &back, "b", lose(lost));
        let row = format!("{inbound:?}, {outbound:?} without {lost:?}");
        let followed = usize::from(said.is_some());
        assert_eq!(back.asked(), 1 - followed, "{row}");
        assert_eq!(
            back.provider.inbound_counts().followed,
            followed as u64,
            "{row}"
        );
        assert_eq!(back.provider.inbound_counts().unknown, 0, "{row}");
        let spans = back.spans(if said.is_some() { "b" } else { "a" });
        assert_eq!(spans.len(), 2, "{row}");
        let [below, root] = &spans[..] else { panic!() };
        assert_eq!(
            attribute(root, attributes::INBOUND).as_deref(),
            said,
            "{row}"
        );
        assert_eq!(attribute(below, attributes::INBOUND), None);
        let selector = attribute(root, attributes::SELECTOR);
        assert_eq!(selector.is_some(), said.is_none(), "{row}");
        let front = &front.spans("b")[0].span_context;
        let one = root.span_context.trace_id() == front.trace_id();
        assert_eq!(one, lost != "traceparent", "{row}");
    }
}

#[test]
fn any_tracer_name_can_cross_the_process_boundary() {
    for (header, carrier) in [
        ("baggage", Inbound::FollowTracestate),
        ("tracestate", Inbound::FollowBaggage),
    ] {
        let names = ["a,b=c", "größe", "a:1-2", " ", "%", "50%25", "a~b", "b"];
        let long = [
            "ü".repeat(128),
            format!("{}x", "ü".repeat(127)),
            "~".repeat(256),
        ];
        for name in names.map(str::to_owned).into_iter().chain(long.clone()) {
            let fleets = [(); 2].map(|()| {
                let settings = |builder: spanmux::otel::RoutingTracerProviderBuilder| {
                    builder
                        .outbound(Outbound::TracestateAndBaggage)
                        .inbound(carrier)
                };
                let fleet = Fleet::with(settings);
                let registry = fleet.provider.registry();
                // The other long names are registered too. They share a prefix with this
                // one.
                for other in long.iter().filter(|other| **other != name) {
                    registry
                        .register(other.clone(), registry.get("a").unwrap())
                        .unwrap();
                }
                if name != "b" {
                    let tracer = registry.get("b").unwrap();
                    registry.register(name.clone(), tracer).unwrap();
                }
                fleet
            });
            let [front, back] = &fleets;
            through(front, back, &name, lose(header));
            assert_eq!(front.counts(), [0, 1, 0], "{name}");
            assert_eq!(back.counts(), [0, 2, 0], "{name} by {carrier:?}");
            assert_eq!(back.asked(), 0, "{name} by {carrier:?}");
            let said = attribute(&back.spans("b")[1], attributes::TRACER);
            assert_eq!(said.as_deref(), Some(&*name));
        }
    }
}

/// A remote parent with each form of `tracestate` that a caller may send.
#[test]
fn unknown_inbound_name_runs_the_selector_and_is_replaced() {
    for (state, unknown) in [
        ("spanmux=nosuch", 1),
        ("vendor=1,spanmux=nosuch:0000000000000001-000000000001", 1),
        ("spanmux=%FF", 1),
        ("spanmux=b~0123456789abcdef", 1),
        ("spanmux=", 0),
        ("spanmux=:1-1", 0),
        ("vendor=1", 0),
        ("", 0),
    ] {
        let fleet = Fleet::with(|builder| builder.inbound(Inbound::FollowTracestate));
        let tracer = fleet.provider.tracer("shop");
        let cx = run("c").with_remote_span_context(remote(state));
        let root = tracer.start_with_context("root", &cx);
        let shown = root.span_context().trace_state().header();
        assert!(shown.starts_with("spanmux=c:"), "{state}: {shown}");
        assert_eq!(shown.contains("vendor=1"), state.contains("vendor"));
        drop(root);
        assert_eq!(fleet.asked(), 1, "{state}");
        assert_eq!(fleet.counts(), [0, 0, 1], "{state}");
        assert_eq!(fleet.provider.inbound_counts().unknown, unknown, "{state}");
        assert_eq!(fleet.provider.inbound_counts().followed, 0, "{state}");
    }
}

#[test]
fn followed_selection_is_propagated_and_keeps_other_entries() {
    for state in [
        "spanmux=b",
        "vendor=1,spanmux=b",
        "vendor=1,spanmux=b:x,other=2",
    ] {
        let fleet = Fleet::with(|builder| builder.inbound(Inbound::FollowTracestate));
        let tracer = fleet.provider.tracer("shop");
        let cx = run("a").with_remote_span_context(remote(state));
        tracer.in_span_with_context("root", &cx, |cx| {
            let shown = cx.span().span_context().trace_state().header();
            assert!(shown.starts_with("spanmux=b:"), "{shown}");
            for other in ["vendor=1", "other=2"] {
                assert_eq!(shown.contains(other), state.contains(other), "{shown}");
            }
        });
        assert_eq!(fleet.counts(), [0, 1, 0]);
        assert_eq!(fleet.asked(), 0);
    }
}

/// `with_remote_span_context` does not make a local span context remote.
#[test]
fn local_parent_carries_no_inbound_selection() {
    let fleet = Fleet::with(|builder| builder.inbound(Inbound::FollowBoth));
    let sent = remote("spanmux=b");
    let local = SpanContext::new(
        sent.trace_id(),
        sent.span_id(),
        sent.trace_flags(),
        false,
        sent.trace_state().clone(),
    );
    let baggage = [KeyValue::new("spanmux.tracer", "b")];
    let cx = run("c").with_remote_span_context(local);
    let tracer = fleet.provider.tracer("shop");
    tracer.start_with_context("root", &cx.with_baggage(baggage.clone()));
    tracer.start_with_context("root", &run("c").with_baggage(baggage));
    assert_eq!(fleet.counts(), [0, 0, 2]);
    assert_eq!(fleet.asked(), 2);
}

#[test]
fn baggage_carries_one_selection_and_keeps_other_entries() {
    let fleet = Fleet::with(|builder| builder.outbound(Outbound::TracestateAndBaggage));
    let propagator = fleet.provider.propagator();
    let sent = |cx: &Context| {
        let mut headers = Headers::new();
        propagator.inject_context(cx, &mut headers);
        BaggagePropagator::new()
            .extract(&headers)
            .baggage()
            .to_string()
    };
    let stale = [KeyValue::new("spanmux.tracer", "c")];
    let cx = run("b").with_baggage(stale.clone());
    let cx = cx.with_span(
        fleet
            .provider
            .tracer("shop")
            .start_with_context("root", &cx),
    );
    assert_eq!(sent(&cx), "spanmux.tracer=b");
    let other = cx.with_baggage([KeyValue::new("tenant", "acme")]);
    let both = sent(&other);
    assert!(
        both.contains("tenant=acme") && both.contains("spanmux.tracer=b"),
        "{both}"
    );
    // A trace that only passes through is not changed.
    let passing = Context::new().with_remote_span_context(remote("vendor=1"));
    assert_eq!(
        sent(&passing.with_baggage(stale.clone())),
        "spanmux.tracer=c"
    );
    assert_eq!(
        propagator.fields().collect::<Vec<_>>(),
        ["traceparent", "tracestate", "baggage"]
    );
    // If the provider does not write to baggage, it removes the entry of another
    // selection.
    let fleet = Fleet::with(|builder| builder.baggage_keys(["tenant"]));
    let mut headers = Headers::new();
    let cx = run("b").with_baggage(stale);
    let cx = cx.with_span(
        fleet
            .provider
            .tracer("shop")
            .start_with_context("root", &cx),
    );
    fleet
        .provider
        .propagator()
        .inject_context(&cx, &mut headers);
    assert!(!headers.contains_key("baggage"), "{headers:?}");
}

#[test]
fn composite_propagator_carries_the_selection() {
    let front = Fleet::new();
    let back = Fleet::with(|builder| builder.inbound(Inbound::FollowTracestate));
    let composite = TextMapCompositePropagator::new(vec![
        Box::new(front.provider.propagator()),
        Box::new(BaggagePropagator::new()),
    ]);
    let cx = run("b").with_baggage([KeyValue::new("tenant", "acme")]);
    let tracer = front.provider.tracer("shop");
    let cx = cx.with_span(tracer.start_with_context("front", &cx));
    let mut headers = Headers::new();
    composite.inject_context(&cx, &mut headers);
    let cx = composite.extract(&headers);
    assert_eq!(cx.baggage().to_string(), "tenant=acme");
    back.provider.tracer("shop").start_with_context("back", &cx);
    assert_eq!(back.counts(), [0, 1, 0]);
}

/// Starts and detaches a run of "b".
fn detached(fleet: &Fleet, parent: &Context) -> SpanReference {
    let tracer = fleet.provider.tracer("shop");
    let cx = parent.with_span(tracer.start_with_context("root", parent));
    fleet.provider.detach(&cx).unwrap()
}

#[test]
fn attached_run_keeps_its_tracer() {
    for carrier in CARRIERS {
        // In this process and in another one.
        for elsewhere in [false, true] {
            let fleet = Fleet::by(carrier);
            let stored = detached(&fleet, &run("b")).to_string();
            assert!(stored.contains(" spanmux=b:"), "{stored}");
            let other = Fleet::by(carrier);
            let later = if elsewhere { &other } else { &fleet };
            let attached: SpanReference = stored.parse().unwrap();
            assert_eq!(attached.to_string(), stored);
            let cx = later
                .provider
                .attach(&attached)
                .with_runtime_context(wants("c"));
            let tracer = later.provider.tracer("shop");
            tracer.in_span_with_context("later", &cx, |cx| {
                tracer.in_span("below", |_| {});
                // Detached again where only the `tracestate` entry carries the selected
                // tracer.
                let again = later.provider.detach(&cx).unwrap();
                tracer.start_with_context("again", &later.provider.attach(&again));
            });
            let mut spans = fleet.spans("b");
            if elsewhere {
                spans.extend(other.spans("b"));
                assert_eq!(other.counts(), [0, 3, 0]);
                assert_eq!(other.asked(), 0);
            }
            assert_eq!(spans.len(), 4, "by {carrier:?}");
            assert_whole(&spans);
            assert_eq!(fleet.asked(), 1);
        }
    }
}

#[test]
fn detached_run_keeps_sampling_and_other_entries() {
    let fleet = Fleet::new();
    let served = run("b").with_remote_span_context(remote("vendor=1"));
    let stored = detached(&fleet, &served).to_string();
    assert!(
        stored.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
        "{stored}"
    );
    assert!(stored.ends_with(",vendor=1"), "{stored}");
    // If the detached span was not sampled, neither is the attached run.
    let unsampled = stored.replacen("-01 ", "-00 ", 1).parse().unwrap();
    let cx = fleet.provider.attach(&unsampled);
    let late = fleet
        .provider
        .tracer("shop")
        .start_with_context("late", &cx);
    assert!(!late.is_recording());
    assert_eq!(fleet.counts(), [0, 1, 0]);
}

#[test]
fn attached_run_is_a_counted_no_op_when_its_tracer_is_missing() {
    let stored = detached(&Fleet::new(), &run("b"));
    let fleet = Fleet::new();
    fleet.provider.registry().unregister("b");
    let tracer = fleet.provider.tracer("shop");
    let cx = fleet.provider.attach(&stored);
    tracer.in_span_with_context("later", &cx, |cx| {
        assert!(!cx.span().is_recording());
        assert!(cx.span().span_context().is_valid());
        tracer.in_span("below", |_| {});
        // It can be detached again for a process that has the tracer.
        let again = fleet.provider.detach(&cx).unwrap();
        let other = Fleet::new();
        let cx = other.provider.attach(&again);
        other
            .provider
            .tracer("shop")
            .start_with_context("there", &cx);
        assert_eq!(other.counts(), [0, 1, 0]);
    });
    assert_eq!(fleet.counts(), [0, 0, 0]);
    assert_eq!(fleet.asked(), 0);
    assert_eq!(fleet.provider.dropped().tracer_gone, 2);
}

#[test]
fn foreign_spans_cannot_be_detached() {
    let fleet = Fleet::new();
    let other = Fleet::new().root("b");
    for context in [SpanContext::NONE, remote("spanmux=b"), other] {
        let cx = Context::new().with_remote_span_context(context);
        assert_eq!(fleet.provider.detach(&cx), None);
    }
}
