//! Tests of Spanmux's own metrics, read like a metrics backend reads them.

use std::collections::BTreeMap;

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use spanmux::exporters::Exporter;
use spanmux::otel::{Inbound, RoutingTracerProvider, TracerConfig};

use crate::support::{by_key, remote, run};

/// Returns the sums of the last collection, as `instrument {attributes}`.
fn sums(meters: &SdkMeterProvider, exporter: &InMemoryMetricExporter) -> BTreeMap<String, u64> {
    exporter.reset();
    meters.force_flush().unwrap();
    let collected = exporter.get_finished_metrics().unwrap();
    let mut sums = BTreeMap::new();
    for metric in collected.iter().flat_map(ResourceMetrics::scope_metrics) {
        for metric in metric.metrics() {
            if let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() {
                for point in sum.data_points() {
                    let mut attributes: Vec<_> = point
                        .attributes()
                        .map(|kv| kv.value.as_str().into_owned())
                        .collect();
                    attributes.sort();
                    let key = format!("{} {}", metric.name(), attributes.join(" "));
                    sums.insert(key.trim_end().to_owned(), point.value());
                }
            }
        }
    }
    sums
}

fn provider() -> RoutingTracerProvider {
    let discard = || TracerConfig::new().exporter(Exporter::discard());
    RoutingTracerProvider::builder()
        .tracer("a", discard())
        .tracer("b", discard())
        .selectors(by_key(&Default::default()))
        .inbound(Inbound::FollowTracestate)
        .build()
        .unwrap()
}

/// Creates an observed provider, its meter provider, and the metrics exporter.
fn observed() -> (
    RoutingTracerProvider,
    SdkMeterProvider,
    InMemoryMetricExporter,
) {
    let exporter = InMemoryMetricExporter::default();
    let meters = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.clone())
        .build();
    let provider = provider();
    provider.observe(&meters.meter("spanmux"));
    (provider, meters, exporter)
}

#[test]
fn metrics_count_selections_and_delivery_outcomes() {
    let (provider, meters, exporter) = observed();
    let tracer = provider.tracer("shop");
    for name in ["b", "b", "nowhere"] {
        tracer.in_span_with_context("root", &run(name), |_| {
            tracer.in_span("child", |_| {});
        });
    }
    tracer.start("no runtime context");
    for state in ["spanmux=b", "spanmux=nosuch"] {
        let cx = run("b").with_remote_span_context(remote(state));
        tracer.start_with_context("served", &cx);
    }
    assert!(provider.force_flush().failed.is_empty());

    let sums = sums(&meters, &exporter);
    for (key, expected) in [
        ("spanmux.selections b by-key", 3),
        ("spanmux.selections a by-key unknown_tracer", 1),
        ("spanmux.selections a abstained", 1),
        ("spanmux.selections.cached", 0),
        ("spanmux.inbound followed", 1),
        ("spanmux.inbound unknown", 1),
        ("spanmux.selectors.changes", 1),
        ("spanmux.spans.exported a delivered discard", 3),
        ("spanmux.spans.exported b delivered discard", 6),
        ("spanmux.export.retries a discard", 0),
        ("spanmux.spans.lost", 0),
    ] {
        assert_eq!(sums.get(key), Some(&expected), "{key} of {sums:#?}");
    }
}

#[test]
fn metrics_do_not_keep_the_provider_alive() {
    let (provider, meters, exporter) = observed();
    drop(provider.tracer("shop").start("root"));
    assert!(!sums(&meters, &exporter).is_empty());
    let held = std::sync::Arc::downgrade(provider.registry());
    drop(provider);
    assert!(held.upgrade().is_none());
    // A cumulative reader may still report its last values.
    let _ = sums(&meters, &exporter);
}

/// A component run is timed; a cached decision is not.
#[cfg(feature = "components")]
#[test]
fn only_a_component_run_records_a_duration() {
    use spanmux::otel::RuntimeContextExt as _;
    use spanmux::{Chain, Limits, RuntimeContext, SelectorHost};

    let (provider, meters, exporter) = observed();
    let host = SelectorHost::new(Limits::default()).unwrap();
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../selectors/50-environment.wasm"
    );
    let selector = host.load_file(file).unwrap();
    let chain = Chain::from(selector);
    provider.registry().set_selectors(chain);
    for _ in 0..3 {
        let context = RuntimeContext::builder().set("environment", "production");
        let cx = opentelemetry::Context::new().with_runtime_context(context.build());
        drop(provider.tracer("shop").start_with_context("root", &cx));
    }
    let sums = sums(&meters, &exporter);
    assert_eq!(sums.get("spanmux.selections.cached"), Some(&2), "{sums:#?}");
    let collected = exporter.get_finished_metrics().unwrap();
    let runs = collected
        .iter()
        .flat_map(ResourceMetrics::scope_metrics)
        .flat_map(|scope| scope.metrics())
        .filter_map(|metric| match metric.data() {
            AggregatedMetrics::F64(MetricData::Histogram(times)) => Some(times),
            _ => None,
        })
        .flat_map(|times| times.data_points())
        .map(|point| point.count());
    assert_eq!(runs.sum::<u64>(), 1);
}
