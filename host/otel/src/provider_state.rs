//! State shared by a routing tracer provider and its tracers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::dropped::DroppedSpans;
use super::external::Remembered;
use super::inbound::{InboundCounters, TruncatedNames};
use super::otel_tracer::OtelTracer;
use super::routes::Routes;
use super::settings::Settings;
use super::telemetry::Telemetry;
use super::tracer_stats::{Totals, TracerDelivery};
use spanmux_core::RuntimeContext;
use spanmux_core::TracerRegistry;

/// The registry, the routes of open traces, and the counters of dropped spans.
#[derive(Debug)]
pub(super) struct ProviderState {
    pub(super) registry: Arc<TracerRegistry<OtelTracer>>,
    pub(super) routes: Routes,
    pub(super) settings: Settings,
    pub(super) inbound: InboundCounters,
    pub(super) truncated: TruncatedNames,
    /// The empty runtime context, for root spans without an attached one.
    pub(super) knows_nothing: RuntimeContext,
    pub(super) external: Remembered,
    pub(super) telemetry: Telemetry,
    tracer_gone: AtomicU64,
    late_signals: AtomicU64,
}

impl ProviderState {
    pub(super) fn new(registry: Arc<TracerRegistry<OtelTracer>>, settings: Settings) -> Self {
        Self {
            registry,
            routes: Routes::new(),
            settings,
            inbound: InboundCounters::default(),
            truncated: TruncatedNames::default(),
            knows_nothing: RuntimeContext::empty(),
            external: Remembered::default(),
            telemetry: Telemetry::default(),
            tracer_gone: AtomicU64::new(0),
            late_signals: AtomicU64::new(0),
        }
    }

    /// Returns the spans that were dropped before they reached an exporter.
    pub(super) fn dropped(&self) -> DroppedSpans {
        let mut dropped = self.routes.dropped();
        dropped.tracer_gone += self.tracer_gone.load(Ordering::Relaxed);
        dropped.late_signals += self.late_signals.load(Ordering::Relaxed);
        dropped
    }

    /// Returns the delivery counts of each tracer.
    pub(super) fn delivery(&self) -> Vec<TracerDelivery> {
        let registered = self.registry.distinct();
        let mut totals = Totals::default();
        let mut all_stats = Vec::new();
        for (name, tracer) in registered {
            totals.add(tracer.stats().read(name));
            all_stats.push(tracer.stats().clone());
        }
        self.routes.read(&all_stats, &mut totals);
        totals.into_vec()
    }

    pub(super) fn count_tracer_gone(&self) {
        self.tracer_gone.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_late_signal(&self) {
        self.late_signals.fetch_add(1, Ordering::Relaxed);
    }
}
