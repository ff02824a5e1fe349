//! What a routing tracer provider and its tracers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::external::Remembered;
use super::otel_tracer::OtelTracer;
use super::routes::Routes;
use crate::context::RuntimeContext;
use crate::registry::TracerRegistry;

/// The registry, the routes of open traces, and what was lost.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) registry: Arc<TracerRegistry<OtelTracer>>,
    pub(super) routes: Routes,
    /// For roots to which no runtime context is attached.
    pub(super) knows_nothing: RuntimeContext,
    pub(super) external: Remembered,
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
            tracer_gone: AtomicU64::new(0),
            late_signals: AtomicU64::new(0),
        }
    }

    pub(super) fn tracer_gone(&self) -> u64 {
        self.tracer_gone.load(Ordering::Relaxed)
    }

    pub(super) fn count_tracer_gone(&self) {
        self.tracer_gone.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn late_signals(&self) -> u64 {
        self.late_signals.load(Ordering::Relaxed)
    }

    pub(super) fn count_late_signal(&self) {
        self.late_signals.fetch_add(1, Ordering::Relaxed);
    }
}
