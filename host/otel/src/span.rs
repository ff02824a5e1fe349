//! A span of the tracer that was selected for its trace.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanBuilder, SpanContext, Status, TraceState, Tracer as _};
use opentelemetry::{Context, KeyValue};

use super::otel_tracer::OtelTracer;
use super::reentrancy::ReentrancyGuard;
use super::scope::Scope;
use super::tracestate;

static NOWHERE: SpanContext = SpanContext::NONE;

/// A span of the tracer that was selected for its trace, or a no-op span.
///
/// It holds a reference to its tracer, so an unregistered tracer lives as long as its
/// open traces.
#[derive(Debug)]
pub struct RoutingSpan {
    /// Shown instead of the context of the SDK's span: the same context with our
    /// `tracestate` entry, or the parent's context for a no-op span.
    context: Option<SpanContext>,
    routed: Option<Routed>,
}

/// The fields are dropped in this order: the SDK's span needs its tracer until the end.
#[derive(Debug)]
struct Routed {
    span: opentelemetry_sdk::trace::Span,
    tracer: Held,
}

impl Routed {
    fn new(span: opentelemetry_sdk::trace::Span, tracer: Arc<OtelTracer>) -> Self {
        if span.is_recording() {
            tracer.stats().opened();
        }
        let tracer = Held(Some(tracer));
        Self { span, tracer }
    }

    /// Ends the span once, and counts it if its tracer no longer exports spans.
    fn end(&mut self, timestamp: Option<SystemTime>) {
        if !self.span.is_recording() {
            return;
        }
        let tracer = self.tracer.0.as_ref();
        if let Some(tracer) = tracer.filter(|tracer| tracer.is_stopped())
            && self.span.span_context().is_sampled()
        {
            tracer.stats().count_after_shutdown();
        }
        let guard = ReentrancyGuard::enter();
        match timestamp {
            Some(timestamp) => self.span.end_with_timestamp(timestamp),
            None => self.span.end(),
        }
        drop(guard);
        if let Some(tracer) = tracer {
            tracer.stats().closed();
        }
    }
}

impl Drop for Routed {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// A span's reference to its tracer. `None` only during the drop.
#[derive(Debug)]
struct Held(Option<Arc<OtelTracer>>);

/// Dropping the last reference to a tracer shuts its provider down and waits for
/// exporters. This must not block the thread that ends a span.
impl Drop for Held {
    fn drop(&mut self) {
        if let Some(last) = self.0.take().and_then(Arc::into_inner) {
            last.retire();
        }
    }
}

/// The reason why a span was not started.
#[derive(Clone, Copy)]
enum Refusal {
    Stopped,
    TooManyOpen,
}

/// A span that its tracer refused to start.
pub(super) struct Refused<'a> {
    tracer: &'a OtelTracer,
    why: Refusal,
}

impl Refused<'_> {
    /// Returns a no-op span that shows this context. The refused span is counted if it
    /// would have been exported.
    pub(super) fn showing(self, counts: bool, context: SpanContext) -> RoutingSpan {
        let stats = self.tracer.stats();
        match self.why {
            Refusal::Stopped => {
                self.tracer.stop();
                if counts {
                    stats.count_after_shutdown();
                }
            }
            Refusal::TooManyOpen if counts => stats.count_too_many_open(),
            Refusal::TooManyOpen => {}
        }
        RoutingSpan::showing(context)
    }
}

impl RoutingSpan {
    /// Returns a no-op span without a context.
    pub(super) fn nowhere() -> Self {
        Self {
            context: None,
            routed: None,
        }
    }

    /// Returns a no-op span that shows this context, so that spans below it see the same
    /// parent as without it.
    pub(super) fn showing(context: SpanContext) -> Self {
        Self {
            context: Some(context),
            routed: None,
        }
    }

    /// Starts a span of `tracer`. If the tracer is shut down or has too many open spans,
    /// returns the result of `refused`.
    ///
    /// The SDK's span is large. It is moved once, and callers return it directly where
    /// they can.
    pub(super) fn start(
        tracer: Arc<OtelTracer>,
        scope: &Arc<Scope>,
        builder: SpanBuilder,
        parent_cx: &Context,
        refused: impl FnOnce(Refused<'_>) -> Self,
    ) -> Self {
        // Not atomic: threads that check concurrently may slightly exceed the limit.
        if tracer.is_full() {
            let why = Refusal::TooManyOpen;
            return refused(Refused {
                tracer: &tracer,
                why,
            });
        }
        let span = tracer.scoped(scope).build_with_context(builder, parent_cx);
        // A provider that is shut down returns spans without a context.
        if !span.span_context().is_valid() {
            let why = Refusal::Stopped;
            return refused(Refused {
                tracer: &tracer,
                why,
            });
        }
        Self {
            context: None,
            routed: Some(Routed::new(span, tracer)),
        }
    }

    /// Replaces the `tracestate` that the span shows.
    pub(super) fn show_state(&mut self, state: TraceState) {
        self.context = Some(tracestate::with_state(self.span_context(), state));
    }

    fn span(&mut self) -> Option<&mut opentelemetry_sdk::trace::Span> {
        self.routed.as_mut().map(|routed| &mut routed.span)
    }
}

impl Span for RoutingSpan {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        if let Some(span) = self.span() {
            span.add_event_with_timestamp(name, timestamp, attributes);
        }
    }

    fn span_context(&self) -> &SpanContext {
        match (&self.context, &self.routed) {
            (Some(context), _) => context,
            (None, Some(routed)) => routed.span.span_context(),
            (None, None) => &NOWHERE,
        }
    }

    fn is_recording(&self) -> bool {
        self.routed
            .as_ref()
            .is_some_and(|routed| routed.span.is_recording())
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(span) = self.span() {
            span.set_attribute(attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(span) = self.span() {
            span.set_status(status);
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(span) = self.span() {
            span.update_name(new_name);
        }
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(span) = self.span() {
            span.add_link(span_context, attributes);
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(routed) = &mut self.routed {
            routed.end(Some(timestamp));
        }
    }
}
