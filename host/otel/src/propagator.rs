//! A propagator that writes the selected tracer into outgoing contexts.

use std::fmt;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceState};

use super::inbound::Outbound;
use super::provider_state::ProviderState;
use super::{baggage, baggage_header};
use super::{traceparent, tracestate, tracestate_header};

/// A propagator for W3C Trace Context that also tells the next process which tracer was
/// selected, as the `tracestate` entry `spanmux=<name>:…`.
///
/// Inside the process, the selected tracer may be carried by the trace id alone, which
/// another process cannot decode. If no other process needs the selection, the SDK's own
/// `TraceContextPropagator` also works with a
/// [`RoutingTracerProvider`](super::RoutingTracerProvider).
///
/// It reads and writes `traceparent` and `tracestate` by the recommendation: a request
/// whose `traceparent` is invalid or occurs twice begins a new trace, an invalid
/// `tracestate` is dropped as a whole, and if our entry exceeds the limit of 32 members,
/// the last member of another vendor is dropped. Members may be spread over several
/// headers if [`Extractor::get_all`] returns them.
///
/// If a setting of the provider needs baggage ([`Outbound`](super::Outbound),
/// [`Inbound`](super::Inbound), or
/// [`baggage_keys`](super::RoutingTracerProviderBuilder::baggage_keys)), this propagator
/// also reads and writes the `baggage` header, by the recommendation of the W3C: values
/// may contain `=`, properties are kept, invalid members are skipped, and at most 64
/// members and 8,192 bytes are propagated. Do not install a `BaggagePropagator` in
/// addition: if two propagators write the same header, the last one wins.
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
    state: Arc<ProviderState>,
    has_baggage: bool,
    fields: Vec<String>,
}

impl RoutingPropagator {
    pub(super) fn new(state: Arc<ProviderState>) -> Self {
        let has_baggage = state.settings.needs_baggage();
        let baggage = has_baggage.then_some(baggage_header::HEADER);
        let fields = [traceparent::HEADER, tracestate_header::HEADER];
        let fields = fields.into_iter().chain(baggage);
        Self {
            has_baggage,
            fields: fields.map(str::to_owned).collect(),
            state,
        }
    }

    /// Removes the baggage entry of another selection, unless the trace only passes
    /// through.
    fn inject_baggage(
        &self,
        cx: &Context,
        state: Option<&TraceState>,
        injector: &mut dyn Injector,
    ) {
        let says_so = self.state.settings.outbound == Outbound::TracestateAndBaggage;
        let ours;
        let baggage = match state {
            Some(state) => {
                let name = tracestate::name(state).filter(|_| says_so);
                ours = baggage::with_tracer(cx.baggage(), name);
                &ours
            }
            None => cx.baggage(),
        };
        if let Some(header) = baggage_header::write(baggage, baggage::MEMBER) {
            injector.set(baggage_header::HEADER, header);
        }
    }
}

impl TextMapPropagator for RoutingPropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let context = span.span_context();
        let ours = self.state.routes.outbound(context);
        if self.has_baggage {
            self.inject_baggage(cx, ours.as_ref(), injector);
        }
        if !context.is_valid() {
            return;
        }
        injector.set(traceparent::HEADER, traceparent::write(context));
        let state = ours.as_ref().unwrap_or(context.trace_state());
        if let Some(header) = tracestate_header::write(state, context.trace_id(), cx) {
            injector.set(tracestate_header::HEADER, header);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let cx = match traceparent::extract(extractor) {
            Some(parent) => {
                let received = tracestate_header::extract(extractor);
                let cx = received.keep_rest(parent.trace, cx.clone());
                let (trace, span) = (parent.trace, parent.span);
                let parent = SpanContext::new(trace, span, parent.flags, true, received.state);
                cx.with_remote_span_context(parent)
            }
            None => cx.clone(),
        };
        let baggage = self.has_baggage.then(|| baggage_header::extract(extractor));
        match baggage.flatten() {
            Some(baggage) => cx.with_baggage(baggage),
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
