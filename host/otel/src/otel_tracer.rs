//! A tracer of the registry: an `SdkTracerProvider` with an identity.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, TracerProviderBuilder};
use parking_lot::Mutex;

use super::append_list::AppendList;
use super::scope::Scope;
use super::trace_id::RoutedIds;
use super::tracer_stats::TracerStats;
use super::user_code;
use spanmux_core::{Lifecycle, Undelivered};
use spanmux_export::delivery::DeliveryCounts;
use spanmux_export::internal::{DEFAULT_DEADLINE, Exporting, Pipeline, after};

/// A tracer that the registry can select: an [`SdkTracerProvider`] with its own identity.
///
/// A tracer built [from a builder](Self::from_builder) or from a
/// [`TracerConfig`](super::TracerConfig) assigns trace ids that carry the selected
/// tracer, and its spans cost hardly more than those of the SDK. A
/// [ready-made](Self::new) provider also works. Its spans carry the selected tracer in
/// their `tracestate`, which the SDK copies from parent to child several times.
///
/// The identity belongs to the value and not to the name. An open trace stays with the
/// value in which it began, even if the name is later given to another tracer.
///
/// Dropping the last reference to a tracer shuts down its provider, unless someone else
/// holds the provider, and waits for its exporters. If an open span holds the last
/// reference, this happens on a separate thread. To remove a tracer and get the result of
/// its shutdown, call
/// [`RoutingTracerProvider::remove`](super::RoutingTracerProvider::remove).
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
/// assert!(registry.force_flush().failed.is_empty());
/// # Ok::<(), spanmux::RegisterError>(())
/// ```
pub struct OtelTracer {
    provider: SdkTracerProvider,
    has_routed_ids: bool,
    /// Stored here and not in the routing tracers, so that they are dropped with the
    /// tracer. A scope is a library, so there are few.
    scoped: AppendList<(Arc<Scope>, SdkTracer)>,
    routes: AppendList<RouteNumber>,
    stopped: AtomicBool,
    /// Locked during a flush of a ready-made provider, which has no deadline.
    flushing: Mutex<()>,
    max_open: u64,
    /// Outlives the tracer, so that its counts are kept.
    stats: Arc<TracerStats>,
}

/// The number that a routing provider assigned to a tracer under one of its names.
struct RouteNumber {
    provider: u64,
    name: Box<str>,
    number: u64,
}

impl OtelTracer {
    /// Creates a tracer from a provider builder, so that its trace ids can carry the
    /// selected tracer.
    ///
    /// Replaces the builder's id generator with one whose ids look as random to samplers
    /// as those of the SDK. If a provider needs its own id generator, build it first and
    /// use [`new`](Self::new).
    pub fn from_builder(builder: TracerProviderBuilder) -> Self {
        let builder = builder.with_id_generator(RoutedIds::default());
        Self::of(builder.build(), true)
    }

    /// Creates a tracer from a ready-made provider.
    pub fn new(provider: SdkTracerProvider) -> Self {
        Self::of(provider, false)
    }

    fn of(provider: SdkTracerProvider, has_routed_ids: bool) -> Self {
        Self {
            provider,
            has_routed_ids,
            scoped: AppendList::default(),
            routes: AppendList::default(),
            stopped: AtomicBool::new(false),
            flushing: Mutex::new(()),
            max_open: u64::MAX,
            stats: Arc::default(),
        }
    }

    /// Adds exporters that were built by this crate.
    pub(super) fn with_exporters(mut self, exporters: Vec<Exporting>) -> Self {
        self.stats = Arc::new(TracerStats::new(exporters));
        self
    }

    /// Limits the number of open spans.
    pub(super) fn with_max_open(mut self, max_open: usize) -> Self {
        self.max_open = max_open as u64;
        self
    }

    /// Returns the delivery counts of each exporter, by name. Only exporters of a
    /// [`TracerConfig`](super::TracerConfig) are counted.
    pub fn delivery(&self) -> Vec<(String, DeliveryCounts)> {
        self.stats.delivery()
    }

