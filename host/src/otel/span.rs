//! A span of the tracer that its trace was sent to.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanBuilder, SpanContext, Status, TraceState, Tracer as _};
use opentelemetry::{Context, KeyValue};

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

/// Dropped in this order: the SDK's span may end here, and then needs its tracer.
#[derive(Debug)]
struct Routed {
    span: opentelemetry_sdk::trace::Span,
    tracer: Arc<OtelTracer>,
}

impl Routed {
    /// Counts the span if it is about to end for nothing.
    fn count_if_lost(&self) {
        if self.tracer.is_stopped()
            && self.span.is_recording()
            && self.span.span_context().is_sampled()
        {
            self.tracer.count_lost();
        }
    }
}

impl Drop for Routed {
    fn drop(&mut self) {
        self.count_if_lost();
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

    /// A span whose tracer is shut down: it shows this context, and is counted if
    /// it would have been exported.
    pub(super) fn stopped(tracer: &OtelTracer, counts: bool, context: SpanContext) -> Self {
        tracer.stop();
        if counts {
            tracer.count_lost();
        }
        Self::showing(context)
    }

    /// A span that does nothing and shows this context, so that what starts below
    /// it sees what it would have seen without it.
    pub(super) fn showing(context: SpanContext) -> Self {
        Self {
            context: Some(context),
            routed: None,
        }
    }

    /// Starts a span of `tracer`; what `stopped` says if that is shut down.
    ///
    /// The SDK's span is large, so it is moved once, and callers return this as it
    /// is where they can.
    pub(super) fn start(
        tracer: Arc<OtelTracer>,
        scope: &Arc<Scope>,
        builder: SpanBuilder,
        parent_cx: &Context,
        stopped: impl FnOnce(&OtelTracer) -> Self,
    ) -> Self {
        let span = tracer.scoped(scope).build_with_context(builder, parent_cx);
        // A provider that is shut down gives out spans without a context.
        if !span.span_context().is_valid() {
            return stopped(&tracer);
        }
        Self {
            context: None,
            routed: Some(Routed { span, tracer }),
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
            routed.count_if_lost();
            routed.span.end_with_timestamp(timestamp);
        }
    }
}
