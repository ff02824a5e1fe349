//! The routing tracer provider.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::metrics::Meter;
use opentelemetry::trace::TracerProvider;

use super::builder::RoutingTracerProviderBuilder;
use super::dropped::DroppedSpans;
use super::external::ExternalTraces;
use super::inbound::InboundCounts;
use super::otel_tracer::OtelTracer;
use super::propagator::RoutingPropagator;
use super::provider_state::ProviderState;
use super::settings::Settings;
use super::telemetry;
use super::tracer::RoutingTracer;
use super::tracer_stats::TracerDelivery;
use spanmux_core::{LifecycleReport, TracerRegistry, UnknownTracerError};
use spanmux_export::internal::DEFAULT_DEADLINE;

/// A tracer provider that sends each trace to the tracer that a registry selects for it.
///
/// Pass it to [`opentelemetry::global::set_tracer_provider`] instead of an
/// `SdkTracerProvider`. Cloning is cheap; all clones share one provider. The
/// [module documentation](super) lists the guarantees.
///
/// A native selector runs inside the call that starts a span. OpenTelemetry may have
/// borrowed the current context at that time, so a selector must not attach another one:
/// it would panic, and the trace would go to the fallback tracer.
///
/// # Examples
/// Tracers and selectors can change at any time. Open traces keep their tracer:
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
    state: Arc<ProviderState>,
}

impl RoutingTracerProvider {
    /// Creates a provider for an existing registry.
    pub fn new(registry: Arc<TracerRegistry<OtelTracer>>) -> Self {
        Self::with_settings(registry, Settings::default())
    }

    pub(super) fn with_settings(
        registry: Arc<TracerRegistry<OtelTracer>>,
        settings: Settings,
    ) -> Self {
        Self {
            state: Arc::new(ProviderState::new(registry, settings)),
        }
    }

    /// Returns a builder for a provider with its own registry.
    pub fn builder() -> RoutingTracerProviderBuilder {
        RoutingTracerProviderBuilder::default()
    }

    /// Returns the registry, for changes at run time.
    pub fn registry(&self) -> &Arc<TracerRegistry<OtelTracer>> {
        &self.state.registry
    }

    /// Returns a propagator that writes span contexts into requests, including the
    /// selected tracer.
    pub fn propagator(&self) -> RoutingPropagator {
        RoutingPropagator::new(self.state.clone())
    }

    /// Returns the number of received selections that were [followed](super::Inbound) and
    /// the number that named an unknown tracer.
    pub fn inbound_counts(&self) -> InboundCounts {
        self.state.inbound.read()
    }

    /// Asks every tracer to export its buffered spans, with a timeout of 10 seconds. This
    /// includes tracers that have left the registry but still have open traces.
    ///
    /// A tracer built by this crate succeeds if all spans that ended before the call were
    /// delivered and no span was lost since the previous flush.
    pub fn force_flush(&self) -> LifecycleReport {
        self.force_flush_with_timeout(DEFAULT_DEADLINE)
    }

    /// Like [`force_flush`](Self::force_flush), with the given timeout. All tracers are flushed
    /// concurrently, each on its own thread. The call does not wait for tracers that
    /// exceed the timeout.
    ///
    /// It blocks the calling thread. In an async runtime, call it where blocking is
    /// allowed.
    pub fn force_flush_with_timeout(&self, time: Duration) -> LifecycleReport {
        let mut tracers = self.state.registry.distinct();
        tracers.extend(self.retired());
        self.state.registry.force_flush_each(tracers, time)
    }

    /// Empties the registry and shuts down its tracers, with a timeout of 10 seconds.
    /// This includes tracers that have left the registry but still have open traces.
    /// Nothing is exported afterwards: open spans end as no-ops and are
    /// [counted](Self::dropped). A tracer with open spans is reported as failed, with
    /// their number and the names of up to 16 open root spans, and so is it logged. A
    /// second call has no effect.
    ///
    /// A span that ends during the call may be counted even though it is still exported.
    pub fn shutdown(&self) -> LifecycleReport {
        self.shutdown_with_timeout(DEFAULT_DEADLINE)
    }

    /// Like [`shutdown`](Self::shutdown), with the given timeout, which works as in
    /// [`force_flush_with_timeout`](Self::force_flush_with_timeout). Spans that an exporter has not started to
    /// send when the timeout expires are lost and counted.
    pub fn shutdown_with_timeout(&self, time: Duration) -> LifecycleReport {
        let retired = self.retired();
        let mut tracers = self.state.registry.take_distinct();
        tracers.extend(retired);
        tracers
            .iter()
            .for_each(|(name, tracer)| log_open(name, tracer));
        self.state.registry.shutdown_each(tracers, time)
    }