    /// Returns the number of open recording spans.
    pub fn open_spans(&self) -> u64 {
        self.stats.open()
    }

    /// Returns the underlying provider.
    pub fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    /// Returns `true` if new traces use the id that is offered to the provider.
    pub(super) fn has_routed_ids(&self) -> bool {
        self.has_routed_ids
    }

    pub(super) fn stats(&self) -> &Arc<TracerStats> {
        &self.stats
    }

    pub(super) fn is_full(&self) -> bool {
        self.stats.open() >= self.max_open
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Records that the provider no longer exports anything.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Returns the SDK's tracer of this scope.
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

    /// Returns the number that a routing provider assigned to this tracer under a name.
    /// Calls `give` if it has not assigned one yet.
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

/// The methods of OpenTelemetry's SDK. [`Lifecycle`] reports the same outcome with the
/// numbers of lost and waiting spans.
impl OtelTracer {
    /// Exports the spans that have ended, with a timeout of 10 seconds.
    ///
    /// # Errors
    /// See [`force_flush_with_timeout`](Self::force_flush_with_timeout).
    pub fn force_flush(&self) -> OTelSdkResult {
        self.force_flush_with_timeout(DEFAULT_DEADLINE)
    }

    /// Exports the spans that have ended.
    ///
    /// # Errors
    /// Returns [`OTelSdkError::Timeout`] if the timeout expires first. Returns
    /// [`OTelSdkError::InternalFailure`] if spans were lost since the previous flush.
    pub fn force_flush_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        sdk_result(self.flush_within(timeout), timeout)
    }

    /// Exports the spans that have ended and shuts down, with a timeout of 10 seconds.
    /// A second call has no effect.
    ///
    /// # Errors
    /// See [`shutdown_with_timeout`](Self::shutdown_with_timeout).
    pub fn shutdown(&self) -> OTelSdkResult {
        self.shutdown_with_timeout(DEFAULT_DEADLINE)
    }

    /// Exports the spans that have ended and shuts down. A second call has no effect.
    ///
    /// # Errors
    /// Returns [`OTelSdkError::Timeout`] if the timeout expires first. Returns
    /// [`OTelSdkError::InternalFailure`] if spans were lost.
    pub fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        sdk_result(self.close_within(timeout), timeout)
    }
}

/// Converts an outcome into the result type of the SDK.
fn sdk_result(done: Result<(), Box<dyn Error + Send + Sync>>, timeout: Duration) -> OTelSdkResult {
    let Err(error) = done else { return Ok(()) };
    match error.downcast::<OTelSdkError>() {
        Ok(error) => Err(*error),
        Err(error) => match error.downcast::<Undelivered>() {
            Ok(undelivered) if undelivered.timed_out => Err(OTelSdkError::Timeout(timeout)),
            Ok(undelivered) => Err(OTelSdkError::InternalFailure(undelivered.message)),
            Err(error) => Err(OTelSdkError::InternalFailure(error.to_string())),
        },
    }
}

/// The longest wait for a root span that selected a removed tracer just before the
/// removal. It is longer than a decision takes. It is bounded because an application may
/// hold the tracer forever.
const CHOSEN: Duration = Duration::from_secs(1);

/// The polling interval of that wait.
const LOOK: Duration = Duration::from_millis(1);

impl OtelTracer {
    /// Waits up to three quarters of `time` until the open spans have ended and no root
    /// span is about to start in this tracer, then shuts it down. Spans that are still
    /// open end as no-ops and are counted. Spans that have already ended are sent during
    /// the wait.
    ///
    /// The tracer must no longer be in any registry.
    pub(super) fn drain_within(
        self: &Arc<Self>,
        time: Duration,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let deadline = after(time);
        let until = after(time - time / 4);
        let exporters = self.stats.exporters();
        exporters.iter().for_each(|it| it.pipeline().flush());
        self.stats.wait_for_open(until);
        self.wait_for_chosen(until.min(after(CHOSEN)));
        let open = self.stats.wait_for_open(until);
        let described = (open > 0).then(|| self.stats.roots().describe(open));
        let left = deadline.saturating_duration_since(Instant::now());
        match (described, self.close_exporters(left)) {
            (None, done) => done,
            (Some(open), done) => {
                let mut rest = still_open(&open, done);
                rest.timed_out = true;
                Err(rest.into())
            }
        }
    }

