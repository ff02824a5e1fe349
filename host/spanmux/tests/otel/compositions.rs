//! Tests that the layer works in each usual composition of `tracing-subscriber`.

use opentelemetry::trace::Tracer;
use spanmux::otel::ReloadableLayer;
use tracing::level_filters::LevelFilter;
use tracing::{Subscriber, info_span, trace_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::support::{Fleet, assert_whole, remote, run};

/// Opens a root span and a child, and asserts that both are in one trace.
fn assert_routes(fleet: &Fleet, subscriber: impl Subscriber + Send + Sync, composition: &str) {
    let before = fleet.spans("b").len();
    tracing::subscriber::with_default(subscriber, || trace(composition));
    let spans = fleet.spans("b").split_off(before);
    assert_eq!(spans.len(), 2, "{composition}");
    assert_whole(&spans);
    assert_eq!(spans[1].events.len(), 1, "{composition}");
}

fn trace(composition: &str) {
    let _run = run("b").attach();
    info_span!("root").in_scope(|| {
        tracing::info!(composition, "of the trace");
        info_span!("child").in_scope(|| {});
    });
}

fn boxed(fleet: &Fleet) -> Box<dyn Layer<Registry> + Send + Sync> {
    fleet.provider.layer().boxed()
}

fn quiet<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fmt::layer().with_writer(std::io::sink)
}

#[test]
fn layer_works_in_option_vec_and_box() {
    let fleet = Fleet::new();
    let registry = Registry::default;
    assert_routes(&fleet, registry().with(fleet.provider.layer()), "alone");
    assert_routes(
        &fleet,
        registry().with(Some(fleet.provider.layer())),
        "option",
    );
    assert_routes(&fleet, registry().with(boxed(&fleet)), "box");
    assert_routes(
        &fleet,
        registry().with(Some(boxed(&fleet))),
        "option of a box",
    );
    assert_routes(&fleet, registry().with(vec![boxed(&fleet)]), "vec");
    assert_routes(
        &fleet,
        registry().with(Some(vec![boxed(&fleet), quiet().boxed()])),
        "option of a vec",
    );
    assert_routes(
        &fleet,
        registry().with(quiet()).with(fleet.provider.layer()),
        "above another",
    );
    assert_routes(
        &fleet,
        registry().with(fleet.provider.layer()).with(quiet()),
        "below another",
    );
    assert_routes(
        &fleet,
        registry().with(fleet.provider.layer().and_then(quiet())),
        "and then",
    );
    let none: Option<spanmux::otel::RoutingLayer<Registry>> = None;
    tracing::subscriber::with_default(registry().with(none), || trace("none"));
}

#[test]
fn layer_works_with_filters() {
    let fleet = Fleet::new();
    let registry = Registry::default;
    let from = &fleet.provider;
    assert_routes(
        &fleet,
        registry().with(from.layer().with_filter(LevelFilter::INFO)),
        "level",
    );
    assert_routes(
        &fleet,
        registry().with(from.layer().with_filter(EnvFilter::new("info"))),
        "per-layer EnvFilter",
    );
    assert_routes(
        &fleet,
        registry().with(EnvFilter::new("info")).with(from.layer()),
        "EnvFilter below",
    );
    assert_routes(
        &fleet,
        registry().with(from.layer()).with(EnvFilter::new("info")),
        "EnvFilter above",
    );
    assert_routes(
        &fleet,
        registry().with(LevelFilter::INFO).with(from.layer()),
        "global level",
    );
    assert_routes(
        &fleet,
        registry().with(from.layer().with_filter(filter_fn(|_| true))),
        "function",
    );
    assert_routes(
        &fleet,
        registry().with(
            from.layer()
                .with_filter(LevelFilter::INFO)
                .with_filter(EnvFilter::new("info")),
        ),
        "two filters",
    );
    assert_routes(
        &fleet,
        registry().with(Some(from.layer().with_filter(LevelFilter::INFO).boxed())),
        "filtered box in an option",
    );
    let others = quiet().with_filter(LevelFilter::ERROR);
    assert_routes(
        &fleet,
        registry()
            .with(others)
            .with(from.layer().with_filter(LevelFilter::INFO)),
        "beside a filtered layer",
    );
    let before = fleet.spans("b").len();
    let filtered = registry().with(from.layer().with_filter(EnvFilter::new("info")));
    tracing::subscriber::with_default(filtered, || trace_span!("filtered").in_scope(|| {}));
    assert_eq!(fleet.spans("b").len(), before);
}

