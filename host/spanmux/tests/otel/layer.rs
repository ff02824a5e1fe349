//! Tests of the `tracing` layer: the fields that a selector sees, and traces that mix
//! `tracing` spans with OpenTelemetry spans.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData, SpanExporter};
use spanmux::otel::{Inbound, RoutingTracerProvider, RuntimeContextExt};
use spanmux::{Cause, Chain, Choice, selector_fn};
use tracing::field::Empty;
use tracing::instrument::WithSubscriber;
use tracing::{Event, Instrument, Subscriber, info_span};
use tracing_opentelemetry::{OpenTelemetrySpanExt, SetParentError};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

use crate::support::{Fleet, assert_whole, attribute, remote, run, wants};

/// Runs `go` in a service that uses the layer.
fn traced<T>(provider: &RoutingTracerProvider, go: impl FnOnce() -> T) -> T {
    let subscriber = Registry::default().with(provider.layer());
    tracing::subscriber::with_default(subscriber, go)
}

/// Starts an OpenTelemetry span under the current context. A selector run would choose
/// "a".
fn otel_span(fleet: &Fleet, name: &'static str) {
    let cx = Context::current().with_runtime_context(wants("a"));
    fleet.provider.tracer("otel").start_with_context(name, &cx);
}

/// Creates a trace of one root span in "b" and two spans below it.
type Way = fn(&Fleet);

const WAYS: [(&str, Way); 11] = [
    ("nested", |_| {
        info_span!("root")
            .in_scope(|| info_span!("1").in_scope(|| info_span!("2").in_scope(|| {})));
    }),
    ("never entered", |_| {
        let root = info_span!("root");
        let one = info_span!(parent: &root, "1");
        drop(info_span!(parent: &one, "2"));
    }),
    ("an OpenTelemetry span inside a tracing span", |fleet| {
        info_span!("root").in_scope(|| {
            otel_span(fleet, "1");
            otel_span(fleet, "2");
        });
    }),
    ("a tracing span inside an OpenTelemetry span", |fleet| {
        fleet.provider.tracer("otel").in_span("root", |_| {
            let _again = Context::current().with_runtime_context(wants("a")).attach();
            info_span!("1").in_scope(|| info_span!("2").in_scope(|| {}));
        });
    }),
    ("alternating", |fleet| {
        info_span!("root").in_scope(|| {
            fleet
                .provider
                .tracer("otel")
                .in_span("1", |_| info_span!("2").in_scope(|| {}));
        });
    }),
    ("explicit parents in threads", |_| {
        let root = info_span!("root");
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let below = |name: &'static str| {
            let _elsewhere = run("a").attach();
            tracing::dispatcher::with_default(&dispatch, || match name {
                "1" => info_span!(parent: &root, "1").in_scope(|| {}),
                _ => info_span!(parent: &root, "2").in_scope(|| {}),
            });
        };
        thread::scope(|scope| {
            for name in ["1", "2"] {
                scope.spawn(move || below(name));
            }
        });
    }),
    ("instrumented tasks on other workers", |_| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let below = async {
            tokio::task::yield_now().await;
            info_span!("2").in_scope(|| {});
        };
        let tasks = async {
            let task = below.instrument(info_span!("1")).with_current_subscriber();
            tokio::spawn(task).await.unwrap();
        };
        let tasks = tasks.instrument(info_span!("root"));
        runtime
            .block_on(runtime.spawn(tasks.with_current_subscriber()))
            .unwrap();
    }),
    (
        "the context is requested before the span is entered",
        |fleet| {
            let root = info_span!("root");
            let cx = root.context();
            assert_eq!(fleet.asked(), 1);
            let _guard = cx.attach();
            otel_span(fleet, "1");
            otel_span(fleet, "2");
        },
    ),
    ("an explicit root", |_| {
        let root = info_span!(parent: None, "root");
        root.in_scope(|| info_span!("1").in_scope(|| info_span!("2").in_scope(|| {})));
    }),
    ("a parent context without a runtime context", |_| {
        let root = info_span!("root");
        root.set_parent(Context::new()).unwrap();
        root.in_scope(|| info_span!("1").in_scope(|| info_span!("2").in_scope(|| {})));
    }),
    ("a filtered span between the two", |fleet| {
        info_span!("root").in_scope(|| {
            tracing::debug_span!("filtered").in_scope(|| otel_span(fleet, "1"));
            tracing::debug_span!("filtered").in_scope(|| info_span!("2").in_scope(|| {}));
        });
    }),
];

#[test]
fn every_combination_follows_the_tracer_of_the_root() {
    for (way, go) in WAYS {
        let fleet = Fleet::new();
        // The filter wraps the layer.
        let layer = fleet.provider.layer().with_filter(LevelFilter::INFO);
        let subscriber = Registry::default().with(layer);
        let _run = run("b").attach();
        tracing::subscriber::with_default(subscriber, || go(&fleet));
        assert_eq!(fleet.counts(), [0, 3, 0], "{way}");
        assert_whole(&fleet.spans("b"));
        assert_eq!(fleet.asked(), 1, "{way}");
    }
}

