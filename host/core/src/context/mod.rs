//! The runtime context: the application's facts about the run that is about to be traced, as
//! immutable plain data.
//!
//! An application builds a [`RuntimeContext`] once per run. A selector queries a [`ContextView`]:
//! the context together with the root span. The view is the single source of answers for native
//! selectors and components.

mod arena;
mod bucket;
mod canonicalize;
mod deserialize;
mod hash;
mod index;
mod key;
mod limits;
mod look_up;
#[allow(missing_docs)] // Shared within the workspace only.
mod question;
mod serialize;
mod source;
mod value;
mod view;
mod words;

use std::fmt;
use std::sync::Arc;

pub use limits::{ContextError, ContextLimits};
pub use question::{Answer, Keys, Question};
pub use source::ContextSource;
pub use value::Value;
pub use value::{MAX_SAFE_INTEGER, not_finite};
pub use view::OwnedView;
pub use view::{ContextView, RootSpan, SpanAttributes};

pub(crate) use words::{INLINE, Words};

use arena::Entries;
use canonicalize::Canonicalizer;
use serialize::Failure;

/// The application's facts about one run: environment, tenant, user tier …
///
/// Keys are text and values have any JSON type. A context is immutable, so all spans of a run can
/// share it.
///
/// # Cost
/// Building hashes each key and copies each text once, into one buffer: three allocations for up to
/// 24 keys with 512 bytes. Cloning increments one reference count. Reading takes no lock and
/// allocates nothing.
///
/// # Examples
/// ```
/// use spanmux::{RuntimeContext, Value};
///
/// let context = RuntimeContext::builder()
///     .set("environment", "production")
///     .set("beta", true)
///     .set_json("user", &serde_json::json!({"id": 7, "tier": "gold"}))
///     .build();
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
    /// Returns a context without keys.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Starts a context with the default [`ContextLimits`].
    pub fn builder() -> RuntimeContextBuilder {
        RuntimeContextBuilder::new(ContextLimits::default())
    }

    /// Parses a context from the text of one JSON object within the default [`ContextLimits`].
    ///
    /// # Errors
    /// Returns [`ContextError::Json`] if the text is not JSON, [`ContextError::NotAnObject`] if it
    /// is not an object, and the error of the limit if it is too large, has too many keys or is
    /// nested too deep. The size is checked before the text is parsed.
    ///
    /// # Examples
    /// ```
    /// use spanmux::RuntimeContext;
    ///
    /// let context = RuntimeContext::from_json(r#"{"tenant": "acme"}"#)?;
    /// assert_eq!(context.view().text("tenant"), Some("acme"));
    ///
    /// let error = RuntimeContext::from_json("[]").unwrap_err();
    /// assert_eq!(error.to_string(), "expected a JSON object, found an array");
    /// # Ok::<(), spanmux::ContextError>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, ContextError> {
        Self::from_json_within(text, ContextLimits::default())
    }

    /// Parses a context as [`from_json`](Self::from_json) does, within custom limits.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_json_within(text: &str, limits: ContextLimits) -> Result<Self, ContextError> {
        Canonicalizer::object(text, limits).map(Self::of)
    }

    /// Starts a context that contains this one: for example that of a service, extended for a
    /// request. The limits of this context apply to both together.
    ///
    /// # Cost
    /// Shares the keys and values of this context. A context that extends one that extends another
    /// one copies the keys and values that were added last.
    ///
    /// # Examples
    /// ```
    /// use spanmux::RuntimeContext;
    ///
    /// let service = RuntimeContext::builder().set("environment", "production").build();
    /// let request = service.to_builder().set("tenant", "acme").build();
    /// assert_eq!(request.view().text("environment"), Some("production"));
    /// assert_eq!(request.view().text("tenant"), Some("acme"));
    /// # Ok::<(), spanmux::ContextError>(())
    /// ```
    pub fn to_builder(&self) -> RuntimeContextBuilder {
        RuntimeContextBuilder {
            canonicalizer: Canonicalizer::after(&self.entries),
        }
    }

    /// Returns the view for selectors, without a root span.
    pub fn view(&self) -> ContextView<'_> {
        ContextView::new(self, None)
    }

    /// Returns the view for selectors when `span` is about to start.
    pub fn view_with_span<'a>(&'a self, span: &'a RootSpan<'a>) -> ContextView<'a> {
        ContextView::new(self, Some(span))
    }

    /// Returns the first value that did not fit when the context was built, or `None` if the
    /// context is complete.
    ///
    /// # Examples
    /// ```
    /// use spanmux::{Cause, ContextLimits, RuntimeContextBuilder, TracerRegistry, selector_fn};
    ///
    /// let mut limits = ContextLimits::default();
    /// limits.bytes = 16;
    /// let context = RuntimeContextBuilder::new(limits)
    ///     .set("tenant", "acme")
    ///     .set("prompt", "far more text than fits")
    ///     .build();
    /// assert!(context.error().is_some());
    /// assert_eq!(context.view().text("tenant"), Some("acme"));
    ///
    /// let registry = TracerRegistry::<()>::new();
    /// registry.register("console", ())?;
    /// registry.set_selectors(selector_fn("console", |_, tracers| tracers.choose("console")));
    /// let selection = registry.select(&context.view());
    /// assert_eq!(selection.reason().cause(), Some(Cause::IncompleteContext));
    /// # Ok::<(), spanmux::RegisterError>(())
    /// ```
    pub fn error(&self) -> Option<&ContextError> {
        self.entries.error()
    }

    /// Returns the number of keys, without the members of objects.
    pub fn len(&self) -> usize {
        self.entries.keys().count()
    }

    /// Returns `true` if the context has no key.
    pub fn is_empty(&self) -> bool {
        self.entries.keys().next().is_none()
    }

    fn of(entries: Entries) -> Self {
        Self {
            entries: Arc::new(entries),
        }
    }
}

