//! However a child finds its parent, it follows it: one row for each way, each with
//! each kind of tracer.

use std::borrow::Cow;
use std::thread;

use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::{
    FutureExt as _, Link, Span, SpanKind, TraceContextExt, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};
use spanway::otel::{RoutingTracer, RuntimeContextExt};

use crate::support::{Fleet, assert_whole, remote, run, wants};

/// Starts a root under the context, and one child below it. The child's own context
/// wants tracer "a".
type Way = fn(&RoutingTracer, &Context);

/// Ends a child that is started below `parent` by whoever wants "a".
fn child(tracer: &RoutingTracer, parent: &Context) {
    let parent = parent.with_runtime_context(wants("a"));
    tracer.start_with_context("child", &parent).end();
}

const WAYS: [(&str, Way); 12] = [
    ("in_span", |tracer, cx| {
        tracer.in_span_with_context("root", cx, |_| tracer.in_span("child", |_| {}));
    }),
    ("a boxed tracer's in_span", |tracer, cx| {
        let boxed = BoxedTracer::new(Box::new(tracer.clone()));
        boxed.in_span_with_context("root", cx, |_| boxed.in_span("child", |_| {}));
    }),
    ("the builder's start", |tracer, cx| {
        let root = tracer.span_builder("root").start_with_context(tracer, cx);
        let _guard = cx.with_span(root).attach();
        tracer.span_builder("child").start(tracer).end();
    }),
    ("Context::current_with_span", |tracer, cx| {
        let _outer = cx.clone().attach();
        let _guard = Context::current_with_span(tracer.start("root")).attach();
        child(tracer, &Context::current());
    }),
    ("mark_span_as_active", |tracer, cx| {
        let _guard =
            opentelemetry::trace::mark_span_as_active(tracer.start_with_context("root", cx));
        child(tracer, &Context::current());
    }),
    ("another thread", |tracer, cx| {
        let cx = cx.with_span(tracer.start_with_context("root", cx));
        let tracer = tracer.clone();
        thread::spawn(move || child(&tracer, &cx)).join().unwrap();
    }),
    ("a task on another worker", |tracer, cx| {
        let cx = cx.with_span(tracer.start_with_context("root", cx));
        let tracer = tracer.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let work = async move {
            tokio::task::yield_now().await;
            child(&tracer, &Context::current());
        };
        runtime
            .block_on(runtime.spawn(work.with_context(cx)))
            .unwrap();
    }),
    ("a late child of an ended root", |tracer, cx| {
        let cx = cx.with_span(tracer.start_with_context("root", cx));
        cx.span().end();
        child(tracer, &cx);
    }),
    ("a parent kept only as a span context", |tracer, cx| {
        let mut root = tracer.start_with_context("root", cx);
        let kept = root.span_context().clone();
        root.end();
        drop(root);
        child(tracer, &Context::new().with_remote_span_context(kept));
    }),
    ("a root that failed", |tracer, cx| {
        let mut root = tracer.start_with_context("root", cx);
        root.set_status(opentelemetry::trace::Status::error("no"));
        child(tracer, &cx.with_span(root));
    }),
    ("a root under an invalid remote parent", |tracer, cx| {
        let cx = cx.with_remote_span_context(opentelemetry::trace::SpanContext::NONE);
        tracer.in_span_with_context("root", &cx, |cx| child(tracer, &cx));
    }),
    ("a suppressed scope between the two", |tracer, cx| {
        let cx = cx.with_span(tracer.start_with_context("root", cx));
        let quiet = cx.with_telemetry_suppressed();
        assert!(!tracer.start_with_context("quiet", &quiet).is_recording());
        child(tracer, &cx);
    }),
];

#[test]
fn every_way_to_a_parent_leads_to_its_tracer() {
    for name in ["a", "b", "c"] {
        for (way, go) in WAYS {
            let fleet = Fleet::sampled(|| Sampler::AlwaysOn);
            go(&fleet.provider.tracer("shop"), &run(name));
            let spans = fleet.spans(name);
            assert_eq!(spans.len(), 2, "{way} in {name}");
            assert_whole(&spans);
            assert_eq!(fleet.counts().iter().sum::<usize>(), 2, "{way} in {name}");
            assert_eq!(fleet.asked(), 1, "{way} in {name}");
        }
    }
}

/// The same through `opentelemetry::global`, which is process-wide: one test alone.
#[test]
fn the_global_provider_routes_as_well() {
    let fleet = Fleet::new();
    opentelemetry::global::set_tracer_provider(fleet.provider.clone());
    let _guard = run("b").attach();
    opentelemetry::global::tracer("outer").in_span("root", |_| {
        // One tracer for each span, as libraries do it.
        for _ in 0..10 {
            opentelemetry::global::tracer("inner").in_span("child", |_| {});
        }
    });
    assert_eq!(fleet.counts(), [0, 11, 0]);
    assert_eq!(fleet.asked(), 1);
    assert_whole(&fleet.spans("b"));
    let scopes: Vec<_> = fleet
        .spans("b")
        .into_iter()
        .map(|span| span.instrumentation_scope)
        .collect();
    assert_eq!(
        scopes
            .iter()
            .filter(|scope| scope.name() == "inner")
            .count(),
        10
    );
}

