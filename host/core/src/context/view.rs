//! The view that answers a selector's questions.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::bucket;
use super::limits::{ContextError, ContextLimits};
use super::look_up::LookUp;
use super::source::{self, ContextSource};
use super::value::{MAX_SAFE_INTEGER, Value};
use super::{Entries, RuntimeContext};

/// The prefix of the keys that describe the root span.
const SPAN: &str = "span.";

/// The start attributes of a root span, read in place.
///
/// Values have the cases of the contract: an integer outside ±(2^53 - 1), an array and an object
/// are [`Value::Json`] in canonical form.
pub trait SpanAttributes: Sync {
    /// Returns the value of an attribute. If the key occurs repeatedly, the last value counts.
    fn get(&self, key: &str) -> Option<Value<'_>>;

    /// Calls `show` with the key of each attribute, in any order. Repetitions are allowed.
    fn each_key<'a>(&'a self, show: &mut dyn FnMut(&'a str));
}

/// Keys are literal: a dot in an attribute's key is not a path.
impl SpanAttributes for RuntimeContext {
    fn get(&self, key: &str) -> Option<Value<'_>> {
        self.entries.literal(&key)
    }

    fn each_key<'a>(&'a self, show: &mut dyn FnMut(&'a str)) {
        self.entries.keys().for_each(show);
    }
}

/// The root span that is about to start, for the keys under `span.`: its name, its kind and its
/// start attributes.
///
/// An attribute whose key and text exceed [`MAX_ATTRIBUTE_BYTES`](Self::MAX_ATTRIBUTE_BYTES) is
/// absent for selectors, because a component's sandbox receives a copy.
///
/// # Cost
/// Name, kind and attributes are borrowed. The attributes of [`with_attributes`] are queried for
/// each question, and copied when the first component runs. The attributes of [`new`] are read
/// once, when a selector first asks for one.
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
    /// Maximum size of the key and the text of one attribute in bytes: that of a whole runtime
    /// context.
    pub const MAX_ATTRIBUTE_BYTES: usize = ContextLimits::BYTES;

    /// Creates a span from its name, its kind in lower case, and a function that returns its
    /// attributes.
    pub fn new(
        name: &'a str,
        kind: &'a str,
        attributes: &'a (dyn Fn() -> RuntimeContext + Sync),
    ) -> Self {
        Self::of(name, kind, Attributes::Lazy(attributes, OnceCell::new()))
    }

    /// Creates a span from its name, its kind in lower case, and its attributes.
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

    /// Checks name and kind first, without reading the attributes.
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

    /// Returns an attribute as selectors see it: absent if it is too large or has no case in the
    /// contract.
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

    /// Returns each key that has an answer once, sorted by bytes.
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

    /// Copies the attributes one by one, so that every key keeps its answer.
    fn owned_attributes(&self) -> OwnedAttributes {
        let keys = self.attribute_keys().into_iter();
        let copies = keys.filter_map(|key| Some((key.into(), self.attribute(key)?.into())));
        OwnedAttributes(copies.collect())
    }
}

/// A copy of the attributes, sorted by key.
struct OwnedAttributes(Vec<(Box<str>, OwnedValue)>);
enum OwnedValue {
    /// A value that borrows nothing.
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

/// A runtime context together with the root span, as selectors query it.
///
/// The questions and their rules are defined in `wit/selector.wit`. A component asks through its
/// imports and a native selector through these methods. Both receive the same answers, because
/// there is no other source.
///
/// # Cost
/// [`get`](Self::get), [`contains`](Self::contains) and [`bucket`](Self::bucket) take one hash look-up, and
/// one more per dot of a path. They allocate nothing. [`keys`](Self::keys) allocates and sorts.
#[derive(Clone, Copy)]
pub struct ContextView<'a> {
    facts: Facts<'a>,
    span: Option<&'a RootSpan<'a>>,
}