    /// Removes a tracer from the registry, waits up to three quarters of `time` for its
    /// open traces to end, and shuts it down. Spans that are still open end as no-ops and
    /// are [counted](Self::dropped). A tracer that is also registered under another name is
    /// flushed and stays active.
    ///
    /// A root span that selected the tracer just before the removal still starts in it.
    /// The call therefore also waits until no one else holds a reference to the tracer.
    /// This wait is limited to one second, because the application may keep ended spans.
    ///
    /// # Errors
    /// Returns [`UnknownTracerError`] if no tracer has this name.
    ///
    /// # Examples
    /// ```
    /// use opentelemetry::trace::{Tracer, TracerProvider};
    /// use spanmux::exporters::Exporter;
    /// use spanmux::otel::{RoutingTracerProvider, TracerConfig};
    /// use std::time::Duration;
    ///
    /// let provider = RoutingTracerProvider::builder()
    ///     .service_name("shop")
    ///     .tracer("old", TracerConfig::new().exporter(Exporter::discard()))
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
        let registry = &self.state.registry;
        let tracer = registry.take_out(name)?;
        let mut tracers = vec![(name.to_owned(), tracer)];
        let others = registry.distinct();
        let stays = |tracer| others.iter().any(|(_, known)| Arc::ptr_eq(known, tracer));
        if tracers.iter().any(|(_, tracer)| stays(tracer)) {
            return Ok(registry.force_flush_each(tracers, time));
        }
        let drained = std::mem::take(&mut tracers);
        Ok(registry.each(drained, time, |tracer, time| tracer.drain_within(time)))
    }

    /// Registers Spanmux's own metrics with a meter. Call it once.
    ///
    /// | instrument | counts | attributes |
    /// |---|---|---|
    /// | `spanmux.selections` | traces | `spanmux.tracer`, `spanmux.selector`, `spanmux.fallback` |
    /// | `spanmux.selections.cached` | selections answered by the decision cache without running a component | |
    /// | `spanmux.selector.duration` | run time of selectors in seconds, as a histogram | `spanmux.selector` |
    /// | `spanmux.selectors.changes` | replacements of the selector chain | |
    /// | `spanmux.spans.exported` | spans handed to an exporter | `spanmux.tracer`, `spanmux.exporter`, `spanmux.outcome` |
    /// | `spanmux.export.retries` | attempts to send a batch after the first one | `spanmux.tracer`, `spanmux.exporter` |
    /// | `spanmux.spans.lost` | spans dropped before they reached an exporter | |
    /// | `spanmux.spans.open` | open spans | `spanmux.tracer` |
    /// | `spanmux.spans.waiting`, `spanmux.spans.spilled` | spans waiting in memory and buffered on disk | `spanmux.tracer`, `spanmux.exporter` |
    ///
    /// The callbacks of the meter read counters. They start no spans and do not keep the
    /// provider alive.
    ///
    /// # Cost
    /// Nothing for a native selector or a cached decision. A selection that runs a
    /// component records one histogram value.
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
        telemetry::observe(&self.state, meter);
    }

    /// Returns the number of spans that were dropped before they reached an exporter,
    /// because their tracer was shut down or had too many open spans.
    pub fn dropped(&self) -> DroppedSpans {
        self.state.dropped()
    }

    /// Returns the delivery counts of each tracer, sorted by name. The result includes
    /// tracers that have left the registry after being selected at least once. Counts are
    /// kept after a tracer is dropped.
    pub fn delivery(&self) -> Vec<TracerDelivery> {
        self.state.delivery()
    }

    /// Returns the number of remembered and forgotten
    /// [external traces](super::ExternalTrace).
    pub fn external_traces(&self) -> ExternalTraces {
        self.state.external.counts()
    }

    pub(super) fn state(&self) -> &ProviderState {
        &self.state
    }

    /// Returns the tracers that have left the registry, are not shut down, and are still
    /// referenced.
    fn retired(&self) -> Vec<(String, Arc<OtelTracer>)> {
        let registered = self.state.registry.list();
        let mut alive = self.state.routes.alive();
        alive.retain(|(_, tracer)| {
            !tracer.is_stopped()
                && !registered
                    .iter()
                    .any(|(_, known)| Arc::ptr_eq(known, tracer))
        });
        alive
    }
}

/// Logs the spans that are lost because their tracer shuts down.
fn log_open(name: &str, tracer: &OtelTracer) {
    if !tracer.is_stopped()
        && let Some(open) = tracer.stats().describe_open()
    {
        tracing::warn!(
            tracer = name,
            open,
            "spans are still open at shutdown and are lost; end them before"
        );
    }
}

impl TracerProvider for RoutingTracerProvider {
    type Tracer = RoutingTracer;

    fn tracer(&self, name: impl Into<Cow<'static, str>>) -> RoutingTracer {
        self.tracer_with_scope(InstrumentationScope::builder(name).build())
    }

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> RoutingTracer {
        RoutingTracer::new(self.state.clone(), scope)
    }
}
