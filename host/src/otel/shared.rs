//! What a routing tracer provider and its tracers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::external::Remembered;
use super::lost::LostSpans;
use super::otel_tracer::OtelTracer;
use super::routes::Routes;
use super::telemetry::Telemetry;
use crate::context::RuntimeContext;
use crate::delivery::DeliveryCounts;
use crate::registry::TracerRegistry;

/// The registry, the routes of open traces, and what was lost.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) registry: Arc<TracerRegistry<OtelTracer>>,
    pub(super) routes: Routes,
    /// For roots to which no runtime context is attached.
    pub(super) knows_nothing: RuntimeContext,
    pub(super) external: Remembered,
    pub(super) telemetry: Telemetry,
    tracer_gone: AtomicU64,
    late_signals: AtomicU64,
}

impl Shared {
    pub(super) fn new(registry: Arc<TracerRegistry<OtelTracer>>) -> Self {
        Self {
            registry,
            routes: Routes::new(),
            knows_nothing: RuntimeContext::empty(),
            external: Remembered::default(),
            telemetry: Telemetry::default(),
            tracer_gone: AtomicU64::new(0),
            late_signals: AtomicU64::new(0),
        }
    }

    /// The spans that were lost because their tracer had come to its end.
    pub(super) fn lost(&self) -> LostSpans {
        LostSpans {
            after_shutdown: self.routes.lost(),
            tracer_gone: self.tracer_gone.load(Ordering::Relaxed),
            late_signals: self.late_signals.load(Ordering::Relaxed),
        }
    }

    /// What became of the spans of each tracer's exporters.
    pub(super) fn delivery(&self) -> Vec<(String, &'static str, DeliveryCounts)> {
        let tracers = self.registry.list().into_iter();
        let counts = tracers.flat_map(|(name, tracer)| {
            let of = move |(exporter, counts)| (name.clone(), exporter, counts);
            tracer.delivery().into_iter().map(of)
        });
        counts.collect()
    }

    pub(super) fn count_tracer_gone(&self) {
        self.tracer_gone.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_late_signal(&self) {
        self.late_signals.fetch_add(1, Ordering::Relaxed);
    }
}
