//! The four questions that a selector may ask, and the one place that answers
//! them.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::RuntimeContext;
use super::bucket;
use super::limits::{ContextError, ContextLimits};
use super::look_up::LookUp;
use super::value::{MAX_SAFE_INTEGER, Value};

/// Under this prefix a selector finds what is known of the root span.
const SPAN: &str = "span.";

/// The start attributes of a root span, read where they lie.
///
/// Values are given in the cases of the contract: an integer outside
/// ±(2^53 - 1), an array and an object as [`Value::Json`] in canonical form.
pub trait SpanAttributes: Sync {
    /// The value of an attribute. Of several with this key the last one counts.
    fn get(&self, key: &str) -> Option<Value<'_>>;

    /// Shows the key of each attribute, in any order and as often as it likes.
    fn each_key<'a>(&'a self, show: &mut dyn FnMut(&'a str));
}

/// Each key as it stands: a dot in an attribute's key is no path.
impl SpanAttributes for RuntimeContext {
    fn get(&self, key: &str) -> Option<Value<'_>> {
        self.entries.literal(&key)
    }

    fn each_key<'a>(&'a self, show: &mut dyn FnMut(&'a str)) {
        self.entries.keys().for_each(show);
    }
}

/// What is known of the root span that is about to start, for the keys under
/// `span.`: its name, its kind and its start attributes.
///
/// An attribute whose key and text have more than
/// [`MAX_ATTRIBUTE_BYTES`](Self::MAX_ATTRIBUTE_BYTES) together is not there for a
/// selector, because a component's sandbox gets a copy of what it may ask.
///
/// # Cost
/// Name, kind and attributes are borrowed. What [`with_attributes`] is given is
/// asked for each question, and copied when the first component runs; what
/// [`new`] is given is read once, when a selector first asks for an attribute.
///
/// [`with_attributes`]: Self::with_attributes
/// [`new`]: Self::new
///
/// # Examples
/// ```
/// use spanmux::{RootSpan, RuntimeContext};
///
/// let attributes = RuntimeContext::builder().set("http.route", "/chat").build();
/// let span = RootSpan::with_attributes("POST /chat", "server", &attributes);
///
/// let context = RuntimeContext::empty();
/// let view = context.view_with_span(&span);
/// assert_eq!(view.text("span.name"), Some("POST /chat"));
/// assert_eq!(view.text("span.http.route"), Some("/chat"));
/// # Ok::<(), spanmux::ContextError>(())
/// ```
pub struct RootSpan<'a> {
    name: Cow<'a, str>,
    kind: Cow<'a, str>,
    attributes: Attributes<'a>,
}

enum Attributes<'a> {
    Borrowed(&'a dyn SpanAttributes),
    Lazy(
        &'a (dyn Fn() -> RuntimeContext + Sync),
        OnceCell<RuntimeContext>,
    ),
    Owned(OwnedAttributes),
}

impl<'a> RootSpan<'a> {
    /// How many bytes the key and the text of one attribute may have together: as
    /// many as a whole runtime context.
    pub const MAX_ATTRIBUTE_BYTES: usize = ContextLimits::BYTES;

    /// A span's name, its kind in lower case, and how to read its attributes.
    pub fn new(
        name: &'a str,
        kind: &'a str,
        attributes: &'a (dyn Fn() -> RuntimeContext + Sync),
    ) -> Self {
        Self::of(name, kind, Attributes::Lazy(attributes, OnceCell::new()))
    }

    /// A span's name, its kind in lower case, and its attributes.
    pub fn with_attributes(
        name: &'a str,
        kind: &'a str,
        attributes: &'a dyn SpanAttributes,
    ) -> Self {
        Self::of(name, kind, Attributes::Borrowed(attributes))
    }

