//! A `tracing` layer that routes the spans of the `tracing` crate.

use opentelemetry::trace::TracerProvider as _;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::provider::RoutingTracerProvider;
use super::reentrancy::ReentrancyGuard;
use super::tracer::RoutingTracer;

/// An `OpenTelemetryLayer` over a [`RoutingTracer`], behind a [`RoutingFilter`].
///
/// To add your own filter, wrap the layer: `provider.layer().with_filter(…)`.
pub type RoutingLayer<S> = Filtered<OpenTelemetryLayer<S, RoutingTracer>, RoutingFilter, S>;

/// The name of the layer's instrumentation scope.
const SCOPE: &str = "tracing";

/// The `tracing` layer.
impl RoutingTracerProvider {
    /// Returns a layer for a service that uses `tracing-subscriber`. Every `tracing` span
    /// becomes a span of the tracer that is selected for its trace. Libraries that emit
    /// spans with `gen_ai.*` fields need no change.
    ///
    /// A span starts when it is entered, when its context is requested, or when a child
    /// of it starts. The selector sees all fields recorded before that under `span.`, and
    /// a remote parent that was set before that is used. A root span uses the runtime
    /// context of the current OpenTelemetry context, even with `parent: None`.
    ///
    /// Wrap the layer in a filter, such as
    /// `provider.layer().with_filter(LevelFilter::INFO)`: HTTP/2 libraries open hundreds
    /// of spans at lower levels for each request, and most of them are root spans. A
    /// filtered span between a span and its parent does no harm. Only a span that names a
    /// filtered span as its explicit parent becomes a root span.
    ///
    /// Add one layer with one provider. Two such layers in one subscriber panic at the
    /// first span, because both store their data in the same location. To route among
    /// tracers, use a single provider.
    ///
    /// In a `tracing_subscriber::reload::Layer`, use
    /// [`reloadable_layer`](Self::reloadable_layer): a layer with a filter, such as this
    /// one, cannot be put there later.
    ///
    /// Three options of `OpenTelemetryLayer` are disabled here: the source location and
    /// the thread, which describe the instrumentation and the worker rather than the
    /// application, and busy and idle times, which read the clock at each poll of a task.
    /// The target stays enabled because it names the library, and selectors may use
    /// `span.target`. [`layer_with`](Self::layer_with) changes these options.
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
    /// let run = RuntimeContext::builder().set("tenant", "acme").build();
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

    /// Like [`layer`](Self::layer), with other options.
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
        options(self.plain_layer()).with_filter(RoutingFilter::default())
    }

    /// Returns the layer without a filter.
    pub(super) fn plain_layer<S>(&self) -> OpenTelemetryLayer<S, RoutingTracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        OpenTelemetryLayer::new(self.tracer(SCOPE).looking_around())
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
    }
}

/// A filter that keeps spans and events about tracing itself out of traces: those of
/// Spanmux and the OpenTelemetry crates, and those that a selector or exporter emits on
/// the thread that starts or ends a span. The other layers of the subscriber still
/// receive them.
///
/// Without the filter, a span opened by a selector would be attached as the current
/// context while OpenTelemetry has borrowed that context, which panics while a lock is
/// held.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoutingFilter {
    _private: (),
}

/// The crates whose spans and events concern tracing itself.
const OWN: [&str; 11] = [
    "spanmux",
    "spanmux_core",
    "spanmux_component",
    "spanmux_export",
    "spanmux_otel",
    "spanmux_genai",
    "spanmux_config",
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry-http",
    "opentelemetry-otlp",
];

pub(super) fn is_own(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    OWN.contains(&target.split("::").next().unwrap_or(target))
}

impl<S> Filter<S> for RoutingFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _context: &Context<'_, S>) -> bool {
        !is_own(metadata) && !ReentrancyGuard::is_current()
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_own(metadata) {
            Interest::never()
        } else {
            Interest::sometimes()
        }
    }
}
