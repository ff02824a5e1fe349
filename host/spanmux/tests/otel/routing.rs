//! Tests of complete traces under load and during changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use opentelemetry::Context;
use opentelemetry::trace::{FutureExt as _, Span, TraceContextExt, Tracer, TracerProvider};
use spanmux::otel::{OtelTracer, RoutingTracer, RuntimeContextExt};
use spanmux::{Chain, Choice, selector_fn};

use crate::support::{
    CARRIERS, Fleet, NAMES, assert_whole, by_key, eventually, run, tracer, wants,
};

/// Starts nested spans in the calling thread.
fn nest(tracer: &RoutingTracer, depth: usize) {
    if depth > 0 {
        tracer.in_span("nested", |_| nest(tracer, depth - 1));
    }
}

/// Starts 1 root span and 1,000 children: nested and siblings, in threads and in tasks.
fn grow(tracer: &RoutingTracer, start: &Context) {
    let root = start.with_span(tracer.start_with_context("root", start));
    let root = root.with_runtime_context(wants("somewhere else"));
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                let _guard = root.clone().attach();
                nest(tracer, 50);
            });
        }
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(3)
                .build()
                .unwrap();
            runtime.block_on(async {
                let tasks: Vec<_> = (0..100)
                    .map(|_| {
                        let tracer = tracer.clone();
                        let work = async move {
                            for _ in 0..5 {
                                let cx = Context::current_with_span(tracer.start("task"));
                                tokio::task::yield_now().await;
                                cx.span().end();
                            }
                        };
                        tokio::spawn(work.with_context(root.clone()))
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
    });
}

#[test]
fn a_thousand_children_follow_their_root() {
    let carriers = CARRIERS.into_iter().cycle();
    for ((place, name), carrier) in NAMES.into_iter().enumerate().zip(carriers) {
        let fleet = Fleet::by(carrier);
        grow(&fleet.provider.tracer("shop"), &run(name));
        let mut expected = [0; 3];
        expected[place] = 1001;
        assert_eq!(fleet.counts(), expected);
        assert_whole(&fleet.spans(name));
        assert_eq!(fleet.asked(), 1);
        assert_eq!(fleet.provider.dropped().total(), 0);
    }
}

#[test]
fn concurrent_traces_of_all_tracers_stay_separate() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    thread::scope(|scope| {
        for name in NAMES {
            scope.spawn(|| grow(&tracer, &run(name)));
        }
    });
    assert_eq!(fleet.counts(), [1001, 1001, 1001]);
    for name in NAMES {
        assert_whole(&fleet.spans(name));
    }
    assert_eq!(fleet.asked(), 3);
}

/// A change to the registry while a trace of tracer "b" is open.
type Change = fn(&Fleet);

const CHANGES: [(&str, Change); 7] = [
    ("unregister", |fleet| {
        assert!(fleet.provider.registry().unregister("b"));
    }),
    ("re-register the name", |fleet| {
        fleet.provider.registry().unregister("b");
        fleet.provider.registry().register("b", tracer().0).unwrap();
    }),
    ("give the name to another tracer", |fleet| {
        let registry = fleet.provider.registry();
        let other = registry.get("c").unwrap();
        registry.unregister("b");
        registry.register("b", other).unwrap();
    }),
    ("set other selectors", |fleet| {
        fleet.provider.registry().set_selectors(to("a"));
    }),
    ("set no selectors", |fleet| {
        fleet.provider.registry().set_selectors(Chain::empty());
    }),
    ("set another fallback and default", |fleet| {
        let registry = fleet.provider.registry();
        registry.set_fallback(Some("c")).unwrap();
        registry.register_default("d", tracer().0).unwrap();
    }),
    ("clear", |fleet| fleet.provider.registry().clear()),
];

fn to(name: &'static str) -> Chain {
    Chain::from(selector_fn("to", move |_, tracers| tracers.choose(name)))
}

#[test]
fn open_trace_keeps_its_tracer_after_any_change() {
    for (carrier, (change, make)) in CARRIERS
        .into_iter()
        .flat_map(|by| CHANGES.map(|row| (by, row)))
    {
        let fleet = Fleet::by(carrier);
        let tracer = fleet.provider.tracer("shop");
        let root = run("b").with_span(tracer.start_with_context("root", &run("b")));
        let open = root.with_span(tracer.start_with_context("open", &root));
        make(&fleet);
        tracer.start_with_context("new", &open).end();
        // An instrumentation scope that is new to this tracer.
        fleet
            .provider
            .tracer("other")
            .start_with_context("of another scope", &open)
            .end();
        open.span().end();
        root.span().end();
        tracer.start_with_context("late", &root).end();
        assert_eq!(fleet.counts(), [0, 5, 0], "{change}");
        assert_eq!(fleet.asked(), 1, "{change}");
        assert_whole(&fleet.spans("b"));
        assert_eq!(fleet.provider.dropped().total(), 0, "{change}");
    }
}

