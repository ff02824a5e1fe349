//! A propagator that writes the selected tracer into outgoing contexts.

use std::fmt;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt as _, TraceState};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

use super::baggage;
use super::inbound::Outbound;
use super::shared::Shared;
use super::tracestate;

/// The SDK's [`TraceContextPropagator`], extended to tell the next process which tracer
/// was selected, as the `tracestate` entry `spanmux=<name>:…`.
///
/// Inside the process, the selected tracer may be carried by the trace id alone, which
/// another process cannot decode. If no other process needs the selection, the SDK's own
/// propagator also works with a [`RoutingTracerProvider`](super::RoutingTracerProvider).
///
/// If a setting of the provider needs baggage ([`Outbound`](super::Outbound),
/// [`Inbound`](super::Inbound), or
/// [`baggage_keys`](super::RoutingTracerProviderBuilder::baggage_keys)), this propagator
/// also acts as the SDK's [`BaggagePropagator`]. Do not install another one in addition:
/// if two propagators write the same header, the last one wins.
///
/// # Examples
/// ```
/// use opentelemetry::propagation::TextMapPropagator;
/// use opentelemetry::trace::{Tracer, TracerProvider};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanmux::otel::RoutingTracerProvider;
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
///     assert!(headers["tracestate"].starts_with("spanmux=langfuse:"));
/// });
/// # Ok::<(), spanmux::otel::BuildError>(())
/// ```
pub struct RoutingPropagator {
    shared: Arc<Shared>,
    w3c: TraceContextPropagator,
    baggage: Option<BaggagePropagator>,
    fields: Vec<String>,
}

impl RoutingPropagator {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let w3c = TraceContextPropagator::new();
        let needed = shared.settings.needs_baggage();
        let baggage = needed.then(BaggagePropagator::new);
        let more = baggage.iter().flat_map(|baggage| baggage.fields());
        let fields = w3c.fields().chain(more).map(str::to_owned).collect();
        Self {
            shared,
            w3c,
            baggage,
            fields,
        }
    }

    /// Removes the baggage entry of another selection, unless the trace only passes
    /// through.
    fn inject_baggage(
        &self,
        propagator: &BaggagePropagator,
        cx: &Context,
        state: Option<&TraceState>,
        injector: &mut dyn Injector,
    ) {
        let says_so = self.shared.settings.outbound == Outbound::TracestateAndBaggage;
        match state {
            Some(state) => {
                let name = tracestate::name(state).filter(|_| says_so);
                propagator.inject_context(&baggage::with_tracer(cx, name), injector);
            }
            None => propagator.inject_context(cx, injector),
        }
    }
}

impl TextMapPropagator for RoutingPropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let context = span.span_context();
        let state = self.shared.routes.outbound(context);
        if let Some(propagator) = &self.baggage {
            self.inject_baggage(propagator, cx, state.as_ref(), injector);
        }
        match state {
            Some(state) => {
                let marked = tracestate::with_state(context, state);
                let cx = Context::new().with_remote_span_context(marked);
                self.w3c.inject_context(&cx, injector);
            }
            None => self.w3c.inject_context(cx, injector),
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let cx = self.w3c.extract_with_context(cx, extractor);
        match &self.baggage {
            Some(propagator) => propagator.extract_with_context(&cx, extractor),
            None => cx,
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

impl fmt::Debug for RoutingPropagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutingPropagator")
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}
