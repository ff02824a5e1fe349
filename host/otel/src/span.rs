//! A span of the tracer that was selected for its trace.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanBuilder, SpanContext, Status, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Span as SdkSpan;

use super::otel_tracer::OtelTracer;
use super::scope::Scope;
use super::started_span::{Refusal, StartedSpan};
use super::tracestate;

static NOWHERE: SpanContext = SpanContext::NONE;

/// A span of the tracer that was selected for its trace, or a no-op span.
///
/// It holds a reference to its tracer, so an unregistered tracer lives as long as its
/// open traces.
///
/// Setting an attribute again replaces its value: attributes that are set after the start
/// reach the tracer when the span ends, one value for each key. If the tracer's provider
/// was not built from a [`TracerConfig`](super::TracerConfig), a value that was given at
/// the start stays beside a later one. The [keys that explain the
/// selection](super::attributes) cannot be set.
///
/// A span that ends because its thread panics gets an error status and the attribute
/// `error.type` with the value `panic`, unless the application set a status.
#[derive(Debug)]
pub struct RoutingSpan {
    /// Shown instead of the context of the SDK's span: the same context with our
    /// `tracestate` entry, or the parent's context for a no-op span.
    context: Option<SpanContext>,
    /// Empty for a no-op span.
    started: Option<Box<StartedSpan>>,
}

impl Drop for RoutingSpan {
    fn drop(&mut self) {
        if let Some(started) = self.started.take() {
            StartedSpan::finish(started);
        }
    }
}

/// A span to start.
#[derive(Debug)]
pub(super) struct Start<'a> {
    /// Its attributes have different keys. Borrowed, because to move it right after it was written
    /// costs some nanoseconds each time.
    pub(super) builder: &'a mut SpanBuilder,
    /// Attributes that are copied from the runtime context. The span's own value of a key
    /// takes precedence, also if it is set later.
    pub(super) copied: Vec<KeyValue>,
    /// `true` for the first span of a trace in this process.
    pub(super) is_root: bool,
}

/// A span that its tracer refused to start.
pub(super) struct Refused<'a> {
    tracer: &'a OtelTracer,
    why: Refusal,
}

impl Refused<'_> {
    /// Counts the refused span if it would have been exported, and returns the context that a
    /// no-op span shows in its place.
    pub(super) fn showing(self, counts: bool, context: SpanContext) -> SpanContext {
        let stats = self.tracer.stats();
        match self.why {
            Refusal::Stopped => {
                self.tracer.stop();
                if counts {
                    stats.count_after_shutdown();
                }
            }
            Refusal::TooManyOpen if counts => stats.count_too_many_open(),
            Refusal::Panicked if counts => stats.count_panicked(),
            Refusal::TooManyOpen | Refusal::Panicked => {}
        }
        context
    }
}

impl RoutingSpan {
    /// Returns a no-op span without a context.
    pub(super) fn nowhere() -> Self {
        Self {
            context: None,
            started: None,
        }
    }

    /// Returns a no-op span that shows this context, so that spans below it see the same
    /// parent as without it.
    pub(super) fn showing(context: SpanContext) -> Self {
        Self {
            context: Some(context),
            started: None,
        }
    }

    /// Starts a span of `tracer`. If the tracer is shut down, has too many open spans, or
    /// its sampler or a processor panics, returns a no-op span that shows the context of
    /// `refused`.
    pub(super) fn start(
        tracer: Arc<OtelTracer>,
        scope: &Arc<Scope>,
        start: Start<'_>,
        parent_cx: &Context,
        refused: impl FnOnce(Refused<'_>) -> SpanContext,
    ) -> Self {
        match StartedSpan::start(tracer, scope, start, parent_cx) {
            Ok(started) => Self {
                context: None,
                started: Some(started),
            },
            Err((why, tracer)) => {
                let tracer = &tracer;
                Self::showing(refused(Refused { tracer, why }))
            }
        }
    }

    /// Replaces the `tracestate` that the span shows.
    pub(super) fn show_state(&mut self, state: TraceState) {
        self.context = Some(tracestate::with_state(self.span_context(), state));
    }

    fn sdk(&self) -> Option<&SdkSpan> {
        self.started.as_ref()?.sdk()
    }

    fn sdk_mut(&mut self) -> Option<&mut SdkSpan> {
        self.started.as_mut()?.sdk_mut()
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
        if let Some(span) = self.sdk_mut() {
            span.add_event_with_timestamp(name, timestamp, attributes);
        }
    }

    fn span_context(&self) -> &SpanContext {
        match (&self.context, self.sdk()) {
            (Some(context), _) => context,
            (None, Some(span)) => span.span_context(),
            (None, None) => &NOWHERE,
        }
    }

    fn is_recording(&self) -> bool {
        self.sdk().is_some_and(SdkSpan::is_recording)
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(started) = &mut self.started {
            started.set_attribute(attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(started) = &mut self.started {
            started.set_status(status);
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(span) = self.sdk_mut() {
            span.update_name(new_name);
        }
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(span) = self.sdk_mut() {
            span.add_link(span_context, attributes);
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(started) = &mut self.started {
            started.end(Some(timestamp));
        }
    }
}
