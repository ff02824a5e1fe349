//! The runtime context: what the application knows about the run that is about
//! to be traced. Plain data, frozen before anybody asks it anything.
//!
//! [`RuntimeContext`] is what an application builds, once per run.
//! [`ContextView`] is what a selector asks: the context together with what is
//! known of the root span. It is the one source of answers, for a native
//! selector and for a component alike.

mod bucket;
mod freeze;
mod key;
mod limits;
mod look_up;
mod map;
#[allow(missing_docs)] // Shared within the workspace only.
mod question;
mod value;
mod view;

use std::fmt;
use std::sync::Arc;

pub use limits::{ContextError, ContextLimits};
pub use question::{Answer, Keys, Question};
pub use value::Value;
pub use value::{MAX_SAFE_INTEGER, not_finite};
pub use view::FrozenView;
pub use view::{ContextView, RootSpan, SpanAttributes};

use freeze::{Entries, Freezer};

/// What the application knows about one run: environment, tenant, user tier …
///
/// Keys are text, values take every JSON shape. A context cannot be changed once
/// it is built, so it can be shared by all spans of a run.
///
/// # Cost
/// Building hashes each key and copies each value once. Cloning shares the data
/// and counts one reference. Reading takes no lock and allocates nothing.
///
/// # Examples
/// ```
/// use spanmux::{RuntimeContext, Value};
///
/// let context = RuntimeContext::builder()
///     .set("environment", "production")
///     .set("beta", true)
///     .set_json("user", &serde_json::json!({"id": 7, "tier": "gold"}))
///     .build()?;
///
/// let view = context.view();
/// assert_eq!(view.text("environment"), Some("production"));
/// assert_eq!(view.get("user.id"), Some(Value::Integer(7)));
/// assert_eq!(view.get("user"), Some(Value::Json(r#"{"id":7,"tier":"gold"}"#)));
/// # Ok::<(), spanmux::ContextError>(())
/// ```
#[derive(Clone, Default)]
pub struct RuntimeContext {
    entries: Arc<Entries>,
}

impl RuntimeContext {
    /// A context that knows nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Starts a context with the default [`ContextLimits`].
    pub fn builder() -> RuntimeContextBuilder {
        RuntimeContextBuilder::new(ContextLimits::default())
    }

    /// Reads a context from the text of one JSON object, within the default
    /// [`ContextLimits`].
    ///
    /// # Errors
    /// [`ContextError::Json`] if the text is not JSON, [`ContextError::NotAnObject`]
    /// if it is not an object, and the limit's own error if it is too large, has
    /// too many keys or is nested too deep. The size is looked at before the text
    /// is parsed.
    ///
    /// # Examples
    /// ```
    /// use spanmux::RuntimeContext;
    ///
    /// let context = RuntimeContext::from_json(r#"{"tenant": "acme"}"#)?;
    /// assert_eq!(context.view().text("tenant"), Some("acme"));
    ///
    /// let error = RuntimeContext::from_json("[]").unwrap_err();
    /// assert_eq!(error.to_string(), "a runtime context is a JSON object, and this is an array");
    /// # Ok::<(), spanmux::ContextError>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, ContextError> {
        Self::from_json_within(text, ContextLimits::default())
    }

    /// [`from_json`](Self::from_json) within limits of your own.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_json_within(text: &str, limits: ContextLimits) -> Result<Self, ContextError> {
        Freezer::object(text, limits).map(Self::of)
    }

    /// Starts a context that knows what this one does, and more: of a service, and
    /// then of one request. The limits of this one hold for both together.
    ///
    /// # Cost
    /// Copies every key and value.
    ///
    /// # Examples
    /// ```
    /// use spanmux::RuntimeContext;
    ///
    /// let service = RuntimeContext::builder().set("environment", "production").build()?;
    /// let request = service.to_builder().set("tenant", "acme").build()?;
    /// assert_eq!(request.view().text("environment"), Some("production"));
    /// assert_eq!(request.view().text("tenant"), Some("acme"));
    /// # Ok::<(), spanmux::ContextError>(())
    /// ```
    pub fn to_builder(&self) -> RuntimeContextBuilder {
        RuntimeContextBuilder {
            freezer: Freezer::after(Entries::clone(&self.entries)),
            error: None,
        }
    }

    /// What a selector may ask of this context, without a root span.
    pub fn view(&self) -> ContextView<'_> {
        ContextView::new(self, None)
    }

    /// What a selector may ask of this context when `span` is about to start.
    pub fn view_with_span<'a>(&'a self, span: &'a RootSpan<'a>) -> ContextView<'a> {
        ContextView::new(self, Some(span))
    }

    /// How many keys it has, not counting the members of its objects.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no key.
    pub fn is_empty(&self) -> bool {
        self.entries.len() == 0
    }

    fn of(entries: Entries) -> Self {
        Self {
            entries: Arc::new(entries),
        }
    }
}

/// Prints the keys and not the values: a context may hold what a log must not.
impl fmt::Debug for RuntimeContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RuntimeContext")
            .field(&self.entries.sorted_keys())
            .finish()
    }
}

/// Collects the values of a [`RuntimeContext`].
///
/// A value that does not fit is reported by [`build`](Self::build), so that the
/// calls can be chained; the first such value wins.
#[must_use = "a builder does nothing until `build` is called"]
pub struct RuntimeContextBuilder {
    freezer: Freezer,
    error: Option<ContextError>,
}

impl RuntimeContextBuilder {
    /// Starts a context within limits of your own.
    pub fn new(limits: ContextLimits) -> Self {
        Self {
            freezer: Freezer::new(limits),
            error: None,
        }
    }

    /// Sets a key to a simple value. The last value of a key wins.
    ///
    /// [`Value::Json`] is parsed, so its text needs not be canonical.
    pub fn set<'v>(mut self, key: &str, value: impl Into<Value<'v>>) -> Self {
        if self.error.is_none() {
            self.error = self.freezer.value(key, value.into()).err();
        }
        self
    }

    /// Sets a key to a value of any JSON shape. The last value of a key wins.
    pub fn set_json(mut self, key: &str, value: &serde_json::Value) -> Self {
        if self.error.is_none() {
            self.error = self.freezer.json(key, value).err();
        }
        self
    }

    /// Freezes what was set.
    ///
    /// # Errors
    /// The first value that did not fit: too many keys or bytes, nested too deep,
    /// or JSON text that is none.
    pub fn build(self) -> Result<RuntimeContext, ContextError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(RuntimeContext::of(self.freezer.finish())),
        }
    }
}

/// Prints no value, as the context that it builds.
impl fmt::Debug for RuntimeContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeContextBuilder")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
