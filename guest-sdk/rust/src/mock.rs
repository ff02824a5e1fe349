//! A runtime context for the tests of a selector.
//!
//! Native targets only: a test runs as ordinary Rust, without WebAssembly.

use crate::{RuntimeContext, Value};

/// A runtime context that a test fills.
///
/// It is the host's own: look-up, dotted keys, canonical JSON and buckets are
/// those of production.
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
    /// A context without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The context that this JSON object describes: its members become the keys.
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
    /// If the text is not a JSON object, or the context is larger than a host
    /// accepts.
    #[must_use]
    #[track_caller]
    pub fn from_json(text: &str) -> Self {
        Self::frozen(spanmux_core::RuntimeContext::from_json(text))
    }

    /// The same context with one more key, or with another value for a key that it
    /// has.
    ///
    /// # Panics
    ///
    /// If the context is larger than a host accepts.
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

    /// The same context with a key whose value is given as JSON text.
    ///
    /// # Panics
    ///
    /// If the text is not JSON, or the context is larger than a host accepts.
    #[must_use]
    #[track_caller]
    pub fn with_json(self, key: &str, json: &str) -> Self {
        self.with(key, Value::Json(json.to_owned()))
    }

    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a mistake in a test's input should end that test"
    )]
    fn frozen(context: Result<spanmux_core::RuntimeContext, spanmux_core::ContextError>) -> Self {
        match context {
            Ok(frozen) => Self { frozen },
            Err(error) => panic!("this is no runtime context: {error}"),
        }
    }
}

impl RuntimeContext for MockContext {
    fn get(&self, key: &str) -> Option<Value> {
        self.frozen.view().get(key).map(own)
    }

    fn has(&self, key: &str) -> bool {
        self.frozen.view().has(key)
    }

    fn keys(&self) -> Vec<String> {
        self.frozen.view().keys()
    }

    fn bucket(&self, key: &str, salt: &str, buckets: u32) -> Option<u32> {
        assert!(buckets != 0, "`bucket` needs at least one bucket");
        self.frozen.view().bucket(key, salt, buckets)
    }
}

/// The names of the available tracers, as a selector receives them.
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
    fn a_later_value_of_a_key_wins_and_the_others_stay() {
        let context = MockContext::from_json(r#"{"a": 1, "b": null, "c": 18446744073709551615}"#)
            .with("a", "two")
            .with("b.c", 0.5);
        assert_eq!(context.get("a"), Some(Value::Text("two".into())));
        assert_eq!(context.get("b"), Some(Value::Null));
        assert_eq!(context.json("c").as_deref(), Some("18446744073709551615"));
        assert_eq!(context.float("b.c"), Some(0.5));
    }

    #[test]
    fn readers_give_their_own_kind_only() {
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
    fn required_text_names_the_key_that_is_wrong() {
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
    fn the_share_of_a_user_is_that_of_the_host() {
        let context = MockContext::new().with("user.id", "u-1");
        assert_eq!(context.bucket("user.id", "rollout-7", 100), Some(48));
        assert_eq!(context.bucket("tenant", "rollout-7", 100), None);
    }

    #[test]
    #[should_panic(expected = "this is no runtime context: the value of `user` is not JSON")]
    fn json_that_is_none_ends_the_test() {
        let _ = MockContext::new().with_json("user", "{");
    }

    #[test]
    #[should_panic(expected = "at least one bucket")]
    fn no_buckets_are_a_mistake() {
        MockContext::new().bucket("user.id", "", 0);
    }
}
