//! AI spans before they start.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use opentelemetry::trace::{Link, SpanBuilder, SpanContext, SpanKind};
use opentelemetry::{Context, KeyValue, StringValue};

use super::ai::Ai;
use super::attributes::Attributes;
use super::inherited::{Hidden, Inherited};
use super::keys;
use super::kind::AiSpanKind;
use super::span::AiSpan;
use spanmux_otel::{ExternalTrace, ExternalTraceExt as _};

/// Which way content goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Input,
    Output,
}

/// Says a piece of content, once it is known that it may be said.
type SayContent = Box<dyn FnOnce(&mut Attributes) + Send>;

/// An AI span that is about to start: made by the methods of [`Ai`] and [`AiSpan`],
/// which say what it is, and started by [`start`](Self::start).
///
/// What is said here before the start can be seen by selectors under `span.` keys,
/// and by samplers; content cannot, it is written afterwards.
///
/// # Examples
/// ```
/// use opentelemetry::{Context, KeyValue};
/// use spanmux::genai::{Ai, Hidden};
/// # use opentelemetry::trace::TracerProvider;
/// # let ai = Ai::new(opentelemetry_sdk::trace::SdkTracerProvider::default().tracer("shop"));
///
/// let run = ai
///     .agent_run("shop-assistant")
///     .under(&Context::new())
///     .session("s-17")
///     .tags(["beta"])
///     .hide(Hidden::Output)
///     .attribute(KeyValue::new("shop.cart.items", 3))
///     .start();
/// # drop(run);
/// ```
#[must_use = "a span is not there until `start` is called"]
pub struct AiSpanBuilder<K> {
    ai: Ai,
    parent: Context,
    is_root: bool,
    external: Option<ExternalTrace>,
    inherited: Inherited,
    name: Option<Cow<'static, str>>,
    operation: Cow<'static, str>,
    target: String,
    span_kind: SpanKind,
    links: Vec<Link>,
    pub(super) attributes: Attributes,
    /// What a model is called with, for the dialect that has it as one object.
    pub(super) parameters: serde_json::Map<String, serde_json::Value>,
    content: Vec<(Side, SayContent)>,
    kind: PhantomData<fn() -> K>,
}

impl<K: AiSpanKind> AiSpanBuilder<K> {
    pub(super) fn new(ai: &Ai, parent: Context, target: String) -> Self {
        Self {
            attributes: Attributes::new(ai.options()),
            ai: ai.clone(),
            parent,
            is_root: false,
            external: None,
            inherited: Inherited::default(),
            name: None,
            operation: K::OPERATION.into(),
            target,
            span_kind: K::SPAN_KIND,
            links: Vec::new(),
            parameters: serde_json::Map::new(),
            content: Vec::new(),
            kind: PhantomData,
        }
    }

    /// Starts it below the span of this context, with what the context carries.
    /// Without it, an AI span's child starts below that span, and what starts from an
    /// [`Ai`] below the current context.
    pub fn under(mut self, context: &Context) -> Self {
        self.parent = context.clone();
        self
    }

    /// Starts a trace of its own. Of the context it keeps the session, user, tags and
    /// what is hidden, the runtime context and the baggage.
    pub fn as_root(mut self) -> Self {
        self.is_root = true;
        self
    }

    /// Starts it as a root in a trace that another system began.
    pub fn in_trace(mut self, trace: &ExternalTrace) -> Self {
        self.external = Some(trace.clone());
        self
    }

    /// The session, of this span and all AI spans below it.
    pub fn session(mut self, id: impl Into<StringValue>) -> Self {
        self.inherited.add(Inherited::of_session(id));
        self
    }

    /// The user, of this span and all AI spans below it.
    pub fn user(mut self, id: impl Into<StringValue>) -> Self {
        self.inherited.add(Inherited::of_user(id));
        self
    }

