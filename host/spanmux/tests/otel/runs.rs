//! Tests of the runtime context in a service: propagated, filled from baggage, and copied
//! onto spans.

use std::thread;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{
    FutureExt as _, Span, SpanBuilder, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Array, Context, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use spanmux::otel::{
    ExternalTrace, ExternalTraceExt, RoutingTracerProviderBuilder as Builder, RuntimeContextExt,
};
use spanmux::{ContextLimits, RuntimeContext, RuntimeContextBuilder};

use crate::support::{CARRIERS, Fleet, attribute, remote, run, wants};

/// Starts a root span and a child under a context, and returns their values of these
/// keys.
fn said(fleet: &Fleet, cx: &Context, keys: &[&str]) -> [Vec<Option<String>>; 2] {
    let tracer = fleet.provider.tracer("shop");
    tracer.in_span_with_context("root", cx, |_| tracer.in_span("child", |_| {}));
    let spans: Vec<SpanData> = ["a", "b", "c"]
        .into_iter()
        .flat_map(|name| fleet.spans(name))
        .collect();
    ["root", "child"].map(|name| {
        let span = spans.iter().find(|span| span.name == name).unwrap();
        keys.iter().map(|key| attribute(span, key)).collect()
    })
}

/// The runtime context is part of the OpenTelemetry context, so the usual propagation
/// idioms of OpenTelemetry apply.
#[test]
fn runtime_context_is_propagated_with_the_context() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let cx = run("b");
    // A thread receives the context and attaches it.
    let (there, sent) = (tracer.clone(), cx.clone());
    thread::spawn(move || {
        let _run = sent.attach();
        there.start("thread").end();
    })
    .join()
    .unwrap();
    // The context is attached whenever the wrapped task is polled.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let work = async move {
        tokio::task::yield_now().await;
        tracer.start("task").end();
        // A task spawned by it is a separate task and must be wrapped as well.
        let below = async move { tracer.start("below").end() };
        tokio::spawn(below.with_current_context()).await.unwrap();
    };
    runtime
        .block_on(runtime.spawn(work.with_context(cx)))
        .unwrap();
    assert_eq!(fleet.counts(), [0, 3, 0]);
    assert_eq!(fleet.asked(), 3);
}

