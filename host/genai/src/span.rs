//! AI spans after their start.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::trace::{SpanContext, SpanRef, Status, TraceContextExt as _};
use opentelemetry::{Context, ContextGuard, KeyValue};

use super::ai::Ai;
use super::attributes::Attributes;
use super::builder::Side;
use super::failure::Failure;
use super::inherited::Inherited;
use super::keys;
use super::kind::AiSpanKind;
use super::messages::{Finish, Messages};
use super::open::Place;
use super::parent::AiParent;
use super::status::RunStatus;
use parking_lot::Mutex;
use spanmux_otel::AttributeList;

/// The handle of a started AI span. Dropping it ends the span, unless it ended before.
///
/// This block has the methods of every kind. Each kind has an implementation block of its
/// own. Start child AI spans through [`AiParent`], and ordinary child spans in the span's
/// [context](Self::context).
///
/// An attribute that is recorded again replaces its value, so a stream can report its token
/// usage with each part. Only a value that was given to the builder stays beside a later
/// one, if the tracer does not belong to a
/// [`TracerConfig`](spanmux_otel::TracerConfig).
///
/// A handle that is dropped because its thread panics fails its span with the
/// `error.type` `panic`.
///
/// # Examples
/// ```
/// use opentelemetry::trace::{Tracer, TracerProvider};
/// use spanmux::genai::Ai;
///
/// let provider = opentelemetry_sdk::trace::SdkTracerProvider::default();
/// let tracer = provider.tracer("shop");
/// let ai = Ai::new(tracer.clone());
/// let tool = ai.tool_call("search_orders").start();
/// tracer.in_span_with_context("SELECT", tool.context(), |_context| {});
/// match "x".parse::<u32>() {
///     Ok(_) => tool.end(),
///     Err(error) => tool.fail(&error),
/// }
/// ```
#[must_use = "the span ends when this is dropped"]
pub struct AiSpan<K: AiSpanKind> {
    ai: Ai,
    context: Context,
    /// `None` for a refused span and for a span that ended.
    place: Option<Place>,
    started: Instant,
    has_first_token: AtomicBool,
    /// Attributes that leave at the end, for tracers whose spans append each value.
    late: Option<Mutex<AttributeList>>,
    /// The finish reason and the output of a model or an agent.
    finish: Mutex<Finish>,
    /// `true` if the application said how the span ended.
    has_outcome: AtomicBool,
    /// `true` if the thread was already panicking when the span started: the panic does
    /// not concern the span.
    started_in_panic: bool,
    kind: PhantomData<fn() -> K>,
}

impl<K: AiSpanKind> AiSpan<K> {
    pub(super) fn new(ai: Ai, context: Context, place: Place) -> Self {
        Self::of(ai, context, Some(place))
    }

    fn of(ai: Ai, context: Context, place: Option<Place>) -> Self {
        Self {
            late: (!ai.replaces_attributes()).then(Mutex::default),
            ai,
            context,
            has_first_token: AtomicBool::new(place.is_none()),
            place,
            started: Instant::now(),
            finish: Mutex::default(),
            has_outcome: AtomicBool::new(false),
            started_in_panic: std::thread::panicking(),
            kind: PhantomData,
        }
    }

    /// Creates a span that does nothing. Its children become children of its parent. Without
    /// a parent they do nothing either, so that the trace has no orphaned parts.
    pub(super) fn refused(ai: Ai, parent: Context) -> Self {
        let context = if parent.span().span_context().is_valid() {
            parent
        } else {
            parent.with_telemetry_suppressed()
        };
        Self::of(ai, context, None)
    }

    /// Returns the context in which this span is current, for child spans.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Makes that context current on this thread until the guard is dropped.
    #[must_use = "the context is current until the guard is dropped"]
    pub fn attach(&self) -> ContextGuard {
        self.context.clone().attach()
    }

    /// Returns the ids of the span, or those of its parent if the span was refused.
    pub fn span_context(&self) -> SpanContext {
        self.context.span().span_context().clone()
    }

    /// Returns `true` if attributes are recorded: the span is sampled, was not refused, and
    /// has not ended.
    pub fn is_recording(&self) -> bool {
        self.recording().is_some()
    }

    /// Returns `true` if input is recorded for this span. Check it before building expensive
    /// content.
    pub fn captures_input(&self) -> bool {
        self.captures(Side::Input)
    }

    /// Returns `true` if output is recorded for this span.
    pub fn captures_output(&self) -> bool {
        self.captures(Side::Output)
    }

    /// Records an attribute of the application.
    pub fn attribute(&self, attribute: KeyValue) {
        if let Some(span) = self.recording() {
            self.set(&span, attribute);
        }
    }

    fn set(&self, span: &SpanRef<'_>, attribute: KeyValue) {
        match &self.late {
            Some(late) => late.lock().set(attribute, |kv| span.set_attribute(kv)),
            None => span.set_attribute(attribute),
        }
    }

    /// Records an event at the current time.
    pub fn event(&self, name: impl Into<Cow<'static, str>>, attributes: Vec<KeyValue>) {
        if let Some(span) = self.recording() {
            span.add_event(name, attributes);
        }
    }

    /// Adds a link to another span.
    pub fn link(&self, to: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(span) = self.recording() {
            span.add_link(to, attributes);
        }
    }

