//! A `tracing` layer that can be replaced at run time.

use tracing::{Event, Metadata, Subscriber, span};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::layer::is_own;
use super::provider::RoutingTracerProvider;
use super::reentrancy::ReentrancyGuard;
use super::tracer::RoutingTracer;

/// A layer for `tracing_subscriber::reload`, returned by
/// [`RoutingTracerProvider::reloadable_layer`].
pub struct ReloadableLayer<S> {
    inner: OpenTelemetryLayer<S, RoutingTracer>,
}

impl RoutingTracerProvider {
    /// Like [`layer`](Self::layer), for a layer that is put into a
    /// `tracing_subscriber::reload::Layer` or replaced there: it has no filter of
    /// `tracing-subscriber`, which has to be known when the subscriber is built, and skips
    /// spans and events about tracing itself on its own.
    ///
    /// `tracing-subscriber` does not look into a reloadable layer, so the methods of
    /// `OpenTelemetrySpanExt` have no effect on its spans. A remote parent is used if its
    /// context is attached when the span is created.
    ///
    /// # Examples
    /// ```
    /// # use opentelemetry_sdk::trace::SdkTracerProvider;
    /// use spanmux::otel::ReloadableLayer;
    /// # use spanmux::otel::RoutingTracerProvider;
    /// use tracing_subscriber::layer::SubscriberExt;
    /// use tracing_subscriber::reload;
    ///
    /// # let provider = RoutingTracerProvider::builder()
    /// #     .tracer("only", SdkTracerProvider::builder())
    /// #     .build()?;
    /// let (layer, handle) = reload::Layer::new(None::<ReloadableLayer<_>>);
    /// let subscriber = tracing_subscriber::registry().with(layer);
    /// let _guard = tracing::subscriber::set_default(subscriber);
    /// handle.reload(Some(provider.reloadable_layer()))?;
    /// tracing::info_span!("answer").in_scope(|| {});
    /// assert_eq!(provider.registry().counts().total(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reloadable_layer<S>(&self) -> ReloadableLayer<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        ReloadableLayer {
            inner: self.plain_layer(),
        }
    }
}

fn is_skipped(metadata: &Metadata<'_>) -> bool {
    is_own(metadata) || ReentrancyGuard::is_current()
}

/// Returns `true` unless the layer has seen the span.
fn is_skipped_span<S>(id: &span::Id, cx: &Context<'_, S>) -> bool
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    ReentrancyGuard::is_current() || cx.metadata(id).is_none_or(is_own)
}

impl<S> Layer<S> for ReloadableLayer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, cx: Context<'_, S>) {
        if !is_skipped(attributes.metadata()) {
            self.inner.on_new_span(attributes, id, cx);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, cx: Context<'_, S>) {
        if !is_skipped_span(id, &cx) {
            self.inner.on_record(id, values, cx);
        }
    }

    fn on_follows_from(&self, id: &span::Id, follows: &span::Id, cx: Context<'_, S>) {
        if !is_skipped_span(id, &cx) {
            self.inner.on_follows_from(id, follows, cx);
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        if !is_skipped(event.metadata()) {
            self.inner.on_event(event, cx);
        }
    }

    fn on_enter(&self, id: &span::Id, cx: Context<'_, S>) {
        if !is_skipped_span(id, &cx) {
            self.inner.on_enter(id, cx);
        }
    }

    fn on_exit(&self, id: &span::Id, cx: Context<'_, S>) {
        if !is_skipped_span(id, &cx) {
            self.inner.on_exit(id, cx);
        }
    }

    fn on_close(&self, id: span::Id, cx: Context<'_, S>) {
        if !is_skipped_span(&id, &cx) {
            self.inner.on_close(id, cx);
        }
    }
}

impl<S> std::fmt::Debug for ReloadableLayer<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReloadableLayer").finish_non_exhaustive()
    }
}