    /// Waits until no one else holds the tracer. A thread that selected it holds a
    /// reference until its span has started; then the span holds one.
    fn wait_for_chosen(self: &Arc<Self>, until: Instant) {
        while Arc::strong_count(self) > 1 && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
    }

    /// Drops the tracer on a separate thread, or on this one if no thread can be started.
    pub(super) fn retire(self) {
        let thread = std::thread::Builder::new().name("spanmux-retire".to_owned());
        // Dropping it runs the shutdown of the processors.
        let retire = move || user_code::run("drop of a tracer", || drop(self));
        if let Err(error) = thread.spawn(retire) {
            tracing::warn!(%error, "no thread available; tracer shut down on the current one");
        }
    }

    /// Waits for each exporter and returns the undelivered spans.
    fn wait(&self, wait: impl Fn(&dyn Pipeline) -> bool) -> Result<(), Undelivered> {
        let mut all = Undelivered::default();
        let mut messages = Vec::new();
        for exporting in self.stats.exporters() {
            let in_time = wait(exporting.pipeline());
            if let Some(rest) = exporting.tell(in_time) {
                all.lost += rest.lost.total();
                all.waiting += rest.waiting;
                all.timed_out |= !in_time;
                messages.push(format!("{}: {rest}", exporting.name));
            }
        }
        all.message = messages.join("; ");
        if messages.is_empty() {
            Ok(())
        } else {
            Err(all)
        }
    }
}

fn still_open(open: &str, done: Result<(), Box<dyn Error + Send + Sync>>) -> Undelivered {
    let rest = done.err().map(|error| match error.downcast() {
        Ok(undelivered) => *undelivered,
        Err(error) => Undelivered {
            message: error.to_string(),
            ..Undelivered::default()
        },
    });
    let mut rest = rest.unwrap_or_default();
    let more = if rest.message.is_empty() {
        String::new()
    } else {
        format!("; {}", rest.message)
    };
    rest.message = format!("spans still open: {open}{more}");
    rest
}

impl OtelTracer {
    /// Uses the counts of the tracer's own exporters: the flush fails if any span was
    /// lost since the previous one, regardless of the backend's responses. For a
    /// ready-made provider, only the SDK's result is available.
    fn flush_within(&self, time: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
        let exporters = self.stats.exporters();
        if exporters.is_empty() {
            // A flush of the SDK may never return. Then a later one waits for it and gives up,
            // so that at most one thread is stuck.
            let Some(_flushing) = self.flushing.try_lock_for(time) else {
                return Err(OTelSdkError::Timeout(time).into());
            };
            return Ok(self.provider.force_flush()?);
        }
        let deadline = after(time);
        exporters.iter().for_each(|it| it.pipeline().flush());
        Ok(self.wait(|pipeline| pipeline.wait_for_flush(deadline))?)
    }

    /// Shuts down. Spans that are still open are lost, so they make the shutdown fail. A
    /// second call is harmless, even if the application shut down the provider itself.
    fn close_within(&self, time: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
        let open = self.stats.describe_open().filter(|_| !self.is_stopped());
        match (open, self.close_exporters(time)) {
            (None, done) => done,
            (Some(open), done) => Err(still_open(&open, done).into()),
        }
    }

    fn close_exporters(&self, time: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.stop();
        let deadline = after(time);
        let exporters = self.stats.exporters();
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

impl Lifecycle for OtelTracer {
    fn force_flush(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.flush_within(DEFAULT_DEADLINE)
    }

    fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.close_within(DEFAULT_DEADLINE)
    }

    fn force_flush_with_timeout(&self, time: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.flush_within(time)
    }

    fn shutdown_with_timeout(&self, time: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.close_within(time)
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
