//! What a selector can ask.

use crate::Value;

/// What the application knows about the run that is about to be traced:
/// environment, tenant, user tier, and what is known of the root span.
///
/// # Keys
///
/// A key is looked up as it stands. If it is not there and holds a dot, the
/// longest part before a dot that names an object is taken, and the rest is
/// looked up in that object: `user.tier` finds `tier` in the object `user`.
///
/// Keys under `span.` tell of the root span that is starting: `span.name`,
/// `span.kind`, and each of its start attributes under its own name, such as
/// `span.gen_ai.request.model`. The application's own keys win where they clash.
///
/// # Cost
///
/// Each question is one call to the host. What it costs grows with the bytes of
/// the answer.
pub trait RuntimeContext {
    /// The value of a key, or `None` if there is no such key.
    ///
    /// Where one kind of value is expected, [`text`](Self::text) and its siblings
    /// are shorter.
    fn get(&self, key: &str) -> Option<Value>;

    /// Whether there is such a key; its value may be null.
    fn has(&self, key: &str) -> bool;

    /// Each key of the context once, sorted by bytes, without the members of its
    /// objects.
    ///
    /// The costliest question, and the one whose answer is least often the same.
    /// Prefer [`get`](Self::get) and [`has`](Self::has).
    fn keys(&self) -> Vec<String>;

    /// In which of `buckets` equal shares the value of a key falls, from 0 to
    /// `buckets - 1`; `None` if there is no such key.
    ///
    /// For percentage rollouts: `bucket("user.id", "rollout-7", 100)` below 10 is
    /// a tenth of the users, and the same tenth on every machine. Another salt
    /// draws another tenth.
    ///
    /// # Panics
    ///
    /// If `buckets` is 0; in a component, this is a trap.
    fn bucket(&self, key: &str, salt: &str, buckets: u32) -> Option<u32>;

    /// The value of a key if it is text.
    fn text(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a key if it is a boolean.
    fn boolean(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Boolean(boolean) => Some(boolean),
            _ => None,
        }
    }

    /// The value of a key if it is an integer.
    fn integer(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Value::Integer(integer) => Some(integer),
            _ => None,
        }
    }

    /// The value of a key if it is a number. An integer is handed over as the
    /// float of the same value, because a number without a fraction is often
    /// written without a point.
    #[expect(
        clippy::cast_precision_loss,
        reason = "an integer of the context has 53 bits at most"
    )]
    fn float(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Value::Float(float) => Some(float),
            Value::Integer(integer) => Some(integer as f64),
            _ => None,
        }
    }

    /// The canonical text of a key's value if it is an array, an object or an
    /// integer beyond ±(2^53 - 1).
    fn json(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::Json(json) => Some(json),
            _ => None,
        }
    }

    /// The value of a key that must be text.
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
    /// If there is no such key or its value is not text: a message that names the
    /// key.
    fn require_text(&self, key: &str) -> Result<String, String> {
        // Joined and not formatted: `format!` would be the largest part of many
        // a selector.
        match self.get(key) {
            Some(Value::Text(text)) => Ok(text),
            Some(other) => Err(["`", key, "` is ", other.kind(), ", not text"].concat()),
            None => Err(["`", key, "` is missing"].concat()),
        }
    }
}
