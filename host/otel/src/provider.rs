//! The routing tracer provider.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::metrics::Meter;
use opentelemetry::trace::TracerProvider;

use super::builder::RoutingTracerProviderBuilder;
use super::external::ExternalTraces;
use super::inbound::InboundCounts;
use super::ledger::TracerDelivery;
use super::lost::LostSpans;
use super::otel_tracer::OtelTracer;
use super::propagator::RoutingPropagator;
use super::settings::Settings;
use super::shared::Shared;
use super::telemetry;
use super::tracer::RoutingTracer;
use spanmux_core::{LifecycleReport, TracerRegistry, UnknownTracerError};
use spanmux_export::internal::DEFAULT_DEADLINE;

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
/// use spanmux::otel::{OtelTracer, RoutingTracerProvider};
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
        Self::with_settings(registry, Settings::default())
    }

    pub(super) fn with_settings(
        registry: Arc<TracerRegistry<OtelTracer>>,
        settings: Settings,
    ) -> Self {
        Self {
            shared: Arc::new(Shared::new(registry, settings)),
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

    /// How often a choice came in where the builder says that it is
    /// [followed](super::Inbound), and what became of it.
    pub fn inbound(&self) -> InboundCounts {
        self.shared.inbound.read()
    }

    /// Asks each tracer to export what it holds, with 10 seconds of time: those of the
    /// registry, and those that left it and still have open traces.
    ///
    /// A tracer that was made here succeeds if all that ended before was delivered,
    /// and nothing was lost since this was asked last.
    pub fn flush(&self) -> LifecycleReport {
        self.flush_within(DEFAULT_DEADLINE)
    }

    /// [`flush`](Self::flush) with another time. All tracers are asked at once, each on
    /// a thread of its own, and one that is not done in time is not waited for.
    ///
    /// It blocks the thread that calls it. On an async runtime, call it where blocking
    /// is no harm.
    pub fn flush_within(&self, time: Duration) -> LifecycleReport {
        let mut tracers = self.shared.registry.distinct();
        tracers.extend(self.retired());
        LifecycleReport::flush(tracers, time)
    }

    /// Empties the registry and shuts down its tracers, and those that left it and
    /// still have open traces, with 10 seconds of time. Nothing is exported afterwards:
    /// open spans end as spans that do nothing, and are [counted](Self::lost). A second
    /// call finds nothing to do.
    ///
    /// A span that ends in this very moment may be counted although it is still
    /// exported.
    pub fn shutdown(&self) -> LifecycleReport {
        self.shutdown_within(DEFAULT_DEADLINE)
    }

    /// [`shutdown`](Self::shutdown) with another time, kept as
    /// [`flush_within`](Self::flush_within) keeps it. What an exporter has not begun to
    /// send when the time is up is lost, and counted.
    pub fn shutdown_within(&self, time: Duration) -> LifecycleReport {
        let retired = self.retired();
        let mut tracers = self.shared.registry.take_distinct();
        tracers.extend(retired);
        LifecycleReport::shutdown(tracers, time)
    }

    /// Takes a tracer out of the registry, waits until its open traces have ended, for
    /// three quarters of the time at most, and shuts it down. What is open then ends as
    /// spans that do nothing, and is [counted](Self::lost). A tracer that has another
    /// name still is left as it is.
    ///
    /// A root that chose it just before starts in it. So it is waited for who holds the
    /// tracer besides, for a second at most, because spans that have ended may be kept.
    ///
    /// # Errors
    /// [`UnknownTracerError`] if no tracer has this name.
    ///
    /// # Examples
    /// ```
    /// use opentelemetry::trace::{Tracer, TracerProvider};
    /// use spanmux::exporters::Exporter;
    /// use spanmux::otel::{RoutingTracerProvider, TracerConfig};
    /// use std::time::Duration;
    ///
    /// let provider = RoutingTracerProvider::builder()
    ///     .tracer("old", TracerConfig::new("shop").exporter(Exporter::discard()))
    ///     .build()?;
    /// provider.tracer("shop").in_span("answer", |_context| {});
    /// let report = provider.remove("old", Duration::from_secs(30))?;
    /// assert_eq!(report.succeeded, ["old"]);
    ///
    /// let (_exporter, counts) = &provider.delivery()[0].exporters[0];
    /// assert_eq!((counts.ended, counts.delivered, counts.lost()), (1, 1, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove(
        &self,
        name: &str,
        time: Duration,
    ) -> Result<LifecycleReport, UnknownTracerError> {
        let registry = &self.shared.registry;
        let tracer = registry.take_out(name)?;
        let mut tracers = vec![(name.to_owned(), tracer)];
        let others = registry.distinct();
        let stays = |tracer| others.iter().any(|(_, known)| Arc::ptr_eq(known, tracer));
        if tracers.iter().any(|(_, tracer)| stays(tracer)) {
            return Ok(LifecycleReport::flush(tracers, time));
        }
        let drained = std::mem::take(&mut tracers);
        Ok(LifecycleReport::of(drained, time, |tracer, time| {
            tracer.drain_within(time)
        }))
    }

    /// Gives Spanmux's own metrics to a meter of yours. Call it once.
    ///
    /// | instrument | of what | attributes |
    /// |---|---|---|
    /// | `spanmux.selections` | traces | `spanmux.tracer`, `spanmux.selector`, `spanmux.fallback` |
    /// | `spanmux.selections.learned` | selections for which no component ran | |
    /// | `spanmux.selector.duration` | seconds that selectors ran, as a histogram | `spanmux.selector` |
    /// | `spanmux.selectors.changes` | times that the chain was set | |
    /// | `spanmux.spans.exported` | spans that came to an exporter | `spanmux.tracer`, `spanmux.exporter`, `spanmux.outcome` |
    /// | `spanmux.export.retries` | attempts beyond the first of a batch | `spanmux.tracer`, `spanmux.exporter` |
    /// | `spanmux.spans.lost` | spans that no exporter was handed | |
    /// | `spanmux.spans.open` | spans that are open now | `spanmux.tracer` |
    /// | `spanmux.spans.waiting`, `spanmux.spans.spilled` | spans that wait now, in memory and on disk | `spanmux.tracer`, `spanmux.exporter` |
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
    /// use spanmux::otel::RoutingTracerProvider;
    ///
    /// let exporter = InMemoryMetricExporter::default();
    /// let meters = SdkMeterProvider::builder().with_periodic_exporter(exporter).build();
    /// let provider = RoutingTracerProvider::builder().build()?;
    /// provider.observe(&meters.meter("spanmux"));
    /// # Ok::<(), spanmux::otel::BuildError>(())
    /// ```
    pub fn observe(&self, meter: &Meter) {
        telemetry::observe(&self.shared, meter);
    }

    /// The spans that no exporter was handed, because their tracer had come to its
    /// end or had too many.
    pub fn lost(&self) -> LostSpans {
        self.shared.lost()
    }

    /// What became of the spans of each tracer, by the tracers' names: of those of the
    /// registry, and of those that left it after they were selected. What was counted
    /// stays when a tracer goes.
    pub fn delivery(&self) -> Vec<TracerDelivery> {
        self.shared.delivery()
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