#[test]
fn unsampled_roots_are_not_asked_for_again() {
    for sampler in [Sampler::AlwaysOff, Sampler::TraceIdRatioBased(0.0)] {
        for (way, go) in WAYS {
            let fleet = Fleet::sampled(|| sampler.clone());
            go(&fleet.provider.tracer("shop"), &run("b"));
            assert_eq!(fleet.asked(), 1, "{way}");
            assert_eq!(fleet.counts(), [0, 0, 0], "{way}");
            assert_eq!(fleet.provider.lost().total(), 0, "{way}");
        }
    }
}

/// A sampler that throws the parent's `tracestate` away.
#[derive(Clone, Debug)]
struct Forgetful(SamplingDecision);

impl ShouldSample for Forgetful {
    fn should_sample(
        &self,
        _parent: Option<&Context>,
        _trace: TraceId,
        _name: &str,
        _kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        SamplingResult {
            decision: self.0.clone(),
            attributes: Vec::new(),
            trace_state: TraceState::NONE,
        }
    }
}

#[test]
fn a_sampler_that_drops_the_tracestate_does_not_drop_the_mark() {
    for decision in [
        SamplingDecision::RecordAndSample,
        SamplingDecision::RecordOnly,
        SamplingDecision::Drop,
    ] {
        let fleet = Fleet::sampled(|| Forgetful(decision.clone()));
        let tracer = fleet.provider.tracer("shop");
        let mut cx = run("b");
        for depth in 0..5_u8 {
            let name: Cow<'static, str> = format!("depth {depth}").into();
            cx = cx.with_span(tracer.start_with_context(name, &cx));
        }
        assert_eq!(fleet.asked(), 1, "{decision:?}");
    }
}

#[test]
fn a_remote_parent_is_a_root_that_keeps_its_trace() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let cx = run("b").with_remote_span_context(remote("vendor=1,spanway=c:1-2,other=2"));
    tracer.in_span_with_context("root", &cx, |cx| {
        let header = cx.span().span_context().trace_state().header();
        assert!(header.starts_with("spanway=b:"), "{header}");
        assert!(header.ends_with(",vendor=1,other=2"), "{header}");
        tracer.in_span("child", |_| {});
    });
    assert_eq!(fleet.counts(), [0, 2, 0]);
    assert_eq!(fleet.asked(), 1);
    for span in fleet.spans("b") {
        assert_eq!(span.span_context.trace_id(), remote("").trace_id());
        // What came in is not exported either.
        assert!(!span.span_context.trace_state().header().contains("c:1-2"));
        assert_eq!(span.parent_span_is_remote, span.name == "root");
    }
}

#[test]
fn a_call_to_oneself_over_the_network_is_a_root_again() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let root = tracer.start_with_context("root", &run("b"));
    let own = root.span_context();
    let received = opentelemetry::trace::SpanContext::new(
        own.trace_id(),
        own.span_id(),
        own.trace_flags(),
        true,
        own.trace_state().clone(),
    );
    tracer
        .start_with_context("served", &run("c").with_remote_span_context(received))
        .end();
    drop(root);
    assert_eq!(fleet.counts(), [0, 1, 1]);
    assert_eq!(fleet.asked(), 2);
}

#[test]
fn a_span_of_another_provider_is_no_parent_to_follow() {
    let other = Fleet::new();
    let fleet = Fleet::new();
    let (mine, theirs) = (fleet.provider.tracer("shop"), other.provider.tracer("shop"));
    theirs.in_span_with_context("theirs", &run("a"), |cx| {
        mine.in_span_with_context("mine", &cx.with_runtime_context(wants("b")), |_| {
            mine.in_span("below", |_| {});
        });
    });
    assert_eq!(other.counts(), [1, 0, 0]);
    assert_eq!(fleet.counts(), [0, 2, 0]);
    assert_eq!((other.asked(), fleet.asked()), (1, 1));
    // One trace all the same.
    assert_eq!(
        other.spans("a")[0].span_context.trace_id(),
        fleet.spans("b")[0].span_context.trace_id()
    );
}

#[test]
fn every_name_can_be_carried() {
    for name in ["a,b=c", "größe", "a:1-2", " ", "%", &"ü".repeat(128)] {
        let fleet = Fleet::new();
        let (added, exporter) = crate::support::tracer();
        fleet.provider.registry().register(name, added).unwrap();
        let tracer = fleet.provider.tracer("shop");
        tracer.in_span_with_context("root", &run(name), |cx| {
            let header = cx.span().span_context().trace_state().header();
            assert_eq!(header.parse::<TraceState>().unwrap().header(), header);
            tracer.in_span("child", |_| {});
        });
        assert_eq!(exporter.get_finished_spans().unwrap().len(), 2, "{name}");
        assert_eq!(fleet.asked(), 1, "{name}");
    }
}