    fn of(name: &'a str, kind: &'a str, attributes: Attributes<'a>) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind: Cow::Borrowed(kind),
            attributes,
        }
    }

    /// Name and kind first, and without reading the attributes.
    fn get(&self, key: &str) -> Option<Value<'_>> {
        match key {
            "name" => Some(Value::Text(&self.name)),
            "kind" => Some(Value::Text(&self.kind)),
            key => self.attribute(key),
        }
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let attributes = self.attribute_keys().into_iter();
        ["name", "kind"].into_iter().chain(attributes)
    }

    /// What a selector is told of an attribute: nothing of one that is too large
    /// or no value of the contract.
    fn attribute(&self, key: &str) -> Option<Value<'_>> {
        let value = self.attributes().get(key)?;
        match value {
            Value::Text(text) | Value::Json(text) => {
                let bytes = key.len().saturating_add(text.len());
                (bytes <= Self::MAX_ATTRIBUTE_BYTES).then_some(value)
            }
            Value::Integer(integer) => {
                let safe = -MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER;
                safe.contains(&integer).then_some(value)
            }
            Value::Float(float) if float.is_nan() => Some(Value::Float(f64::NAN)),
            Value::Null | Value::Boolean(_) | Value::Float(_) => Some(value),
        }
    }

    /// Each key that has an answer once, sorted by bytes.
    fn attribute_keys(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        self.attributes().each_key(&mut |key| keys.push(key));
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| !["name", "kind"].contains(key) && self.attribute(key).is_some());
        keys
    }

    fn attributes(&self) -> &dyn SpanAttributes {
        match &self.attributes {
            Attributes::Borrowed(attributes) => *attributes,
            Attributes::Lazy(read, attributes) => attributes.get_or_init(read),
            Attributes::Owned(attributes) => attributes,
        }
    }

    fn to_owned_view(&self) -> RootSpan<'static> {
        RootSpan {
            name: Cow::Owned(self.name.clone().into_owned()),
            kind: Cow::Owned(self.kind.clone().into_owned()),
            attributes: Attributes::Owned(self.owned_attributes()),
        }
    }

    /// The same answers for every key, because they are copied one by one.
    fn owned_attributes(&self) -> OwnedAttributes {
        let keys = self.attribute_keys().into_iter();
        let copies = keys.filter_map(|key| Some((key.into(), self.attribute(key)?.into())));
        OwnedAttributes(copies.collect())
    }
}

/// A copy of what a selector is told of the attributes, sorted by key.
struct OwnedAttributes(Vec<(Box<str>, OwnedValue)>);
enum OwnedValue {
    /// Borrows nothing.
    Plain(Value<'static>),
    Text(Box<str>),
    Json(Box<str>),
}

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Text(text) => OwnedValue::Text(text.into()),
            Value::Json(text) => OwnedValue::Json(text.into()),
            Value::Null => OwnedValue::Plain(Value::Null),
            Value::Boolean(boolean) => OwnedValue::Plain(Value::Boolean(boolean)),
            Value::Integer(integer) => OwnedValue::Plain(Value::Integer(integer)),
            Value::Float(float) => OwnedValue::Plain(Value::Float(float)),
        }
    }
}

impl OwnedValue {
    fn value(&self) -> Value<'_> {
        match self {
            OwnedValue::Plain(value) => *value,
            OwnedValue::Text(text) => Value::Text(text),
            OwnedValue::Json(text) => Value::Json(text),
        }
    }
}

impl SpanAttributes for OwnedAttributes {
    fn get(&self, key: &str) -> Option<Value<'_>> {
        let place = self.0.binary_search_by_key(&key, |(known, _)| known).ok()?;
        self.0.get(place).map(|(_, value)| value.value())
    }

    fn each_key<'a>(&'a self, show: &mut dyn FnMut(&'a str)) {
        self.0.iter().for_each(|(key, _)| show(key));
    }
}

/// What a selector may ask: a runtime context, together with what is known of
/// the root span.
///
/// The questions and their rules are those of `wit/selector.wit`. A component
/// asks through its imports and a native selector through these methods, and
/// both get the same answers, because there is no other source.
///
/// # Cost
/// [`get`](Self::get), [`has`](Self::has) and [`bucket`](Self::bucket) take one
/// hash look-up, and one more for each dot of a path; they allocate nothing.
/// [`keys`](Self::keys) allocates and sorts.
#[derive(Clone, Copy)]
pub struct ContextView<'a> {
    context: &'a RuntimeContext,
    span: Option<&'a RootSpan<'a>>,
}

