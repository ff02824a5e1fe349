//! What a context carries to every AI span below it.

use opentelemetry::{Array, Context, StringValue, Value};

use super::attributes::Attributes;
use super::keys;
use crate::otel::without_span;

/// What a trace hides although content is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hidden {
    /// What goes in: messages, instructions, arguments, queries.
    Input,
    /// What comes out: answers, results, documents.
    Output,
    /// Both.
    Both,
}

/// Puts into a [`Context`] what every AI span below it is to have: the session, the
/// user and the tags as attributes, and what of its content is hidden.
///
/// The builders have the same as methods, for the root of a trace.
///
/// # Cost
/// Each copies the context's few values once.
///
/// # Examples
/// ```
/// use opentelemetry::Context;
/// use spanway::ai::{AiContextExt, Hidden};
///
/// let context = Context::new()
///     .with_session("s-17")
///     .with_user("u-3")
///     .with_tags(["beta", "eu"])
///     .with_hidden(Hidden::Input);
/// # drop(context);
/// ```
pub trait AiContextExt {
    /// The session: the conversation that several traces belong to.
    #[must_use = "the context itself is not changed"]
    fn with_session(&self, id: impl Into<StringValue>) -> Self;

    /// The user.
    #[must_use = "the context itself is not changed"]
    fn with_user(&self, id: impl Into<StringValue>) -> Self;

    /// Tags, beside those that are there.
    #[must_use = "the context itself is not changed"]
    fn with_tags<T: Into<StringValue>>(&self, tags: impl IntoIterator<Item = T>) -> Self;

    /// Hides content. What is hidden stays so below.
    #[must_use = "the context itself is not changed"]
    fn with_hidden(&self, hidden: Hidden) -> Self;
}

/// In one value, so that a span asks for it once.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried {
    session: Option<StringValue>,
    user: Option<StringValue>,
    tags: Vec<StringValue>,
    pub(super) hides: Hides,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hides {
    pub(super) input: bool,
    pub(super) output: bool,
}

impl Carried {
    pub(super) fn hides(context: &Context) -> Hides {
        let carried = context.get::<Self>();
        carried.map(|carried| carried.hides).unwrap_or_default()
    }

    pub(super) fn write(context: &Context, attributes: &mut Attributes) {
        let Some(carried) = context.get::<Self>() else {
            return;
        };
        if let Some(session) = &carried.session {
            attributes.say(keys::CONVERSATION, session.clone());
            attributes.say(keys::SESSION, session.clone());
        }
        if let Some(user) = &carried.user {
            attributes.say(keys::USER, user.clone());
        }
        if !carried.tags.is_empty() {
            let tags = Value::Array(Array::String(carried.tags.clone()));
            attributes.say(keys::TAGS, tags.clone());
            attributes.say_for_langfuse(keys::LANGFUSE_TAGS, tags);
        }
    }

    pub(super) fn without_span(context: &Context) -> Context {
        let rootless = without_span(context);
        match context.get::<Self>() {
            Some(carried) => rootless.with_value(carried.clone()),
            None => rootless,
        }
    }

    fn changed(context: &Context, change: impl FnOnce(&mut Self)) -> Context {
        let mut carried = context.get::<Self>().cloned().unwrap_or_default();
        change(&mut carried);
        context.with_value(carried)
    }
}

impl AiContextExt for Context {
    fn with_session(&self, id: impl Into<StringValue>) -> Self {
        Carried::changed(self, |carried| carried.session = Some(id.into()))
    }

    fn with_user(&self, id: impl Into<StringValue>) -> Self {
        Carried::changed(self, |carried| carried.user = Some(id.into()))
    }

    fn with_tags<T: Into<StringValue>>(&self, tags: impl IntoIterator<Item = T>) -> Self {
        let tags = tags.into_iter().map(Into::into);
        Carried::changed(self, |carried| {
            for tag in tags {
                if !carried.tags.contains(&tag) {
                    carried.tags.push(tag);
                }
            }
        })
    }

    fn with_hidden(&self, hidden: Hidden) -> Self {
        Carried::changed(self, |carried| {
            carried.hides.input |= hidden != Hidden::Output;
            carried.hides.output |= hidden != Hidden::Input;
        })
    }
}
