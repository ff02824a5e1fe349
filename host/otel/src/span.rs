//! A span of the tracer that was selected for its trace.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use arrayvec::ArrayVec;
use opentelemetry::trace::{Span, SpanBuilder, SpanContext, Status, TraceState, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Span as SdkSpan;

use super::attribute_list::AttributeList;
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
    // The fields are dropped in this order: the SDK's span needs its tracer until the end.
    /// Empty for a no-op span. See [`fill`] for the reason why it is not an `Option`.
    span: ArrayVec<SdkSpan, 1>,
    routed: Routed,
}

/// What a span keeps beside the SDK's one.
#[derive(Debug, Default)]
struct Routed {
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
    fn set_attribute(&mut self, span: &mut SdkSpan, attribute: KeyValue) {
        if span.is_recording() && !attributes::is_reserved(attribute.key.as_str()) {
            self.late.set(attribute, |kv| span.set_attribute(kv));
        }
    }

    /// Records that the span ends because its thread panics.
    fn record_panic(&mut self, span: &mut SdkSpan) {
        if self.started_in_panic || self.has_status || !std::thread::panicking() {
            return;
        }
        if !self.late.has(ERROR_TYPE) {
            self.set_attribute(span, KeyValue::new(ERROR_TYPE, PANIC));
        }
        span.set_status(Status::error(PANIC));
    }

    /// Ends the span once, and counts it if its tracer no longer exports spans.
    fn end(&mut self, span: &mut SdkSpan, timestamp: Option<SystemTime>) {
        if !span.is_recording() {
            return;
        }
        let tracer = self.tracer.0.as_ref();
        if let Some(tracer) = tracer.filter(|tracer| tracer.is_stopped())
            && span.span_context().is_sampled()
        {
            tracer.stats().count_after_shutdown();
        }
        self.record_panic(span);
        let late = self.late.len();
        if late > 0 {
            self.late.drain(|attribute| span.set_attribute(attribute));
        }
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

impl Drop for RoutingSpan {
    fn drop(&mut self) {
        if let Some(span) = self.span.first_mut() {
            self.routed.end(span, None);
        }
    }
}

/// A span's reference to its tracer. `None` only while the span starts and during the drop.
#[derive(Debug, Default)]
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
            span: ArrayVec::new(),
            routed: Routed::default(),
        }
    }

    /// Returns a no-op span that shows this context, so that spans below it see the same
    /// parent as without it.
    pub(super) fn showing(context: SpanContext) -> Self {
        Self {
            context: Some(context),
            span: ArrayVec::new(),
            routed: Routed::default(),
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
        let mut shown = Self::nowhere();
        if let Err((why, tracer)) = shown.open(tracer, scope, start, parent_cx) {
            let tracer = &tracer;
            shown.span.clear();
            shown.context = Some(refused(Refused { tracer, why }));
        }
        shown
    }

    /// Starts the SDK's span in its place, or returns the reason why not.
    fn open(
        &mut self,
        tracer: Arc<OtelTracer>,
        scope: &Arc<Scope>,
        start: Start<'_>,
        parent_cx: &Context,
    ) -> Result<(), (Refusal, Arc<OtelTracer>)> {
        // Not atomic: threads that check concurrently may slightly exceed the limit.
        if tracer.is_full() {
            return Err((Refusal::TooManyOpen, tracer));
        }
        let Start {
            builder,
            copied,
            is_root,
        } = start;
        let root = is_root
            .then(|| tracer.stats().roots().open(&builder.name))
            .flatten();
        let started_in_panic = std::thread::panicking();
        // This runs the sampler, the id generator and the processors.
        user_code::run("sampler or span processor", || {
            fill(&mut self.span, &tracer, scope, builder, parent_cx);
        });
        let is_recording = self.span.first().is_some_and(SdkSpan::is_recording);
        if is_recording {
            tracer.stats().opened();
        } else {
            tracer.stats().not_opened(root);
        }
        let Some(span) = self.span.first() else {
            return Err((Refusal::Panicked, tracer));
        };
        // A provider that is shut down returns spans without a context.
        if !span.span_context().is_valid() {
            return Err((Refusal::Stopped, tracer));
        }
        self.routed = Routed {
            late: AttributeList::of(copied),
            has_status: false,
            started_in_panic,
            root: root.filter(|_| is_recording),
            tracer: Held(Some(tracer)),
        };
        Ok(())
    }

    /// Replaces the `tracestate` that the span shows.
    pub(super) fn show_state(&mut self, state: TraceState) {
        self.context = Some(tracestate::with_state(self.span_context(), state));
    }
}

/// Starts the SDK's span in an empty place.
///
/// The span is large, and its first move waits until the processor has written it. An assignment to
/// an `Option` moves it twice, because it drops the old value in between; a push moves it once.
#[inline(never)]
fn fill(
    place: &mut ArrayVec<SdkSpan, 1>,
    tracer: &OtelTracer,
    scope: &Arc<Scope>,
    builder: &mut SpanBuilder,
    parent_cx: &Context,
) {
    let builder = std::mem::take(builder);
    place.push(tracer.scoped(scope).build_with_context(builder, parent_cx));
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
        if let Some(span) = self.span.first_mut() {
            span.add_event_with_timestamp(name, timestamp, attributes);
        }
    }

    fn span_context(&self) -> &SpanContext {
        match (&self.context, self.span.first()) {
            (Some(context), _) => context,
            (None, Some(span)) => span.span_context(),
            (None, None) => &NOWHERE,
        }
    }

    fn is_recording(&self) -> bool {
        self.span.first().is_some_and(SdkSpan::is_recording)
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(span) = self.span.first_mut() {
            self.routed.set_attribute(span, attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(span) = self.span.first_mut() {
            self.routed.has_status |= status != Status::Unset;
            span.set_status(status);
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(span) = self.span.first_mut() {
            span.update_name(new_name);
        }
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(span) = self.span.first_mut() {
            span.add_link(span_context, attributes);
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(span) = self.span.first_mut() {
            self.routed.end(span, Some(timestamp));
        }
    }
}