/// Creates a provider whose selector reads the field `to` of the root span.
fn by_field() -> Fleet {
    let fleet = Fleet::new();
    let asked = fleet.asked.clone();
    let by_field = selector_fn("by-field", move |context, tracers| {
        asked.fetch_add(1, Ordering::Relaxed);
        match context.text("span.to") {
            Some(name) => tracers.choose(name),
            None => Choice::Abstain,
        }
    });
    let chain = Chain::from(by_field);
    fleet.provider.registry().set_selectors(chain);
    fleet
}

#[test]
fn selector_sees_fields_recorded_before_the_span_starts() {
    let fleet = by_field();
    traced(&fleet.provider, || {
        info_span!("at once", to = "b").in_scope(|| {});
        let later = info_span!("later", to = Empty);
        later.record("to", "c");
        later.in_scope(|| later.record("to", "too late"));
        let set = info_span!("set");
        set.set_attribute("to", "b");
        set.in_scope(|| {});
    });
    assert_eq!(fleet.counts(), [0, 2, 1]);
    assert_eq!(fleet.asked(), 3);
}

#[test]
fn library_with_gen_ai_fields_is_routed_unchanged() {
    let fleet = Fleet::new();
    let chain = Chain::from(selector_fn("by-operation", |context, tracers| {
        let is_library = context.text("span.target") == Some("llm_library");
        match context.text("span.gen_ai.operation.name") {
            Some("chat") if is_library => tracers.choose("b"),
            _ => Choice::Abstain,
        }
    }));
    fleet.provider.registry().set_selectors(chain);
    traced(&fleet.provider, || {
        let chat = info_span!(
            target: "llm_library",
            "chat",
            otel.name = "chat small",
            otel.kind = "client",
            gen_ai.operation.name = "chat",
            gen_ai.request.model = "small",
            gen_ai.usage.input_tokens = Empty,
        );
        chat.in_scope(|| chat.record("gen_ai.usage.input_tokens", 7));
    });
    let spans = fleet.spans("b");
    assert_eq!(spans[0].name, "chat small");
    assert_eq!(spans[0].span_kind, opentelemetry::trace::SpanKind::Client);
    for (key, value) in [
        ("gen_ai.request.model", "small"),
        ("gen_ai.usage.input_tokens", "7"),
        ("spanmux.tracer", "b"),
    ] {
        assert_eq!(attribute(&spans[0], key).as_deref(), Some(value));
    }
    // Attributes that the default options of the layer disable.
    for key in ["code.line.number", "thread.id", "busy_ns", "level"] {
        assert_eq!(attribute(&spans[0], key), None, "{key}");
    }
}

#[test]
fn layer_with_changes_the_options() {
    let fleet = Fleet::new();
    let layer = fleet
        .provider
        .layer_with(|layer| layer.with_location(true).with_target(false));
    let subscriber = Registry::default().with(layer);
    tracing::subscriber::with_default(subscriber, || info_span!("root").in_scope(|| {}));
    let spans = fleet.spans("a");
    assert!(attribute(&spans[0], "code.line.number").is_some());
    assert_eq!(attribute(&spans[0], "target"), None);
}

#[test]
fn remote_parent_is_used_when_set_before_the_span_starts() {
    let fleet = Fleet::with(|builder| builder.inbound(Inbound::FollowTracestate));
    let served = |state| run("a").with_remote_span_context(remote(state));
    traced(&fleet.provider, || {
        for state in ["vendor=1,spanmux=b", "spanmux=nosuch"] {
            let root = info_span!("root");
            root.set_parent(served(state)).unwrap();
            root.in_scope(|| info_span!("child").in_scope(|| {}));
        }
        let late = info_span!("late");
        let _entered = late.enter();
        let refused = late.set_parent(served("spanmux=c"));
        assert!(matches!(refused, Err(SetParentError::AlreadyStarted)));
    });
    // The late span has no runtime context, so the default tracer receives it.
    assert_eq!(fleet.counts(), [3, 2, 0]);
    assert_eq!(fleet.asked(), 2);
    for span in fleet.spans("b") {
        assert_eq!(span.span_context.trace_id(), remote("").trace_id());
    }
}

#[test]
fn follows_from_starts_the_followed_span_in_its_own_tracer() {
    let fleet = by_field();
    traced(&fleet.provider, || {
        let first = info_span!("first", to = "b");
        let second = info_span!("second", to = "c");
        second.follows_from(&first); // `first` starts here.
        drop(second);
    });
    assert_eq!(fleet.counts(), [0, 1, 1]);
    let (first, second) = (&fleet.spans("b")[0], &fleet.spans("c")[0]);
    assert_eq!(second.links[0].span_context, first.span_context);
    assert_ne!(
        first.span_context.trace_id(),
        second.span_context.trace_id()
    );
}

