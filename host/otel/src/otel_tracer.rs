//! One tracer of the registry: an `SdkTracerProvider` with an identity.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, TracerProviderBuilder};

use super::ledger::Ledger;
use super::list::List;
use super::scope::Scope;
use super::trace_id::RoutedIds;
use spanmux_core::{Lifecycle, Undelivered};
use spanmux_export::delivery::DeliveryCounts;
use spanmux_export::internal::{DEFAULT_DEADLINE, Exporting, Pipeline, after};

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
/// the provider down, and that waits for its exporters. Where the last one is an open
/// span's, a thread of its own does it. To take a tracer out and know how that went,
/// call [`RoutingTracerProvider::remove`](super::RoutingTracerProvider::remove).
///
/// # Examples
/// ```
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanmux::TracerRegistry;
/// use spanmux::otel::OtelTracer;
///
/// let registry = TracerRegistry::new();
/// registry.register("langfuse", OtelTracer::from_builder(SdkTracerProvider::builder()))?;
/// registry.register("console", OtelTracer::new(SdkTracerProvider::default()))?;
/// assert!(registry.flush().failed.is_empty());
/// # Ok::<(), spanmux::RegisterError>(())
/// ```
pub struct OtelTracer {
    provider: SdkTracerProvider,
    has_routed_ids: bool,
    /// Kept here and not in the routing tracers, so that they go with the tracer.
    /// A scope is a library, so there are few.
    scoped: List<(Arc<Scope>, SdkTracer)>,
    routes: List<RouteNumber>,
    stopped: AtomicBool,
    max_open: u64,
    /// Outlives the tracer, so that what it counted stays counted.
    ledger: Arc<Ledger>,
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
            max_open: u64::MAX,
            ledger: Arc::default(),
        }
    }

    /// With exporters that were made here.
    pub(super) fn with_exporters(mut self, exporters: Vec<Exporting>) -> Self {
        self.ledger = Arc::new(Ledger::new(exporters));
        self
    }

    /// No more than so many spans are open at once.
    pub(super) fn with_max_open(mut self, max_open: usize) -> Self {
        self.max_open = max_open as u64;
        self
    }

    /// What became of the spans of each exporter, by the exporters' names. Only those
    /// of a [`TracerConfig`](super::TracerConfig) are counted.
    pub fn delivery(&self) -> Vec<(String, DeliveryCounts)> {
        self.ledger.delivery()
    }

    /// How many recording spans have started and not ended.
    pub fn open_spans(&self) -> u64 {
        self.ledger.open()
    }

    /// The provider behind it.
    pub fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    /// Whether it gives a new trace the id that is offered to it.
    pub(super) fn has_routed_ids(&self) -> bool {
        self.has_routed_ids
    }

    pub(super) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(super) fn is_full(&self) -> bool {
        self.ledger.open() >= self.max_open
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Remembers that the provider exports nothing any more.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
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

/// How long a tracer that was taken out is kept for a root that chose it just before.
/// Longer than a decision takes, and an application may hold the tracer for ever.
const CHOSEN: Duration = Duration::from_secs(1);

/// How often it is looked whether one is left.
const LOOK: Duration = Duration::from_millis(1);

impl OtelTracer {
    /// Waits until its open spans have ended and no root is about to start in it, for
    /// three quarters of the time at most, then shuts it down. What is open still ends
    /// as spans that do nothing, and is counted. What ended before is sent meanwhile.
    ///
    /// It must be in no registry any more.
    pub(super) fn drain_within(
        self: &Arc<Self>,
        time: Duration,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let deadline = after(time);
        let until = after(time - time / 4);
        let exporters = self.ledger.exporters();
        exporters.iter().for_each(|it| it.pipeline().flush());
        self.ledger.wait_for_open(until);
        self.wait_for_chosen(until.min(after(CHOSEN)));
        let open = self.ledger.wait_for_open(until);
        let left = deadline.saturating_duration_since(Instant::now());
        let done = self.shutdown_within(left);
        match (open, done) {
            (0, done) => done,
            (open, done) => Err(still_open(open, done).into()),
        }
    }

    /// Waits until nobody else holds it. Who selected it holds it until its span has
    /// begun, and the span holds it then.
    fn wait_for_chosen(self: &Arc<Self>, until: Instant) {
        while Arc::strong_count(self) > 1 && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
    }

    /// Lets go of the provider on a thread of its own. If there is no thread, on this
    /// one.
    pub(super) fn retire(self) {
        let thread = std::thread::Builder::new().name("spanmux-retire".to_owned());
        if let Err(error) = thread.spawn(move || drop(self)) {
            tracing::warn!(%error, "a tracer came to its end where a span ended");
        }
    }

    /// Waits for each exporter, and says what was not delivered.
    fn wait(&self, wait: impl Fn(&dyn Pipeline) -> bool) -> Result<(), Undelivered> {
        let mut all = Undelivered::default();
        let mut messages = Vec::new();
        for exporting in self.ledger.exporters() {
            let in_time = wait(exporting.pipeline());
            if let Some(rest) = exporting.tell(in_time) {
                all.lost += rest.lost.total();
                all.waiting += rest.waiting;
                all.timed_out |= !in_time;
                messages.push(format!("{}: {rest}", exporting.name));
            }
        }
        all.message = messages.join("; ");
        match messages.is_empty() {
            true => Ok(()),
            false => Err(all),
        }
    }
}

fn still_open(open: u64, done: Result<(), Box<dyn Error + Send + Sync>>) -> Undelivered {
    let rest = done.err().map(|error| match error.downcast() {
        Ok(undelivered) => *undelivered,
        Err(error) => Undelivered {
            message: error.to_string(),
            ..Undelivered::default()
        },
    });
    let mut rest = rest.unwrap_or_default();
    let more = match rest.message.is_empty() {
        true => String::new(),
        false => format!("; {}", rest.message),
    };
    rest.message = format!("spans still open: {open}{more}");
    rest.timed_out = true;
    rest
}

impl Lifecycle for OtelTracer {
    fn flush(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.flush_within(DEFAULT_DEADLINE)
    }

    fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.shutdown_within(DEFAULT_DEADLINE)
    }

    /// What a tracer that was made here counted decides: it fails if anything was
    /// lost since the last flush, whatever a backend's answer was. Of a ready-made
    /// provider only the SDK's own result is known.
    fn flush_within(&self, time: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
        let exporters = self.ledger.exporters();
        if exporters.is_empty() {
            return Ok(self.provider.force_flush()?);
        }
        let deadline = after(time);
        exporters.iter().for_each(|it| it.pipeline().flush());
        Ok(self.wait(|pipeline| pipeline.wait_for_flush(deadline))?)
    }

    /// A second call is harmless, also where the application shut the provider
    /// down itself.
    fn shutdown_within(&self, time: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.stop();
        let deadline = after(time);
        let exporters = self.ledger.exporters();
        exporters.iter().for_each(Exporting::manage);
        match self.provider.shutdown_with_timeout(time) {
            Ok(()) | Err(OTelSdkError::AlreadyShutdown) => {}
            Err(error) => return Err(error.into()),
        }
        exporters
            .iter()
            .for_each(|it| it.pipeline().close(deadline));
        Ok(self.wait(|pipeline| pipeline.wait_for_close(deadline))?)
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