/// Formats the keys and not the values, which may be unsuitable for a log.
impl fmt::Debug for RuntimeContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RuntimeContext")
            .field(&self.entries.sorted_keys())
            .finish()
    }
}

/// A builder for a [`RuntimeContext`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct RuntimeContextBuilder {
    canonicalizer: Canonicalizer,
}

impl RuntimeContextBuilder {
    /// Starts a context with these limits.
    pub fn new(limits: ContextLimits) -> Self {
        Self {
            canonicalizer: Canonicalizer::new(limits),
        }
    }

    /// Sets a key to a simple value. The last value of a key wins.
    ///
    /// [`Value::Json`] is parsed, so its text does not have to be canonical. A value that does not
    /// fit is left out: see [`build`](Self::build).
    pub fn set<'v>(mut self, key: &str, value: impl Into<Value<'v>>) -> Self {
        self.canonicalizer.value_if_fits(key, value.into());
        self
    }

    /// Sets a key to any value that serializes to JSON. The last value of a key wins.
    ///
    /// A value that does not fit, or that fails to serialize, is left out: see
    /// [`build`](Self::build).
    ///
    /// # Examples
    /// ```
    /// use spanmux::RuntimeContext;
    /// use std::collections::BTreeMap;
    ///
    /// let user = BTreeMap::from([("id", "u-3"), ("tier", "free")]);
    /// let context = RuntimeContext::builder().set_json("user", &user).build();
    /// assert_eq!(context.view().text("user.tier"), Some("free"));
    /// ```
    pub fn set_json(mut self, key: &str, value: &(impl serde::Serialize + ?Sized)) -> Self {
        let limit = self.canonicalizer.depth();
        // One level more, so that exceeding the limit is reported as for any other value.
        match serialize::to_json(value, limit + 1) {
            Ok(value) => self.canonicalizer.json_if_fits(key, &value),
            Err(Failure::TooDeep) => self
                .canonicalizer
                .leave_out(ContextError::TooDeep { limit }),
            Err(Failure::Other(message)) => self.canonicalizer.leave_out(ContextError::Json {
                key: Some(key.to_owned()),
                message,
            }),
        }
        self
    }

    /// Builds the context from everything that fits.
    ///
    /// If a value was left out, the context is [incomplete](RuntimeContext::error). A registry
    /// then runs no selector, because its rules might depend on the missing value: the trace goes
    /// to the fallback tracer with [`Fallback::IncompleteContext`](crate::Fallback).
    pub fn build(self) -> RuntimeContext {
        RuntimeContext::of(self.canonicalizer.finish())
    }

    /// Builds the context if every value fits.
    ///
    /// # Errors
    /// The first value that did not fit: too many keys or bytes, nesting that is too deep, or
    /// invalid JSON text.
    pub fn try_build(self) -> Result<RuntimeContext, ContextError> {
        let entries = self.canonicalizer.finish();
        match entries.error() {
            Some(error) => Err(error.clone()),
            None => Ok(RuntimeContext::of(entries)),
        }
    }
}

/// Formats no values, as the context that it builds.
impl fmt::Debug for RuntimeContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeContextBuilder")
            .field("error", &self.canonicalizer.error())
            .finish_non_exhaustive()
    }
}
