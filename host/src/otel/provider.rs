//! The routing tracer provider.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::InstrumentationScope;
use opentelemetry::metrics::Meter;
use opentelemetry::trace::TracerProvider;

use super::builder::RoutingTracerProviderBuilder;
use super::external::ExternalTraces;
use super::lost::LostSpans;
use super::otel_tracer::OtelTracer;
use super::propagator::RoutingPropagator;
use super::shared::Shared;
use super::telemetry;
use super::tracer::RoutingTracer;
use crate::registry::{Lifecycle, LifecycleReport, TracerRegistry};

/// Sends each trace to the tracer that a registry selects for it.
///
/// Give it to [`opentelemetry::global::set_tracer_provider`] in place of one
/// `SdkTracerProvider`. Cheap to clone: all clones are one provider. See the
/// [module](super) for what holds.
///
/// A native selector is asked inside the call that starts a span. OpenTelemetry
/// may hold the current context then, so a selector must not attach another: it
/// would panic, and the trace would go to the fallback tracer.
///
/// # Examples
/// Tracers and selectors can change at any time; open traces stay where they are:
/// ```
/// use opentelemetry::trace::{Span, Tracer, TracerProvider};
/// use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
/// use spanway::otel::{OtelTracer, RoutingTracerProvider};
///
/// let before = InMemorySpanExporter::default();
/// let sdk = SdkTracerProvider::builder().with_simple_exporter(before.clone()).build();
/// let provider = RoutingTracerProvider::builder().tracer("a", sdk).build()?;
///
/// let mut span = provider.tracer("shop").start("answer");
/// provider.registry().unregister("a");
/// provider.registry().register("a", OtelTracer::new(SdkTracerProvider::default()))?;
/// span.end();
/// assert_eq!(before.get_finished_spans()?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RoutingTracerProvider {
    shared: Arc<Shared>,
}

impl RoutingTracerProvider {
    /// A provider over a registry of your own.
    pub fn new(registry: Arc<TracerRegistry<OtelTracer>>) -> Self {
        Self {
            shared: Arc::new(Shared::new(registry)),
        }
    }

    /// Starts a provider with a registry of its own.
    pub fn builder() -> RoutingTracerProviderBuilder {
        RoutingTracerProviderBuilder::default()
    }

    /// The registry, for changes at run time.
    pub fn registry(&self) -> &Arc<TracerRegistry<OtelTracer>> {
        &self.shared.registry
    }

    /// Writes spans' contexts into requests, with the choice of their tracer.
    pub fn propagator(&self) -> RoutingPropagator {
        RoutingPropagator::new(self.shared.clone())
    }

    /// Asks each tracer to export what it holds: those of the registry, and those
    /// that left it and still have open traces.
    pub fn flush(&self) -> LifecycleReport {
        let retired = self.retired();
        let report = self.shared.registry.flush();
        report.and(LifecycleReport::of(retired, OtelTracer::flush))
    }

    /// Empties the registry and shuts down its tracers, and those that left it and
    /// still have open traces. Nothing is exported afterwards: open spans end as
    /// spans that do nothing, and are [counted](Self::lost). A second call finds
    /// nothing to do.
    ///
    /// A span that ends in this very moment may be counted although it is still
    /// exported.
    pub fn shutdown(&self) -> LifecycleReport {
        let retired = self.retired();
        let report = self.shared.registry.shutdown();
        report.and(LifecycleReport::of(retired, OtelTracer::shutdown))
    }

    /// Gives Spanway's own metrics to a meter of yours. Call it once.
    ///
    /// | instrument | of what | attributes |
    /// |---|---|---|
    /// | `spanway.selections` | traces | `spanway.tracer`, `spanway.selector`, `spanway.fallback` |
    /// | `spanway.selections.learned` | selections for which no component ran | |
    /// | `spanway.selector.duration` | seconds that selectors ran, as a histogram | `spanway.selector` |
    /// | `spanway.selectors.changes` | times that the chain was set | |
    /// | `spanway.spans.exported` | spans that came to an exporter | `spanway.tracer`, `spanway.exporter`, `spanway.outcome` |
    /// | `spanway.export.retries` | attempts beyond the first of a batch | `spanway.tracer`, `spanway.exporter` |
    /// | `spanway.spans.lost` | spans whose tracer had come to its end | |
    ///
    /// The meter's callbacks read counts, start no span and do not keep the provider
    /// alive.
    ///
    /// # Cost
    /// Nothing for a selection that is known or native; for one that runs a
    /// component the recording of one number.
    ///
    /// # Examples
    /// ```
    /// use opentelemetry::metrics::MeterProvider;
    /// use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
    /// use spanway::otel::RoutingTracerProvider;
    ///
    /// let exporter = InMemoryMetricExporter::default();
    /// let meters = SdkMeterProvider::builder().with_periodic_exporter(exporter).build();
    /// let provider = RoutingTracerProvider::builder().build()?;
    /// provider.observe(&meters.meter("spanway"));
    /// # Ok::<(), spanway::otel::BuildError>(())
    /// ```
    pub fn observe(&self, meter: &Meter) {
        telemetry::observe(&self.shared, meter);
    }

    /// The spans that were lost because their tracer had come to its end.
    pub fn lost(&self) -> LostSpans {
        self.shared.lost()
    }

    /// What is remembered of [external traces](super::ExternalTrace).
    pub fn external_traces(&self) -> ExternalTraces {
        self.shared.external.counts()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Tracers that are no longer in the registry, not shut down, and still held.
    fn retired(&self) -> Vec<(String, Arc<OtelTracer>)> {
        let registered = self.shared.registry.list();
        let mut alive = self.shared.routes.alive();
        alive.retain(|(_, tracer)| {
            !tracer.is_stopped()
                && !registered
                    .iter()
                    .any(|(_, known)| Arc::ptr_eq(known, tracer))
        });
        alive
    }
}

impl TracerProvider for RoutingTracerProvider {
    type Tracer = RoutingTracer;

    fn tracer(&self, name: impl Into<Cow<'static, str>>) -> RoutingTracer {
        self.tracer_with_scope(InstrumentationScope::builder(name).build())
    }

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> RoutingTracer {
        RoutingTracer::new(self.shared.clone(), scope)
    }
}
