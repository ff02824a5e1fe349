//! AI spans that have started.

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

/// The handle of an AI span that has started. The span ends when the handle is
/// dropped, if it was not ended before.
///
/// What every kind has is here; what one kind has stands at its own implementation.
/// AI spans start below it with its own methods, and ordinary ones in its
/// [context](Self::context). Say each thing once: a span keeps what is said twice
/// twice.
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
    /// None for a span that was refused, and for one that has ended.
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

    /// A span that does nothing. What starts below it starts below its parent; without
    /// a parent it does nothing either, so that no part of the trace stands alone.
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

    /// The context in which the span is the current one, for what starts below it.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Makes that context the current one on this thread while the guard lives.
    #[must_use = "the context is current as long as the guard lives"]
    pub fn attach(&self) -> ContextGuard {
        self.context.clone().attach()
    }

    /// The ids of the span; of its parent's if the span was refused.
    pub fn span_context(&self) -> SpanContext {
        self.context.span().span_context().clone()
    }

    /// Whether what is said is kept: the span is sampled, not refused, and has not
    /// ended.
    pub fn is_recording(&self) -> bool {
        self.recording().is_some()
    }

    /// Whether input is written here: worth asking before it is put together.
    pub fn captures_input(&self) -> bool {
        self.captures(Side::Input)
    }

    /// Whether output is written here.
    pub fn captures_output(&self) -> bool {
        self.captures(Side::Output)
    }

    /// An attribute of the application's own.
    pub fn attribute(&self, attribute: KeyValue) {
        if let Some(span) = self.recording() {
            span.set_attribute(attribute);
        }
    }

    /// Something that happens now.
    pub fn event(&self, name: impl Into<Cow<'static, str>>, attributes: Vec<KeyValue>) {
        if let Some(span) = self.recording() {
            span.add_event(name, attributes);
        }
    }

    /// A link to another span.
    pub fn link(&self, to: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(span) = self.recording() {
            span.add_link(to, attributes);
        }
    }

    /// An error that was dealt with: an `exception` event. The span does not fail.
    pub fn error<E: Error + ?Sized>(&self, error: &E) {
        if let Some(span) = self.recording() {
            let failure = Failure::of(error, &self.ai.options().limits);
            span.add_event(keys::EXCEPTION, failure.exception());
        }
    }

    /// Ends the span with an error: its status, `error.type` and an `exception`
    /// event. The type is that of the error's Rust type; `_OTHER` for a `dyn Error`.
    ///
    /// # Source
    /// "Recording errors" and "Exceptions in spans" of the semantic conventions.
    pub fn fail<E: Error + ?Sized>(self, error: &E) {
        let failure = Failure::of(error, &self.ai.options().limits);
        self.end_with(failure);
    }

    /// The same with a type of your own, one of few: `timeout`, `429`.
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

    /// Output of any shape.
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

    /// How long after the start this is asked first.
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