#[test]
fn next_trace_uses_the_changed_selectors() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let root = tracer.start_with_context("root", &run("b"));
    fleet.provider.registry().set_selectors(to("c"));
    tracer.start_with_context("next", &run("b")).end();
    drop(root);
    assert_eq!(fleet.counts(), [0, 1, 1]);
}

#[test]
fn children_of_a_dropped_tracer_are_counted_no_ops() {
    CARRIERS.map(Fleet::by).iter().for_each(late_children);
}

fn late_children(fleet: &Fleet) {
    let tracer = fleet.provider.tracer("shop");
    let root = tracer.start_with_context("root", &run("b"));
    let kept = root.span_context().clone();
    fleet.provider.registry().unregister("b");
    drop(root); // The last reference to the tracer.
    let cx = run("a").with_remote_span_context(kept.clone());
    for late in 1..=3 {
        // Adding another tracer removes dropped tracers from the table.
        if late == 2 {
            tracer.start_with_context("tidies", &run("c")).end();
        }
        let child = tracer.start_with_context("late", &cx);
        assert!(!child.is_recording());
        assert_eq!(child.span_context(), &kept);
        let below = tracer.start_with_context("below", &cx.with_span(child));
        assert_eq!(below.span_context(), &kept);
        assert_eq!(fleet.provider.dropped().tracer_gone, 2 * late);
    }
    // The shutdown on a separate thread empties the exporter of "b".
    eventually(|| fleet.counts() == [0, 0, 1]);
    assert_eq!(fleet.asked(), 2);
}

#[test]
fn unregistered_tracer_is_dropped_after_its_last_span() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let held = Arc::downgrade(&fleet.provider.registry().get("b").unwrap());
    let root = tracer.start_with_context("root", &run("b"));
    fleet.provider.registry().unregister("b");
    assert!(held.upgrade().is_some(), "alive while a span is open");
    assert!(!fleet.exporters["b"].is_shutdown_called());
    drop(root);
    assert!(
        held.upgrade().is_none(),
        "dropped although the scope is in use"
    );
    // The shutdown runs on a separate thread, so ending the span does not block.
    eventually(|| fleet.exporters["b"].is_shutdown_called());
    tracer.start_with_context("next", &run("a")).end();
    assert_eq!(fleet.counts(), [1, 0, 0]);
}

#[test]
fn traces_stay_complete_while_the_registry_changes() {
    let fleet = Fleet::new();
    let registry = fleet.provider.registry();
    let done = AtomicBool::new(false);
    let kept: Vec<Arc<OtelTracer>> = NAMES.iter().filter_map(|name| registry.get(name)).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            // After every step, each name has its original tracer or none.
            while !done.load(Ordering::Relaxed) {
                for (name, tracer) in NAMES.into_iter().zip(&kept) {
                    registry.unregister(name);
                    registry.set_selectors(by_key(&fleet.asked));
                    registry.register(name, tracer.clone()).unwrap();
                }
            }
        });
        let runs: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let tracer = fleet.provider.tracer("shop");
                    for turn in 0..250 {
                        let start = run(NAMES[turn % NAMES.len()]);
                        tracer.in_span_with_context("root", &start, |_| nest(&tracer, 3));
                    }
                })
            })
            .collect();
        runs.into_iter().for_each(|run| run.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    // A root span may have found its tracer unregistered and used another one, but its
    // children always followed it.
    let mut traces = 0;
    for name in NAMES {
        let mut spans = fleet.spans(name);
        spans.sort_by_key(|span| span.span_context.trace_id().to_bytes());
        for trace in spans.chunk_by(|a, b| a.span_context.trace_id() == b.span_context.trace_id()) {
            assert_eq!(trace.len(), 4);
            assert_whole(trace);
            traces += 1;
        }
    }
    assert_eq!(traces, 1000);
    assert_eq!(fleet.asked(), 1000);
    assert_eq!(fleet.provider.dropped().total(), 0);
}

#[test]
fn child_does_not_run_a_selector_that_would_fail() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let root = run("b").with_span(tracer.start_with_context("root", &run("b")));
    let fails = Arc::new(selector_fn("fails", |_, _| Choice::failed("never asked"))) as Arc<_>;
    fleet.provider.registry().set_selectors(fails);
    tracer.start_with_context("child", &root).end();
    root.span().end();
    assert_eq!(fleet.counts(), [0, 2, 0]);
    assert_eq!(fleet.provider.registry().counts().total(), 1);
}
