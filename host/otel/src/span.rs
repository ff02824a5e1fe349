//! A span of the tracer that was selected for its trace.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanBuilder, SpanContext, Status, TraceState, Tracer as _};
use opentelemetry::{Context, KeyValue};

use super::attribute_list::{AttributeList, keep_last};
use super::attributes;
use super::last_values;
use super::open_roots::Place;
use super::otel_tracer::OtelTracer;
use super::scope::Scope;
use super::tracestate;
use super::user_code;

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
    routed: Option<Routed>,
}

/// The fields are dropped in this order: the SDK's span needs its tracer until the end.
#[derive(Debug)]
struct Routed {
    span: opentelemetry_sdk::trace::Span,
    /// Attributes that were set after the start, and the copied ones.
    late: AttributeList,
    has_status: bool,
    /// `true` if the thread was already panicking when the span started: the panic does
    /// not concern the span.
    started_in_panic: bool,
    root: Option<Place>,
    tracer: Held,
}

/// The attribute of a failed span that names its error.
const ERROR_TYPE: &str = "error.type";

/// The error of a span that ended because its thread panicked.
const PANIC: &str = "panic";

impl Routed {
    fn new(
        span: opentelemetry_sdk::trace::Span,
        tracer: Arc<OtelTracer>,
        copied: Vec<KeyValue>,
        root: Option<Place>,
    ) -> Self {
        if span.is_recording() {
            tracer.stats().opened();
        }
        Self {
            span,
            late: AttributeList::of(copied),
            has_status: false,
            started_in_panic: std::thread::panicking(),
            root,
            tracer: Held(Some(tracer)),
        }
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if self.span.is_recording() && !attributes::is_reserved(attribute.key.as_str()) {
            let span = &mut self.span;
            self.late.set(attribute, |kv| span.set_attribute(kv));
        }
    }

    /// Records that the span ends because its thread panics.
    fn record_panic(&mut self) {
        if self.started_in_panic || self.has_status || !std::thread::panicking() {
            return;
        }
        if !self.late.has(ERROR_TYPE) {
            self.set_attribute(KeyValue::new(ERROR_TYPE, PANIC));
        }
        self.span.set_status(Status::error(PANIC));
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
        self.record_panic();
        let late = self.late.len();
        for attribute in self.late.drain() {
            self.span.set_attribute(attribute);
        }
        let span = &mut self.span;
        let end = || match timestamp {
            Some(timestamp) => span.end_with_timestamp(timestamp),
            None => span.end(),
        };
        // This runs the processors.
        let _done = user_code::run("span processor", || last_values::ending(late, end));
        if let Some(tracer) = &self.tracer.0 {
            tracer.stats().closed(self.root.take());
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

/// A span to start.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) builder: SpanBuilder,
    /// Attributes that are copied from the runtime context. The span's own value of a key
    /// takes precedence, also if it is set later.
    pub(super) copied: Vec<KeyValue>,
    /// `true` for the first span of a trace in this process.
    pub(super) is_root: bool,
}

/// The reason why a span was not started.
#[derive(Clone, Copy)]
enum Refusal {
    Stopped,
    TooManyOpen,
    Panicked,
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
            Refusal::Panicked if counts => stats.count_panicked(),
            Refusal::TooManyOpen | Refusal::Panicked => {}
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

    /// Starts a span of `tracer`. If the tracer is shut down, has too many open spans, or
    /// its sampler or a processor panics, returns the result of `refused`.
    ///
    /// The SDK's span is large. It is moved once, and callers return it directly where
    /// they can.
    pub(super) fn start(
        tracer: Arc<OtelTracer>,
        scope: &Arc<Scope>,
        start: Start,
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
        let Start {
            mut builder,
            copied,
            is_root,
        } = start;
        if let Some(own) = &mut builder.attributes {
            keep_last(own);
        }
        let root = if is_root {
            tracer.stats().roots().open(&builder.name)
        } else {
            None
        };
        // This runs the sampler, the id generator and the processors.
        let span = user_code::run("sampler or span processor", || {
            tracer.scoped(scope).build_with_context(builder, parent_cx)
        });
        let open = span.as_ref().is_some_and(Span::is_recording);
        let root = tracer.stats().roots().only_if(open, root);
        let Some(span) = span else {
            let why = Refusal::Panicked;
            return refused(Refused {
                tracer: &tracer,
                why,
            });
        };
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
            routed: Some(Routed::new(span, tracer, copied, root)),
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
        if let Some(routed) = &mut self.routed {
            routed.set_attribute(attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(routed) = &mut self.routed {
            routed.has_status |= status != Status::Unset;
            routed.span.set_status(status);
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
