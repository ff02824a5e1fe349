//! A span of the tracer that its trace was sent to.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanBuilder, SpanContext, Status, TraceState, Tracer as _};
use opentelemetry::{Context, KeyValue};

use super::inside::Inside;
use super::mark;
use super::otel_tracer::OtelTracer;
use super::scope::Scope;

static NOWHERE: SpanContext = SpanContext::NONE;

/// A span of the tracer that its trace was sent to, or one that does nothing.
///
/// It holds its tracer, so a tracer that was unregistered lasts as long as the
/// open traces in it.
#[derive(Debug)]
pub struct RoutingSpan {
    /// What is shown in place of the SDK's own: the same with the mark, or the
    /// parent's for a span that does nothing.
    context: Option<SpanContext>,
    routed: Option<Routed>,
}

/// Dropped in this order: the SDK's span needs its tracer to the end.
#[derive(Debug)]
struct Routed {
    span: opentelemetry_sdk::trace::Span,
    tracer: Held,
}

impl Routed {
    fn new(span: opentelemetry_sdk::trace::Span, tracer: Arc<OtelTracer>) -> Self {
        if span.is_recording() {
            tracer.ledger().opened();
        }
        let tracer = Held(Some(tracer));
        Self { span, tracer }
    }

    /// Ends the span once, and counts it if that is for nothing.
    fn end(&mut self, timestamp: Option<SystemTime>) {
        if !self.span.is_recording() {
            return;
        }
        let tracer = self.tracer.0.as_ref();
        if let Some(tracer) = tracer.filter(|tracer| tracer.is_stopped())
            && self.span.span_context().is_sampled()
        {
            tracer.ledger().count_after_shutdown();
        }
        let inside = Inside::enter();
        match timestamp {
            Some(timestamp) => self.span.end_with_timestamp(timestamp),
            None => self.span.end(),
        }
        drop(inside);
        if let Some(tracer) = tracer {
            tracer.ledger().closed();
        }
    }
}

impl Drop for Routed {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// A span's hold on its tracer; none only while it is dropped.
#[derive(Debug)]
struct Held(Option<Arc<OtelTracer>>);

/// The last one to let go of a tracer shuts its provider down, which waits for
/// exporters. The thread that ends a span must not.
impl Drop for Held {
    fn drop(&mut self) {
        if let Some(last) = self.0.take().and_then(Arc::into_inner) {
            last.retire();
        }
    }
}

/// Why a span was not started.
#[derive(Clone, Copy)]
enum Refusal {
    Stopped,
    TooManyOpen,
}

/// A span that a tracer did not start.
pub(super) struct Refused<'a> {
    tracer: &'a OtelTracer,
    why: Refusal,
}

impl Refused<'_> {
    /// A span in its place that does nothing and shows this context. It is counted
    /// if it would have been exported.
    pub(super) fn showing(self, counts: bool, context: SpanContext) -> RoutingSpan {
        let ledger = self.tracer.ledger();
        match self.why {
            Refusal::Stopped => {
                self.tracer.stop();
                if counts {
                    ledger.count_after_shutdown();
                }
            }
            Refusal::TooManyOpen if counts => ledger.count_too_many_open(),
            Refusal::TooManyOpen => {}
        }
        RoutingSpan::showing(context)
    }
}

impl RoutingSpan {
    /// A span that does nothing and shows no context.
    pub(super) fn nowhere() -> Self {
        Self {
            context: None,
            routed: None,
        }
    }

    /// A span that does nothing and shows this context, so that what starts below
    /// it sees what it would have seen without it.
    pub(super) fn showing(context: SpanContext) -> Self {
        Self {
            context: Some(context),
            routed: None,
        }
    }

    /// Starts a span of `tracer`; what `refused` says if that is shut down or has too
    /// many.
    ///
    /// The SDK's span is large, so it is moved once, and callers return this as it
    /// is where they can.
    pub(super) fn start(
        tracer: Arc<OtelTracer>,
        scope: &Arc<Scope>,
        builder: SpanBuilder,
        parent_cx: &Context,
        refused: impl FnOnce(Refused<'_>) -> Self,
    ) -> Self {
        // Threads that look at once may be let through together.
        if tracer.is_full() {
            let why = Refusal::TooManyOpen;
            return refused(Refused {
                tracer: &tracer,
                why,
            });
        }
        let span = tracer.scoped(scope).build_with_context(builder, parent_cx);
        // A provider that is shut down gives out spans without a context.
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

    /// Shows another `tracestate`.
    pub(super) fn show_state(&mut self, state: TraceState) {
        self.context = Some(mark::with_state(self.span_context(), state));
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
