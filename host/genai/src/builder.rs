//! AI spans before their start.

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

/// The direction of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Input,
    Output,
}

/// Records one piece of content. Called after the start, if the trace does not hide it.
type SayContent = Box<dyn FnOnce(&mut Attributes) + Send>;

/// Builder of an AI span. The methods of [`AiParent`](super::AiParent) create it, and
/// [`start`](Self::start) starts the span.
///
/// Selectors see the attributes that are set before the start under `span.` keys, and
/// samplers see them too. Content is recorded after the start, so neither can see it.
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
#[must_use = "the span does not exist until `start` is called"]
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
    /// The parameters of the model call, for the dialect that records them as one object.
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

    /// Starts the span as a child of this context's span, with the attributes that the
    /// context passes on. By default, the parent is the AI span that created the builder,
    /// or the current context if an [`Ai`] created it.
    pub fn under(mut self, context: &Context) -> Self {
        self.parent = context.clone();
        self
    }

    /// Starts a new trace. The span keeps the session, user, tags, hidden content, runtime
    /// context and baggage of the context.
    pub fn as_root(mut self) -> Self {
        self.is_root = true;
        self
    }

    /// Starts the span as a root in a trace that another system began.
    pub fn in_trace(mut self, trace: &ExternalTrace) -> Self {
        self.external = Some(trace.clone());
        self
    }

    /// Sets the session of this span and of all AI spans below it.
    pub fn session(mut self, id: impl Into<StringValue>) -> Self {
        self.inherited.add(Inherited::of_session(id));
        self
    }

    /// Sets the user of this span and of all AI spans below it.
    pub fn user(mut self, id: impl Into<StringValue>) -> Self {
        self.inherited.add(Inherited::of_user(id));
        self
    }

    /// Adds tags to this span and to all AI spans below it.
    pub fn tags<T: Into<StringValue>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.inherited.add(Inherited::of_tags(tags));
        self
    }

    /// Sets metadata of the span, an object: `json!({"tier": "gold"})`. It is recorded as the JSON
    /// text `metadata`, truncated to the [limits](super::ContentLimits). Langfuse and LangSmith
    /// receive an attribute for each of its keys. Metadata is not content: it is always recorded.
    pub fn metadata(mut self, metadata: impl Into<serde_json::Value>) -> Self {
        self.attributes.say_json(keys::METADATA, &metadata.into());
        self
    }

    /// Hides content of this span and of all AI spans below it.
    pub fn hide(mut self, hidden: Hidden) -> Self {
        self.inherited.add(Inherited::of_hidden(hidden));
        self
    }

    /// Overrides the span name of the conventions. Names should have a low cardinality.
    pub fn span_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Overrides the span kind of the conventions, for example with `Server` for a run that
    /// serves a request.
    pub fn span_kind(mut self, kind: SpanKind) -> Self {
        self.span_kind = kind;
        self
    }

    /// Adds an attribute of the application.
    pub fn attribute(mut self, attribute: KeyValue) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Adds a link to another span.
    pub fn link(mut self, to: SpanContext) -> Self {
        self.links.push(Link::with_context(to));
        self
    }

    /// Starts the span. It ends when the handle is dropped.
    ///
    /// # Cost
    /// Allocates a context and the attributes, in addition to the tracer's own span.
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

    /// Computes the parent context. The result does not depend on the order in which the
    /// parent and the inherited attributes were set.
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

    /// Registers content to record after the start, if content is captured at all.
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

    /// Registers content to record before all other content: the first message of a list.
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

    /// Sets an input of any shape.
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
