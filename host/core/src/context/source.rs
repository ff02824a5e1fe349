//! Facts that a view reads in place, without a runtime context.

use super::limits::ContextLimits;
use super::value::{MAX_SAFE_INTEGER, Value};
use super::{RuntimeContext, RuntimeContextBuilder};

/// Facts of the application that stay where they are, such as a dictionary of another language.
///
/// A [`ContextView`](crate::ContextView) [over](crate::ContextView::over) a source asks it for each
/// key that a selector asks for. Its answers, and therefore the decisions, equal those of a
/// [`RuntimeContext`] with the same facts.
///
/// A source has plain values: null, booleans, integers, floats, text, and arrays as
/// [`Value::Json`]. It has no objects, so no dotted paths. Nothing checks its size, so keep it within
/// [`ContextLimits`]. Facts that do not fit belong into a [`RuntimeContext`], which is marked as
/// incomplete. An integer outside of ±(2^53 - 1) is absent.
///
/// # Examples
/// ```
/// use spanmux::{ContextSource, ContextView, Value};
///
/// struct Facts<'a>(&'a [(&'a str, &'a str)]);
///
/// impl ContextSource for Facts<'_> {
///     fn get(&self, key: &str) -> Option<Value<'_>> {
///         let (_, text) = self.0.iter().find(|(known, _)| *known == key)?;
///         Some(Value::Text(text))
///     }
///
///     fn each_key<'a>(&'a self, each: &mut dyn FnMut(&'a str)) {
///         self.0.iter().for_each(|(key, _)| each(key));
///     }
/// }
///
/// let facts = Facts(&[("environment", "production"), ("tenant", "acme")]);
/// let view = ContextView::over(&facts, None);
/// assert_eq!(view.text("tenant"), Some("acme"));
/// assert_eq!(view.keys(), ["environment", "tenant"]);
/// ```
pub trait ContextSource {
    /// Returns the value of a literal key.
    fn get(&self, key: &str) -> Option<Value<'_>>;

    /// Calls `each` once with each key, in any order.
    fn each_key<'a>(&'a self, each: &mut dyn FnMut(&'a str));
}

/// Returns a value as selectors see it.
pub(super) fn value<'a>(source: &'a dyn ContextSource, key: &str) -> Option<Value<'a>> {
    match source.get(key)? {
        Value::Integer(integer) => (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER)
            .contains(&integer)
            .then_some(Value::Integer(integer)),
        // One bit pattern, as in a context.
        Value::Float(float) if float.is_nan() => Some(Value::Float(f64::NAN)),
        value => Some(value),
    }
}

/// Copies the facts, for a sandbox that must own its data.
pub(super) fn to_context(source: &dyn ContextSource) -> RuntimeContext {
    // A copy has every fact that the source has.
    let limits = ContextLimits::default().keys(usize::MAX).bytes(usize::MAX);
    let mut builder = Some(RuntimeContextBuilder::new(limits));
    source.each_key(&mut |key| {
        if let Some(value) = value(source, key) {
            builder = builder.take().map(|builder| builder.set(key, value));
        }
    });
    builder
        .map(RuntimeContextBuilder::build)
        .unwrap_or_default()
}