#[test]
fn explicit_root_selects_with_the_current_runtime_context() {
    let fleet = Fleet::new();
    let _run = run("b").attach();
    traced(&fleet.provider, || {
        info_span!("outer").in_scope(|| {
            let _other = Context::current().with_runtime_context(wants("c")).attach();
            info_span!(parent: None, "root").in_scope(|| {});
        });
    });
    assert_eq!(fleet.counts(), [0, 1, 1]);
    assert_eq!(fleet.asked(), 2);
}

/// This is documented behavior of the layer.
#[test]
fn span_becomes_a_root_when_its_explicit_parent_is_filtered_out() {
    let fleet = Fleet::new();
    let layer = fleet.provider.layer().with_filter(LevelFilter::INFO);
    let subscriber = Registry::default().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        info_span!("root").in_scope(|| {
            let filtered = tracing::debug_span!("filtered");
            info_span!(parent: &filtered, "other root").in_scope(|| {});
        });
    });
    assert_eq!(fleet.asked(), 2);
}

#[test]
fn selector_does_not_run_while_telemetry_is_suppressed() {
    let fleet = Fleet::new();
    let _run = run("b").attach();
    let _quiet = Context::enter_telemetry_suppressed_scope();
    traced(&fleet.provider, || {
        info_span!("contextual").in_scope(|| {});
        info_span!(parent: None, "cut off").in_scope(|| {});
        let tracer = fleet.provider.tracer("otel");
        tracer.start_with_context("given", &run("b"));
    });
    assert_eq!(fleet.asked(), 0);
    assert_eq!(fleet.counts(), [0, 0, 0]);
}

#[test]
fn two_layers_in_one_subscriber_panic() {
    let fleet = Fleet::new();
    let two = Registry::default()
        .with(fleet.provider.layer())
        .with(fleet.provider.layer());
    let started = catch_unwind(AssertUnwindSafe(|| {
        tracing::subscriber::with_default(two, || info_span!("root"));
    }));
    assert!(started.is_err());
}

/// Another layer of the service. It counts the events that it sees.
#[derive(Clone, Default)]
struct Counts(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Counts {
    fn on_event(&self, _: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// An exporter that logs and opens spans itself, as HTTP exporters do.
#[derive(Debug)]
struct Talks(InMemorySpanExporter);

impl SpanExporter for Talks {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        info_span!("export").in_scope(|| tracing::info!("sending"));
        info_span!(parent: None, "connection").in_scope(|| tracing::info!("connected"));
        self.0.export(batch).await
    }
}

/// No way of starting the root span may deadlock, loop or abort.
#[test]
fn spans_and_events_of_selectors_and_exporters_are_not_routed() {
    let spans = InMemorySpanExporter::default();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let talks = selector_fn("talks", move |_, tracers| {
        count.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("deciding");
        tracing::warn!(target: "spanmux::registry", "deciding");
        info_span!("inside").in_scope(|| tracing::info!("deeper"));
        info_span!(parent: None, "cut off").in_scope(|| {});
        tracers.choose("only")
    });
    let provider = RoutingTracerProvider::builder()
        .tracer(
            "only",
            SdkTracerProvider::builder().with_simple_exporter(Talks(spans.clone())),
        )
        .selectors(Chain::from(talks))
        .build()
        .unwrap();
    let others = Counts::default();
    let subscriber = Registry::default()
        .with(provider.layer())
        .with(others.clone());
    tracing::subscriber::with_default(subscriber, || {
        let otel = provider.tracer("otel");
        info_span!("entered").in_scope(|| tracing::info!("of the trace"));
        drop(info_span!("never entered"));
        info_span!("context requested").context();
        let parent = info_span!("parent");
        drop(info_span!(parent: &parent, "child"));
        let followed = info_span!("followed");
        info_span!("follows").follows_from(&followed);
        // OpenTelemetry has borrowed the current context at this time.
        otel.in_span("an OpenTelemetry span", |_| {});
    });
    assert_eq!(provider.registry().counts().chosen, 7);
    assert_eq!(asked.load(Ordering::Relaxed), 7);
    assert_eq!(provider.registry().counts().count(Cause::Trapped), 0);
    // 3 for each decision, 2 for each exported span, 1 from the trace itself. `tracing`
    // drops events emitted while a span is created, and one parent starts in that state.
    assert_eq!(others.0.load(Ordering::Relaxed), 6 * 3 + 8 * 2 + 1);
    let spans = spans.get_finished_spans().unwrap();
    assert_eq!(spans.len(), 8, "{spans:?}");
    let events: Vec<_> = spans.iter().flat_map(|span| &span.events.events).collect();
    assert_eq!(events.len(), 1, "{events:?}");
}
