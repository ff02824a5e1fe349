//! One tracer of the registry: an `SdkTracerProvider` with an identity.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use parking_lot::Mutex;

use super::mark;
use crate::registry::Lifecycle;

/// For how many instrumentation scopes a tracer keeps an `SdkTracer`. A scope is a
/// library, so there are few; a program that makes them up must not fill memory.
const MAX_KEPT_SCOPES: usize = 256;

type Scopes = HashMap<InstrumentationScope, SdkTracer, foldhash::fast::RandomState>;

/// One tracer that the registry may select: an [`SdkTracerProvider`], made by a
/// [`TracerConfig`](super::TracerConfig) or ready-made, with an identity of its
/// own.
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
/// registry.register("langfuse", OtelTracer::new(SdkTracerProvider::default()))?;
/// assert!(registry.flush().failed.is_empty());
/// # Ok::<(), spanway::RegisterError>(())
/// ```
pub struct OtelTracer {
    number: u64,
    provider: SdkTracerProvider,
    /// Kept here and not in the routing tracers, so that they go with the tracer.
    scopes: ArcSwap<Scopes>,
    /// Held while a scope is added, so that none is lost.
    adding: Mutex<()>,
    stopped: AtomicBool,
    /// Outlives the tracer, so that what was lost stays counted.
    lost: Arc<AtomicU64>,
}

impl OtelTracer {
    /// A tracer from a provider.
    pub fn new(provider: SdkTracerProvider) -> Self {
        Self {
            number: mark::number(),
            provider,
            scopes: ArcSwap::from_pointee(Scopes::default()),
            adding: Mutex::new(()),
            stopped: AtomicBool::new(false),
            lost: Arc::default(),
        }
    }

    /// The provider behind it.
    pub fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    pub(super) fn number(&self) -> u64 {
        self.number
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

    /// Calls `then` with the SDK's tracer of this scope.
    ///
    /// # Cost
    /// One look-up without a lock. The first span of a scope copies the few scopes
    /// there are.
    pub(super) fn with_scope<R>(
        &self,
        scope: &InstrumentationScope,
        then: impl FnOnce(&SdkTracer) -> R,
    ) -> R {
        let scopes = self.scopes.load();
        match scopes.get(scope) {
            Some(tracer) => then(tracer),
            None => {
                let tracer = self.provider.tracer_with_scope(scope.clone());
                self.keep(scope, &tracer);
                then(&tracer)
            }
        }
    }

    fn keep(&self, scope: &InstrumentationScope, tracer: &SdkTracer) {
        let _adding = self.adding.lock();
        let scopes = self.scopes.load();
        if scopes.len() < MAX_KEPT_SCOPES {
            let mut next = Scopes::clone(&scopes);
            next.insert(scope.clone(), tracer.clone());
            self.scopes.store(Arc::new(next));
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

impl fmt::Debug for OtelTracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtelTracer")
            .field("number", &format_args!("{:x}", self.number))
            .field("stopped", &self.is_stopped())
            .finish_non_exhaustive()
    }
}