impl<'a> ContextView<'a> {
    pub(super) fn new(context: &'a RuntimeContext, span: Option<&'a RootSpan<'a>>) -> Self {
        Self { context, span }
    }

    /// The error of an incomplete context.
    #[inline]
    pub(crate) fn error(&self) -> Option<&'a ContextError> {
        self.context.error()
    }

    /// The value of a key: as it stands, else as a dotted path, else of the root
    /// span.
    #[inline]
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.look_up(key)
    }

    #[inline(always)]
    pub(super) fn look_up(&self, key: impl LookUp + Copy) -> Option<Value<'a>> {
        match self.context.entries.literal(&key) {
            None => self.look_further(key),
            found => found,
        }
    }

    /// What is no key as it stands: a dotted path, else a key of the root span.
    #[inline(never)]
    fn look_further(&self, key: impl LookUp + Copy) -> Option<Value<'a>> {
        self.context
            .entries
            .dotted(key)
            .or_else(|| self.span?.get(key.text().strip_prefix(SPAN)?))
    }

    /// Whether [`get`](Self::get) gives some value, null included.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The text of a key; none if the key is absent or not text.
    #[inline]
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_text()
    }

    /// Each key once, sorted by bytes: the context's own and those under `span.`.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        self.each_key(&mut |prefix, key| keys.push([prefix, key].concat()));
        keys.sort_unstable();
        keys
    }

    /// Calls `each` with each key once, in no order: what stands before a key of
    /// the root span, and the key.
    pub(super) fn each_key(&self, each: &mut dyn FnMut(&str, &str)) {
        let entries = &self.context.entries;
        entries.keys().for_each(|key| each("", key));
        let Some(span) = self.span else {
            return;
        };
        // The application's own keys win, and nearly never begin like these.
        let clash = entries.keys().any(|key| key.starts_with(SPAN));
        for key in span.keys() {
            let own = |known: &str| known.strip_prefix(SPAN) == Some(key);
            if !(clash && entries.keys().any(own)) {
                each(SPAN, key);
            }
        }
    }

    /// Whether [`keys`](Self::keys) lists the key.
    pub(super) fn lists(&self, key: &str) -> bool {
        self.context.entries.literal(&key).is_some()
            || self.span.is_some_and(|span| {
                key.strip_prefix(SPAN)
                    .is_some_and(|key| span.get(key).is_some())
            })
    }

    /// In which of `buckets` equal shares the value of a key falls, the same on
    /// every machine and in every release; none if the key is absent or there are
    /// no buckets.
    ///
    /// # Source
    /// The hash is defined in `wit/selector.wit`.
    ///
    /// # Examples
    /// ```
    /// use spanmux::RuntimeContext;
    ///
    /// let context = RuntimeContext::builder().set("user.id", "u-1").build();
    /// let view = context.view();
    /// assert_eq!(view.bucket("user.id", "rollout-7", 100), Some(48));
    /// assert_eq!(view.bucket("tenant", "rollout-7", 100), None);
    /// # Ok::<(), spanmux::ContextError>(())
    /// ```
    pub fn bucket(&self, key: &str, salt: &str, buckets: u32) -> Option<u32> {
        bucket::bucket(self.get(key)?, salt, buckets)
    }

    /// A copy that borrows nothing, for a sandbox that must own what it reads.
    #[doc(hidden)]
    pub fn to_owned_view(&self) -> OwnedView {
        OwnedView {
            context: self.context.clone(),
            span: self.span.map(RootSpan::to_owned_view),
        }
    }
}

/// A [`ContextView`] that owns its data.
pub struct OwnedView {
    context: RuntimeContext,
    span: Option<RootSpan<'static>>,
}

#[allow(missing_docs)] // Shared within the workspace only.
impl OwnedView {
    pub fn view(&self) -> ContextView<'_> {
        ContextView::new(&self.context, self.span.as_ref())
    }
}
