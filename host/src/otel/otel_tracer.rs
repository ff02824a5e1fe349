//! One tracer of the registry: an `SdkTracerProvider` with an identity.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, TracerProviderBuilder};

use super::list::List;
use super::scope::Scope;
use super::trace_id::RoutedIds;
use crate::delivery::{DeliveryCounts, Meter};
use crate::registry::Lifecycle;

/// One tracer that the registry may select: an [`SdkTracerProvider`] with an
/// identity of its own.
///
/// Made [from a builder](Self::from_builder), or by a
/// [`TracerConfig`](super::TracerConfig), it gives a trace an id that carries the
/// choice of the tracer, and a span costs hardly more than the SDK's own. A
/// [ready-made](Self::new) provider works as well; its spans carry the choice in
/// their `tracestate`, which the SDK copies from parent to child several times.
///
/// The identity belongs to the value and not to the name: an open trace stays with
/// the value that it began in, whatever its name means later.
///
/// Dropping the last reference to a tracer whose provider nobody else holds shuts
/// the provider down, and that waits for its exporter. An unregistered tracer is
/// held by its open spans, so keep it and call
/// [`shutdown`](Lifecycle::shutdown) where waiting is no harm.
///
/// # Examples
/// ```
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanway::TracerRegistry;
/// use spanway::otel::OtelTracer;
///
/// let registry = TracerRegistry::new();
/// registry.register("langfuse", OtelTracer::from_builder(SdkTracerProvider::builder()))?;
/// registry.register("console", OtelTracer::new(SdkTracerProvider::default()))?;
/// assert!(registry.flush().failed.is_empty());
/// # Ok::<(), spanway::RegisterError>(())
/// ```
pub struct OtelTracer {
    provider: SdkTracerProvider,
    has_routed_ids: bool,
    /// Kept here and not in the routing tracers, so that they go with the tracer.
    /// A scope is a library, so there are few.
    scoped: List<(Arc<Scope>, SdkTracer)>,
    routes: List<RouteNumber>,
    stopped: AtomicBool,
    /// By the names of the exporters.
    meters: Vec<(&'static str, Arc<Meter>)>,
    /// Outlives the tracer, so that what was lost stays counted.
    lost: Arc<AtomicU64>,
}

/// What a routing provider calls a tracer under one of its names.
struct RouteNumber {
    provider: u64,
    name: Box<str>,
    number: u64,
}

impl OtelTracer {
    /// A tracer from a provider that is built here, so that its trace ids can
    /// carry the choice.
    ///
    /// The builder's id generator is replaced by one that draws ids as random as
    /// the SDK's own, as far as samplers look at them. Hand a provider that needs
    /// one of its own in ready-made.
    pub fn from_builder(builder: TracerProviderBuilder) -> Self {
        let builder = builder.with_id_generator(RoutedIds::default());
        Self::of(builder.build(), true)
    }

    /// A tracer from a ready-made provider.
    pub fn new(provider: SdkTracerProvider) -> Self {
        Self::of(provider, false)
    }

    fn of(provider: SdkTracerProvider, has_routed_ids: bool) -> Self {
        Self {
            provider,
            has_routed_ids,
            scoped: List::default(),
            routes: List::default(),
            stopped: AtomicBool::new(false),
            meters: Vec::new(),
            lost: Arc::default(),
        }
    }

    /// With the meters of exporters that were made here.
    pub(super) fn with_meters(mut self, meters: Vec<(&'static str, Arc<Meter>)>) -> Self {
        self.meters = meters;
        self
    }

    /// What became of the spans of each exporter, by the exporters' names. Only those
    /// of a [`TracerConfig`](super::TracerConfig) are counted.
    pub fn delivery(&self) -> Vec<(&'static str, DeliveryCounts)> {
        let read = |(name, meter): &(&'static str, Arc<Meter>)| (*name, meter.read());
        self.meters.iter().map(read).collect()
    }

    /// The provider behind it.
    pub fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    /// Whether it gives a new trace the id that is offered to it.
    pub(super) fn has_routed_ids(&self) -> bool {
        self.has_routed_ids
    }

    pub(super) fn lost(&self) -> &Arc<AtomicU64> {
        &self.lost
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Remembers that the provider exports nothing any more.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// The SDK's tracer of this scope.
    pub(super) fn scoped(&self, scope: &Arc<Scope>) -> Cow<'_, SdkTracer> {
        let make = || self.provider.tracer_with_scope(scope.named().clone());
        let kept = self.scoped.find_or_add(
            |(known, _)| known == scope,
            || Some((scope.clone(), make())),
        );
        match kept {
            Some((_, tracer)) => Cow::Borrowed(tracer),
            None => Cow::Owned(make()),
        }
    }

    /// The number that a routing provider gave this tracer under a name; what
    /// `give` says if it did not yet.
    pub(super) fn route_number(
        &self,
        provider: u64,
        name: &str,
        give: impl Fn() -> Option<u64>,
    ) -> Option<u64> {
        let is = |known: &RouteNumber| known.provider == provider && *known.name == *name;
        let make = || {
            let (name, number) = (name.into(), give()?);
            Some(RouteNumber {
                provider,
                name,
                number,
            })
        };
        match self.routes.find_or_add(is, make) {
            Some(known) => Some(known.number),
            None => give(),
        }
    }
}

impl Lifecycle for OtelTracer {
    fn flush(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.provider.force_flush()?)
    }

    /// A second call is harmless, also where the application shut the provider
    /// down itself.
    fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.stop();
        match self.provider.shutdown() {
            Ok(()) | Err(OTelSdkError::AlreadyShutdown) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<SdkTracerProvider> for OtelTracer {
    fn from(provider: SdkTracerProvider) -> Self {
        Self::new(provider)
    }
}

impl From<TracerProviderBuilder> for OtelTracer {
    fn from(builder: TracerProviderBuilder) -> Self {
        Self::from_builder(builder)
    }
}

impl fmt::Debug for OtelTracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtelTracer")
            .field("has_routed_ids", &self.has_routed_ids)
            .field("stopped", &self.is_stopped())
            .finish_non_exhaustive()
    }
}