    /// Records a handled error as an `exception` event. The span does not fail.
    pub fn error<E: Error + ?Sized>(&self, error: &E) {
        if let Some(span) = self.recording() {
            let failure = Failure::of(error, &self.ai.options().limits);
            span.add_event(keys::EXCEPTION, failure.exception());
        }
    }

    /// Ends the span with an error: its status, `error.type` and an `exception` event. The
    /// `error.type` is the name of the Rust type, or `_OTHER` for a `dyn Error`.
    ///
    /// # Source
    /// "Recording errors" and "Exceptions in spans" of the semantic conventions.
    pub fn fail<E: Error + ?Sized>(self, error: &E) {
        let failure = Failure::of(error, &self.ai.options().limits);
        self.end_with(failure);
    }

    /// Ends the span with an error of a custom, low-cardinality type: `timeout`, `429`.
    pub fn fail_as(self, error_type: impl Into<Cow<'static, str>>, message: &str) {
        let failure = Failure::new(error_type.into(), message, &self.ai.options().limits);
        self.end_with(failure);
    }

    /// Ends the span.
    pub fn end(self) {}

    pub(super) fn end_with(self, failure: Failure) {
        self.say_failure(failure);
    }

    pub(super) fn say_failure(&self, failure: Failure) {
        if let Some(span) = self.recording() {
            span.add_event(keys::EXCEPTION, failure.exception());
            self.fail_span(&span, failure.kind, failure.message);
        }
    }

    fn fail_span(&self, span: &SpanRef<'_>, kind: Cow<'static, str>, message: String) {
        self.say_outcome();
        self.set(span, KeyValue::new(keys::ERROR_TYPE, kind));
        if let Some(key) = K::STATUS {
            self.set(span, KeyValue::new(key, RunStatus::Failed.as_str()));
        }
        span.set_status(Status::error(message));
    }

    /// Records that the application said how the span ended.
    pub(super) fn say_outcome(&self) {
        self.has_outcome.store(true, Ordering::Relaxed);
    }

    pub(super) fn say(&self, say: impl FnOnce(&mut Attributes)) {
        if let Some(span) = self.recording() {
            let mut attributes = Attributes::new(self.ai.options());
            say(&mut attributes);
            for attribute in attributes.into_list() {
                self.set(&span, attribute);
            }
        }
    }

    pub(super) fn say_content(&self, side: Side, say: impl FnOnce(&mut Attributes)) {
        if self.captures(side) {
            self.say(say);
        }
    }

    /// Records the output of a model or an agent with `say`, which receives the finish reason.
    /// If none is known yet, the output is recorded again once it is.
    pub(super) fn say_finished(
        &self,
        messages: Messages,
        say: impl FnOnce(Messages, Option<&str>, &mut Attributes),
    ) {
        self.say_content(Side::Output, |attributes| {
            let mut finish = self.finish.lock();
            let reason = finish.reason.clone();
            finish.output = reason.is_none().then(|| messages.clone());
            say(messages, reason.as_deref(), attributes);
        });
    }

    /// Sets the finish reason of the output messages without one.
    pub(super) fn finish_output(&self, reason: &str) {
        let output = {
            let mut finish = self.finish.lock();
            finish.reason = Some(reason.to_owned());
            finish.output.take()
        };
        if let Some(output) = output {
            self.say_content(Side::Output, |attributes| {
                output.say_output(Some(reason), attributes);
            });
        }
    }

    /// Records an output of any shape.
    pub(super) fn say_any_output(&self, output: serde_json::Value) {
        self.say_content(Side::Output, |attributes| {
            attributes.say_any_value(keys::OUTPUT, &output);
        });
    }

    pub(super) fn fail_status(&self, message: &'static str) {
        if let Some(span) = self.recording() {
            span.set_status(Status::error(message));
        }
    }

    /// Returns the time since the start on the first call, and `None` afterwards.
    pub(super) fn first_token_after(&self) -> Option<Duration> {
        let is_first = !self.has_first_token.swap(true, Ordering::Relaxed);
        is_first.then(|| self.started.elapsed())
    }

    pub(super) fn captures(&self, side: Side) -> bool {
        let hides = Inherited::hides(&self.context);
        let hidden = match side {
            Side::Input => hides.input,
            Side::Output => hides.output,
        };
        self.ai.options().captures_content() && !hidden && self.is_recording()
    }

    fn recording(&self) -> Option<SpanRef<'_>> {
        self.place.as_ref()?;
        Some(self.context.span()).filter(SpanRef::is_recording)
    }
}

impl<K: AiSpanKind> AiParent for AiSpan<K> {
    fn ai(&self) -> &Ai {
        &self.ai
    }

    fn parent_context(&self) -> Context {
        self.context.clone()
    }
}

/// The error of a span that ended because its thread panicked.
const PANIC: &str = "panic";

impl<K: AiSpanKind> Drop for AiSpan<K> {
    fn drop(&mut self) {
        if self.place.is_none() {
            return;
        }
        let span = self.context.span();
        let has_outcome = *self.has_outcome.get_mut() || self.started_in_panic;
        if std::thread::panicking() && !has_outcome {
            self.fail_span(&span, PANIC.into(), PANIC.to_owned());
        }
        if let Some(late) = &self.late {
            late.lock().drain(|kv| span.set_attribute(kv));
        }
        span.end();
        self.place = None;
    }
}

impl<K: AiSpanKind> fmt::Debug for AiSpan<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AiSpan")
            .field("span_context", &self.span_context())
            .field("is_recording", &self.is_recording())
            .finish_non_exhaustive()
    }
}
