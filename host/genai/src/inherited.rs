//! Attributes that AI spans inherit from their context.

use opentelemetry::{Array, Context, StringValue, Value};

use super::attributes::Attributes;
use super::keys;
use spanmux_otel::without_span;

/// Content that a trace hides although content is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hidden {
    /// The input: messages, instructions, arguments, queries.
    Input,
    /// The output: answers, results, documents.
    Output,
    /// Input and output.
    Both,
}

/// Adds inherited attributes to a [`Context`]. Every AI span below it gets the session, the
/// user and the tags as attributes, and hides the same content.
///
/// The builders have the same methods, for the root of a trace.
///
/// # Cost
/// Each method copies the few inherited values of the context once.
///
/// # Examples
/// ```
/// use opentelemetry::Context;
/// use spanmux::genai::{AiContextExt, Hidden};
///
/// let context = Context::new()
///     .with_session("s-17")
///     .with_user("u-3")
///     .with_tags(["beta", "eu"])
///     .with_hidden(Hidden::Input);
/// # drop(context);
/// ```
pub trait AiContextExt {
    /// Sets the session: the conversation to which several traces belong.
    #[must_use = "the method returns a new context"]
    fn with_session(&self, id: impl Into<StringValue>) -> Self;

    /// Sets the user.
    #[must_use = "the method returns a new context"]
    fn with_user(&self, id: impl Into<StringValue>) -> Self;

    /// Adds tags to the existing ones.
    #[must_use = "the method returns a new context"]
    fn with_tags<T: Into<StringValue>>(&self, tags: impl IntoIterator<Item = T>) -> Self;

    /// Hides content. Spans below cannot show it again.
    #[must_use = "the method returns a new context"]
    fn with_hidden(&self, hidden: Hidden) -> Self;
}

/// The inherited attributes, as one context value, so that a span needs one lookup.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Inherited {
    session: Option<StringValue>,
    user: Option<StringValue>,
    tags: Vec<StringValue>,
    pub(super) hides: Hides,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Hides {
    pub(super) input: bool,
    pub(super) output: bool,
}

impl Inherited {
    pub(super) fn hides(context: &Context) -> Hides {
        let inherited = context.get::<Self>();
        inherited
            .map(|inherited| inherited.hides)
            .unwrap_or_default()
    }

    pub(super) fn write(context: &Context, attributes: &mut Attributes) {
        let Some(inherited) = context.get::<Self>() else {
            return;
        };
        if let Some(session) = &inherited.session {
            attributes.say(keys::CONVERSATION, session.clone());
            attributes.say(keys::SESSION, session.clone());
        }
        if let Some(user) = &inherited.user {
            attributes.say(keys::USER, user.clone());
        }
        if !inherited.tags.is_empty() {
            let tags = Value::Array(Array::String(inherited.tags.clone()));
            attributes.say(keys::TAGS, tags.clone());
            attributes.say_for_langfuse(keys::LANGFUSE_TAGS, tags);
        }
    }

    pub(super) fn without_span(context: &Context) -> Context {
        let detached = without_span(context);
        match context.get::<Self>() {
            Some(inherited) => detached.with_value(inherited.clone()),
            None => detached,
        }
    }

    /// Merges other inherited attributes. The new values win, and hidden content stays
    /// hidden.
    pub(super) fn add(&mut self, more: Self) {
        self.session = more.session.or(self.session.take());
        self.user = more.user.or(self.user.take());
        for tag in more.tags {
            if !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
        self.hides.input |= more.hides.input;
        self.hides.output |= more.hides.output;
    }

    /// Returns the context with these attributes merged into the inherited ones.
    pub(super) fn onto(self, context: &Context) -> Context {
        if self == Self::default() {
            return context.clone();
        }
        let mut inherited = context.get::<Self>().cloned().unwrap_or_default();
        inherited.add(self);
        context.with_value(inherited)
    }

    pub(super) fn of_session(id: impl Into<StringValue>) -> Self {
        Self {
            session: Some(id.into()),
            ..Self::default()
        }
    }

    pub(super) fn of_user(id: impl Into<StringValue>) -> Self {
        Self {
            user: Some(id.into()),
            ..Self::default()
        }
    }

    pub(super) fn of_tags<T: Into<StringValue>>(tags: impl IntoIterator<Item = T>) -> Self {
        Self {
            tags: tags.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    pub(super) fn of_hidden(hidden: Hidden) -> Self {
        let (input, output) = (hidden != Hidden::Output, hidden != Hidden::Input);
        Self {
            hides: Hides { input, output },
            ..Self::default()
        }
    }
}

impl AiContextExt for Context {
    fn with_session(&self, id: impl Into<StringValue>) -> Self {
        Inherited::of_session(id).onto(self)
    }

    fn with_user(&self, id: impl Into<StringValue>) -> Self {
        Inherited::of_user(id).onto(self)
    }

    fn with_tags<T: Into<StringValue>>(&self, tags: impl IntoIterator<Item = T>) -> Self {
        Inherited::of_tags(tags).onto(self)
    }

    fn with_hidden(&self, hidden: Hidden) -> Self {
        Inherited::of_hidden(hidden).onto(self)
    }
}
