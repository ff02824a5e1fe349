//! The runtime context and the questions that a selector can ask.

use crate::Value;

/// Key/value data about the run to be traced.
///
/// The application provides values such as the environment, the tenant and the user
/// tier. The host adds the name, kind and start attributes of the root span.
///
/// # Keys
///
/// A key is first looked up exactly. If it does not exist and contains a dot, the
/// longest prefix before a dot that names an object selects that object, and the rest
/// is looked up in it: `user.tier` finds `tier` in the object `user`.
///
/// Keys under `span.` describe the starting root span: `span.name`, `span.kind`, and
/// each start attribute under its own name, such as `span.gen_ai.request.model`. On a
/// conflict, the key of the application takes precedence.
///
/// # Cost
///
/// Each question is one call to the host. Its cost grows with the size of the answer.
pub trait RuntimeContext {
    /// Returns the value of a key, or `None` if the key does not exist.
    ///
    /// If you expect one type of value, use a typed getter such as [`text`](Self::text).
    fn get(&self, key: &str) -> Option<Value>;

    /// Returns `true` if the key exists, even if its value is null.
    fn has(&self, key: &str) -> bool;

    /// Returns every key of the context once, sorted by bytes, without the members of
    /// nested objects.
    ///
    /// This is the most expensive question, and its answer is the least likely to
    /// repeat. Prefer [`get`](Self::get) and [`has`](Self::has).
    fn keys(&self) -> Vec<String>;

    /// Assigns the value of a key to one of `buckets` buckets of equal size.
    ///
    /// Returns a number from 0 to `buckets - 1`, or `None` if the key does not exist.
    ///
    /// Use it for percentage rollouts: `bucket("user.id", "rollout-7", 100)` is below 10
    /// for a tenth of the users, and for the same users on every machine. A different
    /// salt selects a different tenth.
    ///
    /// # Panics
    ///
    /// Panics if `buckets` is 0. In a component, this is a trap.
    fn bucket(&self, key: &str, salt: &str, buckets: u32) -> Option<u32>;

    /// Returns the value of a key if it is text.
    fn text(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of a key if it is a boolean.
    fn boolean(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Boolean(boolean) => Some(boolean),
            _ => None,
        }
    }

    /// Returns the value of a key if it is an integer.
    fn integer(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Value::Integer(integer) => Some(integer),
            _ => None,
        }
    }

    /// Returns the value of a key if it is a number.
    ///
    /// An integer is converted to a float, because numbers without a fraction are often
    /// written without a decimal point.
    #[expect(
        clippy::cast_precision_loss,
        reason = "integers of the context have at most 53 bits"
    )]
    fn float(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Value::Float(float) => Some(float),
            Value::Integer(integer) => Some(integer as f64),
            _ => None,
        }
    }

    /// Returns the canonical JSON text of a value that is an array, an object or an
    /// integer beyond ±(2^53 - 1).
    fn json(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::Json(json) => Some(json),
            _ => None,
        }
    }

    /// Returns the value of a key that must be text.
    ///
    /// ```
    /// use spanmux_guest::{Decision, RuntimeContext, choose};
    ///
    /// fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
    ///     let tenant = context.require_text("tenant")?;
    ///     choose(["tenant-", &tenant].concat())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a message that names the key if the key does not exist or its value is
    /// not text.
    fn require_text(&self, key: &str) -> Result<String, String> {
        // Concatenated because `format!` would be the largest part of many selectors.
        match self.get(key) {
            Some(Value::Text(text)) => Ok(text),
            Some(other) => Err(["`", key, "` is ", other.kind(), ", not text"].concat()),
            None => Err(["`", key, "` is missing"].concat()),
        }
    }
}
