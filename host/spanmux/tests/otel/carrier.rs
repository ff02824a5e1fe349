//! Tests that a child follows its parent, regardless of how it finds it. Each method is
//! tested with each tracer and each carrier.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::thread;

use opentelemetry::global::BoxedTracer;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    FutureExt as _, Link, Span, SpanContext, SpanKind, TraceContextExt, TraceId, TraceState,
    Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};
use spanmux::otel::{RoutingTracer, RoutingTracerProvider, RuntimeContextExt};

use crate::support::{CARRIERS, Carrier, Fleet, assert_whole, remote, run, wants};

/// Starts a root span under the context and one child below it. The runtime context of
/// the child names tracer "a".
type Way = fn(&RoutingTracer, &Context);

/// Starts and ends a child below `parent` with a runtime context that names "a".
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
    ("SpanBuilder::start", |tracer, cx| {
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
    ("a parent stored only as a span context", |tracer, cx| {
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
    ("a suppressed scope between root and child", |tracer, cx| {
        let cx = cx.with_span(tracer.start_with_context("root", cx));
        let quiet = cx.with_telemetry_suppressed();
        assert!(!tracer.start_with_context("quiet", &quiet).is_recording());
        child(tracer, &cx);
    }),
];

#[test]
fn child_follows_its_parent_regardless_of_how_it_finds_it() {
    for (carrier, name) in CARRIERS
        .into_iter()
        .flat_map(|by| ["a", "b", "c"].map(|to| (by, to)))
    {
        for (way, go) in WAYS {
            let fleet = Fleet::sampled(carrier, || Sampler::AlwaysOn);
            go(&fleet.provider.tracer("shop"), &run(name));
            let spans = fleet.spans(name);
            assert_eq!(spans.len(), 2, "{way} in {name} by {carrier:?}");
            assert_whole(&spans);
            assert_eq!(fleet.counts().iter().sum::<usize>(), 2, "{way} in {name}");
            assert_eq!(fleet.asked(), 1, "{way} in {name} by {carrier:?}");
            for span in spans {
                let is_marked = *span.span_context.trace_state() != TraceState::NONE;
                // The entry of a root span is shown but not exported. Its children
                // inherit it.
                let expected = carrier == Carrier::Tracestate && span.name != "root";
                assert_eq!(is_marked, expected, "{way} by {carrier:?}");
            }
        }
    }
}

/// Uses `opentelemetry::global`, which is process-wide, so only this test may use it.
#[test]
fn global_provider_routes_spans() {
    let fleet = Fleet::new();
    opentelemetry::global::set_tracer_provider(fleet.provider.clone());
    let _guard = run("b").attach();
    opentelemetry::global::tracer("outer").in_span("root", |_| {
        // One tracer per span, as libraries do.
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
fn unsampled_root_is_selected_only_once() {
    let samplers = [Sampler::AlwaysOff, Sampler::TraceIdRatioBased(0.0)];
    for (carrier, sampler) in CARRIERS.into_iter().zip(&samplers) {
        for (way, go) in WAYS {
            let fleet = Fleet::sampled(carrier, || sampler.clone());
            go(&fleet.provider.tracer("shop"), &run("b"));
            assert_eq!(fleet.asked(), 1, "{way} by {carrier:?}");
            assert_eq!(fleet.counts(), [0, 0, 0], "{way} by {carrier:?}");
            assert_eq!(fleet.provider.dropped().total(), 0, "{way} by {carrier:?}");
        }
    }
}

/// A sampler that discards the parent's `tracestate`.
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
fn tracestate_entry_survives_a_sampler_that_drops_the_tracestate() {
    for decision in [
        SamplingDecision::RecordAndSample,
        SamplingDecision::RecordOnly,
        SamplingDecision::Drop,
    ] {
        for (carrier, parent) in CARRIERS.into_iter().zip([None, Some(remote("vendor=1"))]) {
            let fleet = Fleet::sampled(carrier, || Forgetful(decision.clone()));
            let tracer = fleet.provider.tracer("shop");
            let mut cx = run("b");
            if let Some(parent) = parent {
                cx = cx.with_remote_span_context(parent);
            }
            for depth in 0..5_u8 {
                let name: Cow<'static, str> = format!("depth {depth}").into();
                cx = cx.with_span(tracer.start_with_context(name, &cx));
            }
            assert_eq!(fleet.asked(), 1, "{decision:?} by {carrier:?}");
        }
    }
}

#[test]
fn span_under_a_remote_parent_is_a_root_that_keeps_its_trace_id() {
    for fleet in CARRIERS.map(Fleet::by) {
        let tracer = fleet.provider.tracer("shop");
        let cx = run("b").with_remote_span_context(remote("vendor=1,spanmux=c:1-2,other=2"));
        tracer.in_span_with_context("root", &cx, |cx| {
            let header = cx.span().span_context().trace_state().header();
            assert!(header.starts_with("spanmux=b:"), "{header}");
            assert!(header.ends_with(",vendor=1,other=2"), "{header}");
            tracer.in_span("child", |_| {});
        });
        assert_eq!(fleet.counts(), [0, 2, 0]);
        assert_eq!(fleet.asked(), 1);
        for span in fleet.spans("b") {
            assert_eq!(span.span_context.trace_id(), remote("").trace_id());
            // The received entry is not exported either.
            assert!(!span.span_context.trace_state().header().contains("c:1-2"));
            assert_eq!(span.parent_span_is_remote, span.name == "root");
        }
    }
}

/// The trace id already carries "b" and cannot be changed for the second root span.
#[test]
fn call_to_the_own_process_over_the_network_starts_a_new_root() {
    for (carrier, sampler) in CARRIERS.into_iter().flat_map(|by| {
        let forgets: Box<dyn ShouldSample> = Box::new(Forgetful(SamplingDecision::RecordAndSample));
        let copies: Box<dyn ShouldSample> = Box::new(Sampler::AlwaysOn);
        [(by, forgets), (by, copies)]
    }) {
        let fleet = Fleet::sampled(carrier, || Boxed(sampler.clone()));
        let tracer = fleet.provider.tracer("shop");
        let root = tracer.start_with_context("root", &run("b"));
        let own = root.span_context();
        let received = SpanContext::new(
            own.trace_id(),
            own.span_id(),
            own.trace_flags(),
            true,
            own.trace_state().clone(),
        );
        let cx = run("c").with_remote_span_context(received);
        let served = cx.with_span(tracer.start_with_context("served", &cx));
        child(&tracer, &served);
        child(&tracer, &run("a").with_span(root));
        drop(served);
        assert_eq!(fleet.counts(), [0, 2, 2], "{carrier:?} {sampler:?}");
        assert_eq!(fleet.asked(), 2, "{carrier:?} {sampler:?}");
    }
}

/// A sampler that is cloned for each tracer.
#[derive(Clone, Debug)]
struct Boxed(Box<dyn ShouldSample>);

impl ShouldSample for Boxed {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        self.0
            .should_sample(parent, trace, name, kind, attributes, links)
    }
}

#[test]
fn span_of_another_provider_is_not_followed() {
    for (other, fleet) in CARRIERS.map(|by| (Fleet::by(by), Fleet::by(by))) {
        let (mine, theirs) = (fleet.provider.tracer("shop"), other.provider.tracer("shop"));
        theirs.in_span_with_context("theirs", &run("a"), |cx| {
            mine.in_span_with_context("mine", &cx.with_runtime_context(wants("b")), |_| {
                mine.in_span("below", |_| {});
            });
        });
        assert_eq!(other.counts(), [1, 0, 0]);
        assert_eq!(fleet.counts(), [0, 2, 0]);
        assert_eq!((other.asked(), fleet.asked()), (1, 1));
        // Both spans still belong to one trace.
        assert_eq!(
            other.spans("a")[0].span_context.trace_id(),
            fleet.spans("b")[0].span_context.trace_id()
        );
    }
}

/// Each provider follows its own selection through the spans of the other one, although
/// they share all tracers.
#[test]
fn two_providers_over_one_registry_do_not_follow_each_other() {
    let fleet = Fleet::new();
    let second = RoutingTracerProvider::new(fleet.provider.registry().clone());
    let (one, two) = (fleet.provider.tracer("shop"), second.tracer("shop"));
    let root = run("a").with_span(one.start_with_context("one", &run("a")));
    let middle = {
        let cx = root.with_runtime_context(wants("b"));
        cx.with_span(two.start_with_context("two", &cx))
    };
    child(&two, &middle); // By the `tracestate` entry.
    child(&one, &middle); // By the trace id.
    child(&one, &root);
    drop((root, middle));
    assert_eq!(fleet.counts(), [3, 2, 0]);
    assert_eq!(fleet.asked(), 2);
}

/// Trace ids that no provider here generated, or that were generated without the routing
/// provider.
#[test]
fn local_parent_of_unknown_origin_is_not_followed() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let sdk = fleet.provider.registry().get("b").unwrap();
    let mut parents: Vec<SpanContext> = (1..1000)
        .map(|seed: u128| {
            TraceId::from(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
        })
        .map(|id| {
            let made = remote("");
            SpanContext::new(
                id,
                made.span_id(),
                made.trace_flags(),
                false,
                TraceState::NONE,
            )
        })
        .collect();
    let past = sdk
        .provider()
        .tracer("past")
        .start_with_context("past", &Context::new());
    parents.push(past.span_context().clone());
    for (asked, parent) in parents.into_iter().enumerate() {
        let cx = run("c").with_remote_span_context(parent.clone());
        let root = cx.with_span(tracer.start_with_context("root", &cx));
        child(&tracer, &root);
        assert_eq!(fleet.asked(), asked + 1);
        assert_eq!(root.span().span_context().trace_id(), parent.trace_id());
    }
    assert_eq!(fleet.counts(), [0, 0, 2000]);
}

#[test]
fn any_tracer_name_can_be_carried() {
    for (carrier, name) in CARRIERS.into_iter().flat_map(|by| {
        ["a,b=c", "größe", "a:1-2", " ", "%", &"ü".repeat(128)].map(|name| (by, name.to_owned()))
    }) {
        let fleet = Fleet::by(carrier);
        let registry = fleet.provider.registry();
        let other = registry.get("c").unwrap();
        registry.register(name.clone(), other).unwrap();
        let tracer = fleet.provider.tracer("shop");
        tracer.in_span_with_context("root", &run(&name), |cx| {
            let header = header(&fleet.provider.propagator(), &cx);
            assert_eq!(header.parse::<TraceState>().unwrap().header(), header);
            tracer.in_span("child", |_| {});
        });
        assert_eq!(fleet.counts(), [0, 0, 2], "{name}");
        assert_eq!(fleet.asked(), 1, "{name}");
    }
}

/// Returns the `tracestate` with which a context leaves the process.
fn header(propagator: &dyn TextMapPropagator, cx: &Context) -> String {
    let mut headers = HashMap::new();
    propagator.inject_context(cx, &mut headers);
    headers.remove("tracestate").unwrap_or_default()
}

#[test]
fn propagator_tells_the_next_process_the_tracer_name() {
    for (carrier, fleet) in CARRIERS.map(|by| (by, Fleet::by(by))) {
        let tracer = fleet.provider.tracer("shop");
        let ours = fleet.provider.propagator();
        let root = run("b").with_span(tracer.start_with_context("root", &run("b")));
        let child = root.with_span(tracer.start_with_context("child", &root));
        let told = header(&ours, &root);
        assert!(told.starts_with("spanmux=b:"), "{told}");
        assert_eq!(header(&ours, &child), told);
        // The SDK's own propagator writes the `tracestate` of the context.
        let plain = header(&TraceContextPropagator::new(), &child);
        assert_eq!(
            plain,
            if carrier == Carrier::Tracestate {
                told.as_str()
            } else {
                ""
            }
        );

        // Everything else is written and read as the SDK's own propagator does.
        let mut headers = HashMap::new();
        ours.inject_context(&child, &mut headers);
        let received = ours.extract(&headers);
        let (received, sent) = (received.span(), child.span());
        assert!(received.span_context().is_remote());
        assert_eq!(
            received.span_context().trace_id(),
            sent.span_context().trace_id()
        );
        assert_eq!(
            received.span_context().span_id(),
            sent.span_context().span_id()
        );
        assert_eq!(
            received.span_context().trace_flags(),
            sent.span_context().trace_flags()
        );
        assert_eq!(
            ours.fields().collect::<Vec<_>>(),
            ["traceparent", "tracestate"]
        );

        // Contexts that only pass through are not changed, even if this provider created
        // them. The same holds for traces of other providers.
        let back = TraceContextPropagator::new().extract(&HashMap::from([(
            "traceparent".to_owned(),
            headers["traceparent"].clone(),
        )]));
        let back = back.span().span_context().clone();
        assert!(back.is_remote());
        for foreign in [remote("vendor=1"), Fleet::new().root("a"), back] {
            let state = foreign.trace_state().header();
            assert_eq!(
                header(&ours, &Context::new().with_remote_span_context(foreign)),
                state
            );
        }
        let mut none = HashMap::new();
        ours.inject_context(&Context::new(), &mut none);
        assert!(none.is_empty());
    }
}

#[test]
fn tracer_with_many_names_is_followed_under_each_name() {
    for (carrier, fleet) in CARRIERS.map(|by| (by, Fleet::by(by))) {
        let registry = fleet.provider.registry();
        let tracer = fleet.provider.tracer("shop");
        let only = registry.get("b").unwrap();
        let roots = [(); 2].map(|()| {
            let names = (0..40).map(|number| format!("name-{number}"));
            names
                .map(|name| {
                    if !registry.contains(&name) {
                        registry.register(name.clone(), only.clone()).unwrap();
                    }
                    (
                        run(&name).with_span(tracer.start_with_context("root", &run(&name))),
                        name,
                    )
                })
                .collect::<Vec<_>>()
        });
        for (cx, name) in roots.iter().flatten() {
            child(&tracer, cx);
            let told = header(&fleet.provider.propagator(), cx);
            assert!(
                told.starts_with(&format!("spanmux={name}:")),
                "{told} by {carrier:?}"
            );
        }
        drop(roots);
        assert_eq!(fleet.counts(), [0, 160, 0], "{carrier:?}");
        assert_eq!(fleet.asked(), 80, "{carrier:?}");
    }
}

/// The ratio is within six standard deviations, and no id occurs twice.
#[test]
fn ratio_sampler_keeps_its_ratio() {
    const ROOTS: usize = 4000;
    let fleet = Fleet::sampled(Carrier::TraceId, || Sampler::TraceIdRatioBased(0.25));
    let tracer = fleet.provider.tracer("shop");
    let ids = (0..ROOTS).map(|_| {
        let root = tracer.start_with_context("root", &run("b"));
        root.span_context().trace_id().to_bytes()
    });
    assert_eq!(ids.collect::<HashSet<_>>().len(), ROOTS);
    let sampled = fleet.spans("b").len() as f64;
    let deviation = (ROOTS as f64 * 0.25 * 0.75).sqrt();
    assert!(
        (sampled - ROOTS as f64 * 0.25).abs() < 6.0 * deviation,
        "{sampled}"
    );
}