#[test]
fn baggage_fills_only_the_configured_keys() {
    let baggage = [
        KeyValue::new("tracer", "b"),
        KeyValue::new("tenant", "acme"),
    ];
    let empty = Context::new();
    let nested = RuntimeContext::from_json(r#"{"user": {"tier": "gold"}}"#).unwrap();
    let user = [
        KeyValue::new("user.tier", "free"),
        KeyValue::new("user.id", "7"),
    ];
    for (keys, cx, tracer) in [
        (&["tracer"][..], empty.with_baggage(baggage.clone()), "b"),
        (&[], empty.with_baggage(baggage.clone()), "a"),
        (&["tenant"], empty.with_baggage(baggage.clone()), "a"),
        // The application's own value takes precedence.
        (&["tracer"], run("c").with_baggage(baggage.clone()), "c"),
        (&["tracer"], empty.clone(), "a"),
    ] {
        let fleet = Fleet::with(|builder| builder.baggage_keys(keys.iter().copied()));
        let shop = fleet.provider.tracer("shop");
        shop.start_with_context("root", &cx).end();
        // A remote parent makes no difference.
        let served = cx.with_remote_span_context(remote(""));
        shop.start_with_context("served", &served).end();
        assert_eq!(fleet.spans(tracer).len(), 2, "{keys:?}");
    }
    // A nested key counts as present.
    let keys = ["user.tier", "user.id"];
    let settings = |builder: Builder| builder.baggage_keys(keys).copy_to_spans(keys);
    let cx = empty.with_baggage(user).with_runtime_context(nested);
    let expected = [Some("gold".to_owned()), Some("7".to_owned())];
    for said in said(&Fleet::with(settings), &cx, &keys) {
        assert_eq!(said, expected);
    }
}

#[test]
fn baggage_that_exceeds_the_limits_is_ignored() {
    let limits = ContextLimits::default().keys(1);
    let builder = RuntimeContextBuilder::new(limits).set("tracer", "b");
    let full = builder.build();
    let fleet = Fleet::with(|builder| builder.baggage_keys(["tenant"]).copy_to_spans(["tenant"]));
    let baggage = [KeyValue::new("tenant", "acme")];
    let cx = Context::new()
        .with_runtime_context(full)
        .with_baggage(baggage);
    let nothing = [[None], [None]].map(Vec::from);
    assert_eq!(said(&fleet, &cx, &["tenant"]), nothing);
    assert_eq!(fleet.counts(), [0, 2, 0]);
}

#[test]
fn copied_keys_have_the_values_that_a_selector_would_see() {
    let text = r#"{
        "tracer": "b", "tenant": "acme", "user": {"tier": "gold", "id": 7, "beta": true},
        "ratio": 0.5, "tags": ["x", "y"], "nothing": null
    }"#;
    let cx = Context::new().with_runtime_context(RuntimeContext::from_json(text).unwrap());
    let keys = [
        "tenant",
        "user.tier",
        "user.id",
        "user.beta",
        "ratio",
        "tags",
        "user",
        "nothing",
        "absent",
        "span.name",
    ];
    let copied = [
        Some("acme"),
        Some("gold"),
        Some("7"),
        Some("true"),
        Some("0.5"),
        Some(r#"["x","y"]"#),
        Some(r#"{"beta":true,"id":7,"tier":"gold"}"#),
        None,
        None,
        None,
    ];
    let copied: Vec<_> = copied.map(|text| text.map(str::to_owned)).into();
    let nothing = vec![None; keys.len()];
    type Settings = fn(Builder, [&'static str; 10]) -> Builder;
    let rows: [(Settings, [&Vec<Option<String>>; 2]); 4] = [
        (
            |builder, keys| builder.copy_to_spans(keys),
            [&copied, &copied],
        ),
        (
            |builder, keys| builder.copy_to_root_spans(keys),
            [&copied, &nothing],
        ),
        (
            |builder, keys| builder.copy_to_root_spans(keys).copy_to_spans(keys),
            [&copied, &copied],
        ),
        (|builder, _| builder, [&nothing, &nothing]),
    ];
    for (settings, expected) in rows {
        let fleet = Fleet::with(|builder| settings(builder, keys));
        let [root, child] = said(&fleet, &cx, &keys);
        assert_eq!([&root, &child], expected);
        let spans = fleet.spans("b");
        assert_eq!(spans.len(), 2);
        for span in spans {
            let mut seen = std::collections::HashSet::new();
            assert!(
                span.attributes.iter().all(|kv| seen.insert(kv.key.clone())),
                "no duplicate keys"
            );
        }
    }
}

#[test]
fn start_attribute_of_a_span_takes_precedence_and_keeps_its_type() {
    let settings = |builder: Builder| builder.copy_to_spans(["user.id", "tenant", "tags"]);
    let fleet = Fleet::with(settings);
    let run = RuntimeContext::builder()
        .set("user.id", 7)
        .set("tenant", "acme");
    let cx = Context::new().with_runtime_context(run.build());
    let tags = Value::Array(Array::I64(vec![1]));
    let own = [
        KeyValue::new("tenant", "own"),
        KeyValue::new("tags", tags.clone()),
    ];
    let builder = SpanBuilder::from_name("root").with_attributes(own);
    fleet
        .provider
        .tracer("shop")
        .build_with_context(builder, &cx)
        .end();
    let spans = fleet.spans("a");
    let of = |key: &str| -> Vec<&Value> {
        let all = spans[0].attributes.iter();
        all.filter(|kv| kv.key.as_str() == key)
            .map(|kv| &kv.value)
            .collect()
    };
    assert_eq!(of("user.id"), [&Value::I64(7)]);
    assert_eq!(of("tenant"), [&Value::from("own")]);
    assert_eq!(of("tags"), [&tags]);
}

#[test]
fn child_copies_from_the_context_attached_where_it_starts() {
    for carrier in CARRIERS {
        let fleet = Fleet::built(carrier, |builder| builder.copy_to_spans(["tracer"]));
        let tracer = fleet.provider.tracer("shop");
        let root = run("b").with_span(tracer.start_with_context("root", &run("b")));
        tracer.start_with_context("same", &root).end();
        let other = root.with_runtime_context(wants("c"));
        tracer.start_with_context("other", &other).end();
        let kept = Context::new().with_remote_span_context(root.span().span_context().clone());
        tracer.start_with_context("nothing", &kept).end();
        let said = fleet
            .spans("b")
            .into_iter()
            .map(|span| attribute(&span, "tracer"));
        let expected = [Some("b"), Some("c"), None].map(|text| text.map(str::to_owned));
        assert_eq!(said.collect::<Vec<_>>(), expected, "{carrier:?}");
        assert_eq!(fleet.asked(), 1);
    }
}

#[test]
fn keys_are_copied_onto_roots_in_external_traces() {
    let trace = ExternalTrace::new("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
    let below = trace.clone().parent("00f067aa0ba902b7").unwrap();
    let fleet = Fleet::with(|builder| builder.copy_to_root_spans(["tracer"]));
    let tracer = fleet.provider.tracer("shop");
    // The first root span selects, the second one follows it.
    for external in [trace, below] {
        let cx = run("b").with_external_trace(&external);
        tracer.start_with_context("root", &cx).end();
    }
    let said = fleet
        .spans("b")
        .into_iter()
        .map(|span| attribute(&span, "tracer"));
    assert_eq!(said.collect::<Vec<_>>(), [(); 2].map(|()| Some("b".into())));
    assert_eq!(fleet.asked(), 1);
}
