//! Tests of the context that a selector sees, and of the cases in which it does not run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry::trace::{Span, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Array, Context, KeyValue, Value};
use parking_lot::Mutex;
use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt};
use spanmux::{Cause, Chain, Choice, RuntimeContext, selector_fn};

use crate::support::{CARRIERS, Fleet, remote, run, tracer, wants};

/// Returns the answer that a selector gets for this key when a span is built like this.
fn seen(
    builder: opentelemetry::trace::SpanBuilder,
    run: RuntimeContext,
    key: &'static str,
) -> String {
    let answer = Arc::new(Mutex::new(String::new()));
    let to = answer.clone();
    let selector = selector_fn("looks", move |context, _| {
        *to.lock() = format!("{:?}", context.get(key));
        Choice::Abstain
    });
    let provider = RoutingTracerProvider::builder()
        .tracer("only", tracer().0)
        .selectors(Chain::from(selector))
        .build()
        .unwrap();
    let cx = Context::new().with_runtime_context(run);
    provider
        .tracer("shop")
        .build_with_context(builder, &cx)
        .end();
    answer.lock().clone()
}

#[test]
fn selector_sees_the_root_span() {
    let f64s = |floats: &[f64]| Value::Array(Array::F64(floats.to_vec()));
    let strings = Value::Array(Array::String(vec!["a".into(), "b\"".into()]));
    for (key, value, expected) in [
        ("span.v", Value::Bool(true), "Some(Boolean(true))"),
        ("span.v", Value::I64(-7), "Some(Integer(-7))"),
        (
            "span.v",
            Value::I64(i64::MAX),
            r#"Some(Json("9223372036854775807"))"#,
        ),
        ("span.v", Value::F64(1.0), "Some(Float(1.0))"),
        ("span.v", Value::F64(f64::NAN), r#"Some(Text("NaN"))"#),
        (
            "span.v",
            Value::F64(f64::INFINITY),
            r#"Some(Text("Infinity"))"#,
        ),
        (
            "span.v",
            Value::F64(f64::NEG_INFINITY),
            r#"Some(Text("-Infinity"))"#,
        ),
        ("span.v", Value::String("x".into()), r#"Some(Text("x"))"#),
        ("span.v", strings, r#"Some(Json("[\"a\",\"b\\\"\"]"))"#),
        (
            "span.v",
            Value::Array(Array::Bool(vec![true])),
            r#"Some(Json("[true]"))"#,
        ),
        (
            "span.v",
            Value::Array(Array::I64(vec![1, 2])),
            r#"Some(Json("[1,2]"))"#,
        ),
        (
            "span.v",
            f64s(&[0.5, f64::NAN]),
            r#"Some(Json("[0.5,\"NaN\"]"))"#,
        ),
        ("span.name", true.into(), r#"Some(Text("root"))"#),
        ("span.kind", true.into(), r#"Some(Text("server"))"#),
        ("span.other", true.into(), "None"),
        ("v", true.into(), "None"),
    ] {
        let builder = opentelemetry::trace::SpanBuilder::from_name("root")
            .with_kind(SpanKind::Server)
            .with_attributes([KeyValue::new("v", value)]);
        assert_eq!(seen(builder, RuntimeContext::empty(), key), expected);
    }
    let kinds = [
        (SpanKind::Client, "client"),
        (SpanKind::Server, "server"),
        (SpanKind::Producer, "producer"),
        (SpanKind::Consumer, "consumer"),
        (SpanKind::Internal, "internal"),
    ];
    for (kind, word) in kinds {
        let builder = opentelemetry::trace::SpanBuilder::from_name("root").with_kind(kind);
        let expected = format!("Some(Text({word:?}))");
        assert_eq!(
            seen(builder, RuntimeContext::empty(), "span.kind"),
            expected
        );
    }
    let plain = opentelemetry::trace::SpanBuilder::from_name("root");
    assert_eq!(
        seen(plain.clone(), RuntimeContext::empty(), "span.kind"),
        r#"Some(Text("internal"))"#
    );
    // The application's own key takes precedence.
    let own = RuntimeContext::builder().set("span.kind", "mine").build();
    assert_eq!(seen(plain, own, "span.kind"), r#"Some(Text("mine"))"#);
}

#[test]
fn selector_sees_the_runtime_context_of_the_parent_context() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let _guard = run("c").attach();
    tracer.start("current").end();
    tracer.start_with_context("given", &run("b")).end();
    tracer.start_with_context("empty", &Context::new()).end();
    assert_eq!(fleet.counts(), [1, 1, 1]);
    assert_eq!(fleet.asked(), 3);
    let cx = Context::new()
        .with_runtime_context(wants("a"))
        .with_runtime_context(wants("b"));
    assert_eq!(
        cx.runtime_context().unwrap().view().text("tracer"),
        Some("b")
    );
}

/// An empty context starts a new trace inside another one.
#[test]
fn root_inside_another_trace_selects_again() {
    for fleet in CARRIERS.map(Fleet::by) {
        let tracer = fleet.provider.tracer("shop");
        tracer.in_span_with_context("outer", &run("b"), |_| {
            tracer.in_span_with_context("inner", &run("c"), |_| tracer.in_span("child", |_| {}));
        });
        assert_eq!(fleet.counts(), [0, 1, 2]);
        assert_eq!(fleet.asked(), 2);
    }
}

#[test]
fn selector_does_not_run_while_telemetry_is_suppressed() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let quiet = run("b").with_telemetry_suppressed();
    assert!(
        !tracer
            .start_with_context("root", &quiet)
            .span_context()
            .is_valid()
    );
    let served = quiet.with_remote_span_context(remote(""));
    assert!(!tracer.start_with_context("root", &served).is_recording());
    {
        let _guard = Context::enter_telemetry_suppressed_scope();
        tracer.in_span("root", |_| tracer.in_span("child", |_| {}));
        // Deliberately detached from the suppressed context, as exporter clients do.
        assert!(!tracer.start_with_context("root", &run("b")).is_recording());
    }
    assert_eq!(fleet.asked(), 0);
    assert_eq!(fleet.provider.registry().counts().total(), 0);
    assert_eq!(fleet.counts(), [0, 0, 0]);
}

#[test]
fn empty_registry_returns_no_op_spans() {
    let provider = RoutingTracerProvider::builder().build().unwrap();
    let tracer = provider.tracer("shop");
    tracer.in_span_with_context("root", &run("b"), |cx| {
        assert!(!cx.span().is_recording());
        assert!(!cx.span().span_context().is_valid());
    });
    // The context of a remote parent is propagated unchanged.
    let inbound = remote("vendor=1,spanmux=b:1-2");
    let cx = Context::new().with_remote_span_context(inbound.clone());
    assert_eq!(
        tracer.start_with_context("root", &cx).span_context(),
        &inbound
    );
    assert_eq!(provider.registry().counts().count(Cause::NoTracers), 2);
    assert_eq!(provider.dropped().total(), 0);
}

#[test]
fn selector_panic_does_not_affect_the_call() {
    let (good, exporter) = tracer();
    let (quarantine, quarantined) = tracer();
    let panics = selector_fn("panics", |_, _| panic!("by hand"));
    let provider = RoutingTracerProvider::builder()
        .tracer("good", good)
        .tracer("quarantine", quarantine)
        .selectors(Chain::from(panics))
        .fallback("quarantine")
        .build()
        .unwrap();
    let tracer = provider.tracer("shop");
    let two = tracer.in_span("root", |_| tracer.in_span("child", |_| 2));
    assert_eq!(two, 2);
    assert_eq!(exporter.get_finished_spans().unwrap().len(), 0);
    assert_eq!(quarantined.get_finished_spans().unwrap().len(), 2);
    assert_eq!(provider.registry().counts().count(Cause::Trapped), 1);
}

#[test]
fn selector_does_not_run_for_spans_that_it_starts() {
    let asked = Arc::new(AtomicUsize::new(0));
    let provider = RoutingTracerProvider::builder()
        .tracer("only", tracer().0)
        .build()
        .unwrap();
    let (inner, count) = (provider.tracer("selector"), asked.clone());
    let traces = selector_fn("traces itself", move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
        // A root span, and a child of the span that is open around the selector.
        for cx in [Context::new(), Context::current()] {
            let mut span = inner.start_with_context("inside", &cx);
            assert!(!span.is_recording());
            span.end();
        }
        Choice::Abstain
    });
    provider.registry().set_selectors(Chain::from(traces));
    let tracer = provider.tracer("shop");
    tracer.in_span("root", |_| {
        for _ in 0..2 {
            tracer.start_with_context("root", &Context::new()).end();
        }
    });
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    assert_eq!(provider.registry().counts().count(Cause::Abstained), 3);
}
