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
use super::open::Place;
use super::parent::AiParent;
use super::status::RunStatus;

/// The handle of a started AI span. Dropping it ends the span, unless it ended before.
///
/// This block has the methods of every kind. Each kind has an implementation block of its
/// own. Start child AI spans through [`AiParent`], and ordinary child spans in the span's
/// [context](Self::context). Record each attribute once: a span keeps duplicates.
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
pub struct AiSpan<K> {
    ai: Ai,
    context: Context,
    /// `None` for a refused span and for a span that ended.
    place: Option<Place>,
    started: Instant,
    has_first_token: AtomicBool,
    kind: PhantomData<fn() -> K>,
}

impl<K: AiSpanKind> AiSpan<K> {
    pub(super) fn new(ai: Ai, context: Context, place: Place) -> Self {
        Self {
            ai,
            context,
            place: Some(place),
            started: Instant::now(),
            has_first_token: AtomicBool::new(false),
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
        Self {
            ai,
            context,
            place: None,
            started: Instant::now(),
            has_first_token: AtomicBool::new(true),
            kind: PhantomData,
        }
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
            span.set_attribute(attribute);
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
            span.set_attribute(KeyValue::new(keys::ERROR_TYPE, failure.kind));
            if let Some(key) = K::STATUS {
                span.set_attribute(KeyValue::new(key, RunStatus::Failed.as_str()));
            }
            span.set_status(Status::error(failure.message));
        }
    }

    pub(super) fn say(&self, say: impl FnOnce(&mut Attributes)) {
        if let Some(span) = self.recording() {
            let mut attributes = Attributes::new(self.ai.options());
            say(&mut attributes);
            span.set_attributes(attributes.into_list());
        }
    }

    pub(super) fn say_content(&self, side: Side, say: impl FnOnce(&mut Attributes)) {
        if self.captures(side) {
            self.say(say);
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

impl<K> Drop for AiSpan<K> {
    fn drop(&mut self) {
        if self.place.take().is_some() {
            self.context.span().end();
        }
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