    /// Tags, of this span and all AI spans below it.
    pub fn tags<T: Into<StringValue>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.inherited.add(Inherited::of_tags(tags));
        self
    }

    /// Hides content, of this span and all AI spans below it.
    pub fn hide(mut self, hidden: Hidden) -> Self {
        self.inherited.add(Inherited::of_hidden(hidden));
        self
    }

    /// Another name than the conventions give. It should be one of few.
    pub fn span_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Another kind than the conventions give: `Server` for a run that is a request.
    pub fn span_kind(mut self, kind: SpanKind) -> Self {
        self.span_kind = kind;
        self
    }

    /// An attribute of the application's own.
    pub fn attribute(mut self, attribute: KeyValue) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// A link to another span.
    pub fn link(mut self, to: SpanContext) -> Self {
        self.links.push(Link::with_context(to));
        self
    }

    /// Starts the span. It ends when the handle is dropped.
    ///
    /// # Cost
    /// A context and the attributes, beside the tracer's own span.
    pub fn start(self) -> AiSpan<K> {
        let parent = self.parent_context();
        let Some(place) = self.ai.take_place() else {
            return AiSpan::refused(self.ai, parent);
        };
        let builder = SpanBuilder::from_name(self.name())
            .with_kind(self.span_kind.clone())
            .with_attributes(self.start_attributes(&parent))
            .with_links(self.links);
        let context = self.ai.start(builder, &parent);
        let span = AiSpan::new(self.ai, context, place);
        span.say(|attributes| {
            for (side, say) in self.content {
                if span.captures(side) {
                    say(attributes);
                }
            }
        });
        span
    }

    /// In whatever order it was said where the span starts and what it carries.
    fn parent_context(&self) -> Context {
        let mut parent = if self.is_root {
            Inherited::without_span(&self.parent)
        } else {
            self.parent.clone()
        };
        if let Some(external) = &self.external {
            parent = parent.with_external_trace(external);
        }
        self.inherited.clone().onto(&parent)
    }

    fn name(&self) -> Cow<'static, str> {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let verb = K::VERB.map_or_else(|| self.operation.clone(), Cow::Borrowed);
        match (verb.is_empty(), self.target.is_empty()) {
            (_, true) => verb,
            (true, false) => self.target.clone().into(),
            (false, false) => format!("{verb} {}", self.target).into(),
        }
    }

    fn start_attributes(&self, parent: &Context) -> Vec<KeyValue> {
        let mut head = Attributes::new(self.ai.options());
        if !self.operation.is_empty() {
            head.say(keys::OPERATION, self.operation.clone());
        }
        head.say(keys::SPAN_KIND, K::OPEN_INFERENCE);
        Inherited::write(parent, &mut head);
        head.append(&self.attributes);
        if !self.parameters.is_empty() {
            let key = keys::open_inference(K::PARAMETERS);
            head.say_json(key, &self.parameters.clone().into());
        }
        head.into_list()
    }

    pub(super) fn set_operation(&mut self, operation: Cow<'static, str>) {
        self.operation = operation;
    }

    /// Says content after the start, if it is captured at all.
    pub(super) fn with_content(
        mut self,
        side: Side,
        say: impl FnOnce(&mut Attributes) + Send + 'static,
    ) -> Self {
        if self.ai.options().captures_content() {
            self.content.push((side, Box::new(say)));
        }
        self
    }

    /// The same before any other: what comes first in a list of messages.
    pub(super) fn with_first_content(
        mut self,
        side: Side,
        say: impl FnOnce(&mut Attributes) + Send + 'static,
    ) -> Self {
        if self.ai.options().captures_content() {
            self.content.insert(0, (side, Box::new(say)));
        }
        self
    }

    /// Input of any shape.
    pub(super) fn with_any_input(self, input: serde_json::Value) -> Self {
        self.with_content(Side::Input, move |attributes| {
            attributes.say_any_value(keys::INPUT, &input);
        })
    }
}

impl<K: AiSpanKind> fmt::Debug for AiSpanBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AiSpanBuilder")
            .field("name", &self.name())
            .field("span_kind", &self.span_kind)
            .finish_non_exhaustive()
    }
}
