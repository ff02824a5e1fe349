//! Contexts that leave the process.

use std::fmt;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::mark;
use super::shared::Shared;

/// The SDK's [`TraceContextPropagator`] that also tells the next process which
/// tracer was chosen, as the `tracestate` member `spanway=<name>:…`.
///
/// Inside the process a trace id may be all that carries the choice, and another
/// process cannot read it. The SDK's own propagator works as well with a
/// [`RoutingTracerProvider`](super::RoutingTracerProvider) where nobody needs to
/// know.
///
/// # Examples
/// ```
/// use opentelemetry::propagation::TextMapPropagator;
/// use opentelemetry::trace::{Tracer, TracerProvider};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanway::otel::RoutingTracerProvider;
/// use std::collections::HashMap;
///
/// let provider = RoutingTracerProvider::builder()
///     .tracer("langfuse", SdkTracerProvider::builder())
///     .build()?;
/// opentelemetry::global::set_text_map_propagator(provider.propagator());
///
/// provider.tracer("shop").in_span("answer", |context| {
///     let mut headers = HashMap::new();
///     provider.propagator().inject_context(&context, &mut headers);
///     assert!(headers["tracestate"].starts_with("spanway=langfuse:"));
/// });
/// # Ok::<(), spanway::otel::BuildError>(())
/// ```
pub struct RoutingPropagator {
    shared: Arc<Shared>,
    w3c: TraceContextPropagator,
}

impl RoutingPropagator {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            w3c: TraceContextPropagator::new(),
        }
    }
}

impl TextMapPropagator for RoutingPropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let context = span.span_context();
        match self.shared.routes.outbound(context) {
            Some(state) => {
                let marked = mark::with_state(context, state);
                let cx = Context::new().with_remote_span_context(marked);
                self.w3c.inject_context(&cx, injector);
            }
            None => self.w3c.inject_context(cx, injector),
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.w3c.extract_with_context(cx, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        self.w3c.fields()
    }
}

impl fmt::Debug for RoutingPropagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutingPropagator").finish_non_exhaustive()
    }
}
