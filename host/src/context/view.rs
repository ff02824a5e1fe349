//! The four questions that a selector may ask, and the one place that answers
//! them.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::RuntimeContext;
use super::bucket;
use super::value::Value;

/// Under this prefix a selector finds what is known of the root span.
const SPAN: &str = "span.";

/// What is known of the root span that is about to start, for the keys under
/// `span.`: its name, its kind and its start attributes.
///
/// # Cost
/// Name and kind are borrowed. The attributes are read when a native selector
/// first asks for one, or when the first component runs, whose sandbox must own
/// what it may ask.
///
/// # Examples
/// ```
/// use spanway::{RootSpan, RuntimeContext};
///
/// let attributes = || RuntimeContext::builder().set("http.route", "/chat").build().unwrap_or_default();
/// let span = RootSpan::new("POST /chat", "server", &attributes);
///
/// let context = RuntimeContext::empty();
/// let view = context.view_with_span(&span);
/// assert_eq!(view.text("span.name"), Some("POST /chat"));
/// assert_eq!(view.text("span.http.route"), Some("/chat"));
/// ```
pub struct RootSpan<'a> {
    name: Cow<'a, str>,
    kind: Cow<'a, str>,
    read: &'a dyn Fn() -> RuntimeContext,
    attributes: OnceCell<RuntimeContext>,
}

impl<'a> RootSpan<'a> {
    /// A span's name, its kind in lower case, and how to read its attributes.
    pub fn new(name: &'a str, kind: &'a str, attributes: &'a dyn Fn() -> RuntimeContext) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind: Cow::Borrowed(kind),
            read: attributes,
            attributes: OnceCell::new(),
        }
    }

    /// Name and kind first, and without reading the attributes.
    fn get(&self, key: &str) -> Option<Value<'_>> {
        match key {
            "name" => Some(Value::Text(&self.name)),
            "kind" => Some(Value::Text(&self.kind)),
            key => self.attributes().entries.literal(key),
        }
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        ["name", "kind"]
            .into_iter()
            .chain(self.attributes().entries.keys())
    }

    fn attributes(&self) -> &RuntimeContext {
        self.attributes.get_or_init(self.read)
    }

    #[cfg(feature = "components")]
    fn freeze(&self) -> RootSpan<'static> {
        RootSpan {
            name: Cow::Owned(self.name.clone().into_owned()),
            kind: Cow::Owned(self.kind.clone().into_owned()),
            read: &RuntimeContext::empty,
            attributes: OnceCell::from(self.attributes().clone()),
        }
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

    /// The value of a key: as it stands, else as a dotted path, else of the root
    /// span.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        let entries = &self.context.entries;
        entries
            .literal(key)
            .or_else(|| entries.dotted(key))
            .or_else(|| self.span?.get(key.strip_prefix(SPAN)?))
    }

    /// Whether [`get`](Self::get) gives some value, null included.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The text of a key; none if the key is absent or not text.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_text()
    }

    /// Each key once, sorted by bytes: the context's own and those under `span.`.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.context.entries.keys().map(str::to_owned).collect();
        if let Some(span) = self.span {
            keys.extend(span.keys().map(|key| format!("{SPAN}{key}")));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
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
    /// use spanway::RuntimeContext;
    ///
    /// let context = RuntimeContext::builder().set("user.id", "u-1").build()?;
    /// let view = context.view();
    /// assert_eq!(view.bucket("user.id", "rollout-7", 100), Some(48));
    /// assert_eq!(view.bucket("tenant", "rollout-7", 100), None);
    /// # Ok::<(), spanway::ContextError>(())
    /// ```
    pub fn bucket(&self, key: &str, salt: &str, buckets: u32) -> Option<u32> {
        bucket::bucket(self.get(key)?, salt, buckets)
    }

    /// A copy that borrows nothing, for a sandbox that must own what it reads.
    #[cfg(feature = "components")]
    pub(crate) fn freeze(&self) -> FrozenView {
        FrozenView {
            context: self.context.clone(),
            span: self.span.map(RootSpan::freeze),
        }
    }
}

/// A [`ContextView`] that owns its data.
#[cfg(feature = "components")]
pub(crate) struct FrozenView {
    context: RuntimeContext,
    span: Option<RootSpan<'static>>,
}

#[cfg(feature = "components")]
impl FrozenView {
    pub(crate) fn view(&self) -> ContextView<'_> {
        ContextView::new(&self.context, self.span.as_ref())
    }
}