#[test]
fn layer_works_in_a_reload_layer_from_the_beginning() {
    let fleet = Fleet::new();
    let registry = Registry::default;
    let (layer, _handle) = reload::Layer::new(fleet.provider.layer());
    assert_routes(&fleet, registry().with(layer), "reload");
    let (layer, _handle) = reload::Layer::new(Some(fleet.provider.layer()));
    assert_routes(&fleet, registry().with(layer), "option in reload");
    let (layer, _handle) = reload::Layer::new(vec![boxed(&fleet)]);
    assert_routes(&fleet, registry().with(layer), "vec in reload");
    let (filter, handle) = reload::Layer::new(LevelFilter::OFF);
    let subscriber = registry().with(fleet.provider.layer().with_filter(filter));
    handle.reload(LevelFilter::INFO).unwrap();
    assert_routes(&fleet, subscriber, "reloadable filter");
}

#[test]
fn reloadable_layer_can_be_put_replaced_and_removed_at_run_time() {
    let (fleet, other) = (Fleet::new(), Fleet::new());
    let (layer, handle) = reload::Layer::new(None::<ReloadableLayer<_>>);
    let subscriber = Registry::default()
        .with(layer)
        .with(EnvFilter::new("info"))
        .with(quiet().with_filter(LevelFilter::ERROR));
    let guard = tracing::subscriber::set_default(subscriber);
    trace("nothing");
    let open = info_span!("opened before");
    let entered = open.enter();
    handle
        .reload(Some(fleet.provider.reloadable_layer()))
        .unwrap();
    trace("put");
    drop(entered);
    drop(open);
    assert_eq!(fleet.counts(), [0, 2, 0]);
    handle
        .reload(Some(other.provider.reloadable_layer()))
        .unwrap();
    trace("replaced");
    handle.reload(None).unwrap();
    trace("removed");
    drop(guard);
    assert_eq!(fleet.counts(), [0, 2, 0]);
    assert_eq!(other.counts(), [0, 2, 0]);
    assert_whole(&other.spans("b"));
    let spans = fleet.spans("b");
    assert_eq!(spans[1].events.len(), 1);
}

#[test]
fn reloadable_layer_works_in_each_composition() {
    let fleet = Fleet::new();
    let registry = Registry::default;
    let from = &fleet.provider;
    assert_routes(&fleet, registry().with(from.reloadable_layer()), "alone");
    assert_routes(
        &fleet,
        registry().with(from.reloadable_layer().with_filter(EnvFilter::new("info"))),
        "filtered",
    );
    assert_routes(
        &fleet,
        registry().with(vec![from.reloadable_layer().boxed(), quiet().boxed()]),
        "vec",
    );
    let (reloadable, handle) = reload::Layer::new(vec![from.reloadable_layer().boxed()]);
    handle
        .reload(vec![from.reloadable_layer().boxed(), quiet().boxed()])
        .unwrap();
    assert_routes(&fleet, registry().with(reloadable), "vec in reload");
}

/// Its parent is the span of the OpenTelemetry context in which it is created.
#[test]
fn reloadable_layer_uses_an_attached_remote_parent() {
    let fleet = Fleet::new();
    let (layer, _handle) = reload::Layer::new(fleet.provider.reloadable_layer());
    tracing::subscriber::with_default(Registry::default().with(layer), || {
        use opentelemetry::trace::TraceContextExt;
        let _remote = run("b").with_remote_span_context(remote("")).attach();
        info_span!("root").in_scope(|| {
            use opentelemetry::trace::TracerProvider;
            fleet.provider.tracer("otel").in_span("child", |_| {});
        });
    });
    let spans = fleet.spans("b");
    assert_eq!(spans.len(), 2);
    assert!(
        spans
            .iter()
            .all(|span| span.span_context.trace_id() == remote("").trace_id())
    );
}

#[test]
fn extension_of_spans_works_in_boxed_and_filtered_layers() {
    use opentelemetry::trace::TraceContextExt;
    let fleet = Fleet::new();
    let layers = [
        boxed(&fleet),
        fleet
            .provider
            .layer()
            .with_filter(LevelFilter::INFO)
            .boxed(),
    ];
    for layer in layers {
        tracing::subscriber::with_default(Registry::default().with(vec![layer]), || {
            let span = info_span!("root");
            let parent = run("b").with_remote_span_context(remote(""));
            span.set_parent(parent).unwrap();
            let cx = span.context();
            assert_eq!(cx.span().span_context().trace_id(), remote("").trace_id());
        });
    }
}
