//! A mock runtime context for selector tests.
//!
//! It is available on native targets only: tests run as ordinary Rust, without
//! WebAssembly.

use crate::{RuntimeContext, Value};

/// A runtime context with values set by a test.
///
/// It uses the host's implementation, so lookup, dotted keys, canonical JSON and buckets
/// behave as in production.
///
/// ```
/// use spanmux_guest::mock::MockContext;
/// use spanmux_guest::{RuntimeContext, Value};
///
/// let context = MockContext::new()
///     .with("environment", "production")
///     .with("beta", true)
///     .with("span.name", "POST /chat")
///     .with_json("user", r#"{ "tier": "gold", "id": 7 }"#);
///
/// assert_eq!(context.text("user.tier").as_deref(), Some("gold"));
/// assert_eq!(context.integer("user.id"), Some(7));
/// assert_eq!(context.get("user"), Some(Value::Json(r#"{"id":7,"tier":"gold"}"#.into())));
/// assert_eq!(context.keys(), ["beta", "environment", "span.name", "user"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct MockContext {
    frozen: spanmux_core::RuntimeContext,
}

impl MockContext {
    /// Creates an empty context.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a context from a JSON object whose members become the keys.
    ///
    /// ```
    /// use spanmux_guest::RuntimeContext;
    /// use spanmux_guest::mock::MockContext;
    ///
    /// let context = MockContext::from_json(r#"{"user": {"tier": "gold"}, "trial": null}"#);
    /// assert_eq!(context.text("user.tier").as_deref(), Some("gold"));
    /// assert!(context.has("trial"));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the text is not a JSON object or the context exceeds the limits of the
    /// host.
    #[must_use]
    #[track_caller]
    pub fn from_json(text: &str) -> Self {
        Self::frozen(spanmux_core::RuntimeContext::from_json(text))
    }

    /// Sets a key and replaces its previous value, if any.
    ///
    /// # Panics
    ///
    /// Panics if the context exceeds the limits of the host.
    #[must_use]
    #[track_caller]
    pub fn with(self, key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let view = self.frozen.view();
        let mut builder = spanmux_core::RuntimeContext::builder();
        for known in view.keys() {
            if let Some(value) = view.get(&known) {
                builder = builder.set(&known, value);
            }
        }
        Self::frozen(builder.set(key, lend(&value)).try_build())
    }

    /// Sets a key to a value in JSON text.
    ///
    /// # Panics
    ///
    /// Panics if the text is not JSON or the context exceeds the limits of the host.
    #[must_use]
    #[track_caller]
    pub fn with_json(self, key: &str, json: &str) -> Self {
        self.with(key, Value::Json(json.to_owned()))
    }

    #[track_caller]
    #[expect(clippy::panic, reason = "invalid input should fail the test")]
    fn frozen(context: Result<spanmux_core::RuntimeContext, spanmux_core::ContextError>) -> Self {
        match context {
            Ok(frozen) => Self { frozen },
            Err(error) => panic!("invalid runtime context: {error}"),
        }
    }
}

impl RuntimeContext for MockContext {
    fn get(&self, key: &str) -> Option<Value> {
        self.frozen.view().get(key).map(own)
    }

    fn has(&self, key: &str) -> bool {
        self.frozen.view().contains(key)
    }

    fn keys(&self) -> Vec<String> {
        self.frozen.view().keys()
    }

    fn bucket(&self, key: &str, salt: &str, buckets: u32) -> Option<u32> {
        assert!(buckets != 0, "`bucket` needs at least one bucket");
        self.frozen.view().bucket(key, salt, buckets)
    }
}

/// Converts tracer names to the list that a selector receives.
///
/// ```
/// let available = spanmux_guest::mock::tracers(["langfuse", "datadog"]);
/// assert_eq!(available, ["langfuse", "datadog"]);
/// ```
#[must_use]
pub fn tracers<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).into()
}

fn lend(value: &Value) -> spanmux_core::Value<'_> {
    match value {
        Value::Null => spanmux_core::Value::Null,
        Value::Boolean(boolean) => spanmux_core::Value::Boolean(*boolean),
        Value::Integer(integer) => spanmux_core::Value::Integer(*integer),
        Value::Float(float) => spanmux_core::Value::Float(*float),
        Value::Text(text) => spanmux_core::Value::Text(text),
        Value::Json(json) => spanmux_core::Value::Json(json),
    }
}

fn own(value: spanmux_core::Value<'_>) -> Value {
    match value {
        spanmux_core::Value::Null => Value::Null,
        spanmux_core::Value::Boolean(boolean) => Value::Boolean(boolean),
        spanmux_core::Value::Integer(integer) => Value::Integer(integer),
        spanmux_core::Value::Float(float) => Value::Float(float),
        spanmux_core::Value::Text(text) => Value::Text(text.to_owned()),
        spanmux_core::Value::Json(json) => Value::Json(json.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuntimeContext;

    #[test]
    fn with_replaces_one_key_and_keeps_the_others() {
        let context = MockContext::from_json(r#"{"a": 1, "b": null, "c": 18446744073709551615}"#)
            .with("a", "two")
            .with("b.c", 0.5);
        assert_eq!(context.get("a"), Some(Value::Text("two".into())));
        assert_eq!(context.get("b"), Some(Value::Null));
        assert_eq!(context.json("c").as_deref(), Some("18446744073709551615"));
        assert_eq!(context.float("b.c"), Some(0.5));
    }

    #[test]
    fn typed_getters_return_their_own_type_only() {
        let context = MockContext::from_json(
            r#"{"text": "1", "boolean": true, "integer": 1, "float": 1.5, "json": [1]}"#,
        );
        let text: Vec<_> = context
            .keys()
            .iter()
            .map(|key| context.text(key).is_some())
            .collect();
        assert_eq!(text, [false, false, false, false, true]);
        assert_eq!(context.boolean("boolean"), Some(true));
        assert_eq!(context.boolean("integer"), None);
        assert_eq!(context.integer("integer"), Some(1));
        assert_eq!(context.integer("float"), None);
        assert_eq!(context.float("float"), Some(1.5));
        assert_eq!(context.float("integer"), Some(1.0));
        assert_eq!(context.float("text"), None);
        assert_eq!(context.json("json").as_deref(), Some("[1]"));
        assert_eq!(context.json("absent"), None);
    }

    #[test]
    fn require_text_names_the_key_in_its_error() {
        let context = MockContext::new().with("tenant", "acme").with("region", 7);
        assert_eq!(context.require_text("tenant"), Ok("acme".into()));
        assert_eq!(
            context.require_text("region"),
            Err("`region` is an integer, not text".into())
        );
        assert_eq!(
            context.require_text("user"),
            Err("`user` is missing".into())
        );
    }

    #[test]
    fn bucket_equals_that_of_the_host() {
        let context = MockContext::new().with("user.id", "u-1");
        assert_eq!(context.bucket("user.id", "rollout-7", 100), Some(48));
        assert_eq!(context.bucket("tenant", "rollout-7", 100), None);
    }

    #[test]
    #[should_panic(expected = "invalid runtime context")]
    fn with_json_panics_on_invalid_json() {
        let _ = MockContext::new().with_json("user", "{");
    }

    #[test]
    #[should_panic(expected = "at least one bucket")]
    fn bucket_panics_with_zero_buckets() {
        MockContext::new().bucket("user.id", "", 0);
    }
}