#[derive(Clone, Copy)]
enum Facts<'a> {
    Context(&'a RuntimeContext),
    Source(&'a dyn ContextSource),
}

impl<'a> ContextView<'a> {
    pub(super) fn new(context: &'a RuntimeContext, span: Option<&'a RootSpan<'a>>) -> Self {
        let facts = Facts::Context(context);
        Self { facts, span }
    }

    /// Creates a view over facts that are read in place, with the root span that is about to start.
    ///
    /// # Cost
    /// Nothing is copied until a component runs.
    pub fn over(source: &'a dyn ContextSource, span: Option<&'a RootSpan<'a>>) -> Self {
        let facts = Facts::Source(source);
        Self { facts, span }
    }

    /// The error of an incomplete context. A source is complete.
    #[inline]
    pub(crate) fn error(&self) -> Option<&'a ContextError> {
        match self.facts {
            Facts::Context(context) => context.error(),
            Facts::Source(_) => None,
        }
    }

    /// Returns the value of a key: as a literal key, otherwise as a dotted path, otherwise of the
    /// root span.
    #[inline]
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.look_up(key)
    }

    #[inline(always)]
    pub(super) fn look_up(&self, key: impl LookUp + Copy) -> Option<Value<'a>> {
        let entries = match self.facts {
            Facts::Context(context) => &context.entries,
            Facts::Source(source) => return self.ask(source, key.text()),
        };
        let found = entries.literal(&key);
        if found.is_none() && (self.span.is_some() || entries.has_objects()) {
            return self.look_further(entries, key);
        }
        found
    }

    /// Looks up a key that is not a literal one: as a dotted path, otherwise in the root span.
    #[inline(never)]
    fn look_further(&self, entries: &'a Entries, key: impl LookUp + Copy) -> Option<Value<'a>> {
        let found = entries.dotted(key);
        found.or_else(|| self.of_span(key.text()))
    }

    #[inline(never)]
    fn ask(&self, source: &'a dyn ContextSource, key: &str) -> Option<Value<'a>> {
        source::value(source, key).or_else(|| self.of_span(key))
    }

    fn of_span(&self, key: &str) -> Option<Value<'a>> {
        self.span?.get(key.strip_prefix(SPAN)?)
    }

    /// Returns `true` if [`get`](Self::get) returns a value, including null. This is the question
    /// `has` of the contract.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Returns the text of a key, or `None` if the key is absent or not text.
    #[inline]
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_text()
    }

    /// Returns each key once, sorted by bytes: those of the context and those under `span.`.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        self.each_key(&mut |prefix, key| keys.push([prefix, key].concat()));
        keys.sort_unstable();
        keys
    }

    /// Calls `each` once per key in no particular order, with the prefix of a key of the root span
    /// and the key.
    pub(super) fn each_key(&self, each: &mut dyn FnMut(&str, &str)) {
        // The application's keys win. They rarely begin with this prefix.
        let mut own = Vec::new();
        self.each_fact(&mut |key| {
            each("", key);
            own.extend(key.strip_prefix(SPAN));
        });
        for key in self.span.iter().flat_map(|span| span.keys()) {
            if !own.contains(&key) {
                each(SPAN, key);
            }
        }
    }

    fn each_fact(&self, each: &mut dyn FnMut(&'a str)) {
        match self.facts {
            Facts::Context(context) => context.entries.keys().for_each(each),
            Facts::Source(source) => source.each_key(&mut |key| {
                if source::value(source, key).is_some() {
                    each(key);
                }
            }),
        }
    }

    /// Returns `true` if [`keys`](Self::keys) lists the key.
    pub(super) fn lists(&self, key: &str) -> bool {
        let is_fact = match self.facts {
            Facts::Context(context) => context.entries.literal(&key).is_some(),
            Facts::Source(source) => source::value(source, key).is_some(),
        };
        is_fact || self.of_span(key).is_some()
    }

    /// Returns the share of a key's value among `buckets` equal shares: the same on every machine
    /// and in every release. Returns `None` if the key is absent or there are no buckets.
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

    /// Returns a copy that borrows nothing, for a sandbox that must own its data.
    #[doc(hidden)]
    pub fn to_owned_view(&self) -> OwnedView {
        OwnedView {
            context: match self.facts {
                Facts::Context(context) => context.clone(),
                Facts::Source(source) => source::to_context(source),
            },
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
