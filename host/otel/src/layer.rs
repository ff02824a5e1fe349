//! The layer by which spans of the `tracing` crate are routed.

use opentelemetry::trace::TracerProvider as _;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::inside::Inside;
use super::provider::RoutingTracerProvider;
use super::tracer::RoutingTracer;

/// One `OpenTelemetryLayer` over a [`RoutingTracer`], behind a [`RoutingFilter`].
///
/// A filter of your own goes around it: `provider.layer().with_filter(…)`.
pub type RoutingLayer<S> = Filtered<OpenTelemetryLayer<S, RoutingTracer>, RoutingFilter, S>;

/// The name of the layer's instrumentation scope.
const SCOPE: &str = "tracing";

/// The `tracing` layer.
impl RoutingTracerProvider {
    /// The layer that a service which uses `tracing-subscriber` adds: every `tracing`
    /// span becomes a span of the tracer that its trace goes to. Libraries that emit
    /// spans with `gen_ai.*` fields need no change.
    ///
    /// The span starts when it is entered, when its context is asked for, or when a
    /// child of it starts. So what was recorded until then is seen by the selector
    /// under `span.`, and a remote parent that was set until then is the parent. A
    /// root span finds the runtime context of the OpenTelemetry context that is
    /// current, also one with `parent: None`.
    ///
    /// Put a filter around it, such as `provider.layer().with_filter(LevelFilter::INFO)`:
    /// libraries for HTTP/2 open hundreds of spans at lower levels for each request, and
    /// most of them are roots. Between a span and its parent, one that is filtered out is
    /// not missed; only what names it as its explicit parent becomes a root of its own.
    ///
    /// Add one layer for one provider: two of them in one subscriber panic at the
    /// first span, because each keeps its data where the other does. Routing among
    /// tracers is what the provider is for.
    ///
    /// Of the options of `OpenTelemetryLayer`, three are off here: the source location
    /// and the thread, which say where the instrumentation stands and which worker ran
    /// it, and busy and idle times, which read the clock at each poll of a task. The
    /// target stays, because it names the library, and a selector may ask for
    /// `span.target`. [`layer_with`](Self::layer_with) changes them.
    ///
    /// # Examples
    /// ```
    /// use opentelemetry_sdk::trace::SdkTracerProvider;
    /// use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt};
    /// use spanmux::{Chain, RuntimeContext, selector_fn};
    /// use std::sync::Arc;
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// let provider = RoutingTracerProvider::builder()
    ///     .tracer("acme", SdkTracerProvider::builder())
    ///     .selectors(Chain::from(selector_fn("by-tenant", |context, tracers| {
    ///         tracers.choose(context.text("tenant").unwrap_or_default())
    ///     })))
    ///     .build()?;
    /// let subscriber = tracing_subscriber::registry().with(provider.layer());
    /// let _guard = tracing::subscriber::set_default(subscriber); // or `.init()`
    ///
    /// let run = RuntimeContext::builder().set("tenant", "acme").build()?;
    /// let _run = opentelemetry::Context::current().with_runtime_context(run).attach();
    /// tracing::info_span!("answer", gen_ai.operation.name = "chat").in_scope(|| {});
    /// assert_eq!(provider.registry().counts().chosen, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn layer<S>(&self) -> RoutingLayer<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        self.layer_with(|layer| layer)
    }

    /// [`layer`](Self::layer) with other options.
    ///
    /// # Examples
    /// ```
    /// # use opentelemetry_sdk::trace::SdkTracerProvider;
    /// # use spanmux::otel::RoutingTracerProvider;
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// # let provider = RoutingTracerProvider::builder()
    /// #     .tracer("only", SdkTracerProvider::builder())
    /// #     .build()?;
    /// let layer = provider.layer_with(|layer| layer.with_location(true).with_target(false));
    /// let subscriber = tracing_subscriber::registry().with(layer);
    /// # drop(subscriber);
    /// # Ok::<(), spanmux::otel::BuildError>(())
    /// ```
    pub fn layer_with<S>(
        &self,
        options: impl FnOnce(
            OpenTelemetryLayer<S, RoutingTracer>,
        ) -> OpenTelemetryLayer<S, RoutingTracer>,
    ) -> RoutingLayer<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let layer = OpenTelemetryLayer::new(self.tracer(SCOPE).looking_around())
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        options(layer).with_filter(RoutingFilter::default())
    }
}

/// Keeps what tells of tracing itself out of the traces: what Spanmux and the
/// OpenTelemetry crates say, and what a selector or an exporter says on the thread that
/// starts or ends a span. All of it still reaches the other layers of the subscriber.
///
/// A span that a selector opens would otherwise be attached as the current context
/// while OpenTelemetry holds that one, which is a panic in the middle of a lock.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoutingFilter {
    _private: (),
}

/// The crates that tell of tracing itself.
const OWN: [&str; 5] = [
    "spanmux",
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry-http",
    "opentelemetry-otlp",
];

fn is_own(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    OWN.contains(&target.split("::").next().unwrap_or(target))
}

impl<S> Filter<S> for RoutingFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _context: &Context<'_, S>) -> bool {
        !is_own(metadata) && !Inside::is_current()
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match is_own(metadata) {
            true => Interest::never(),
            false => Interest::sometimes(),
        }
    }
}
