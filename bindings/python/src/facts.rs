//! The facts of a `dict`, read in place.
//!
//! Most contexts are a few plain values. They are checked, and lent to the selectors without a copy.
//! Everything else is converted to a runtime context (`context`), and gets the same decisions: a
//! value that cannot be converted makes the context incomplete, whether a selector asks for its key
//! or not, so the check covers every value.

use arrayvec::ArrayVec;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};
use spanmux_core::internal::MAX_SAFE_INTEGER;
use spanmux_core::{ContextLimits, ContextSource, RuntimeContext, Value};

/// A longer `dict` is converted, because a look-up compares the keys one by one.
const MAX_FACTS: usize = 32;

/// The keys and values of a `dict`. Holds them, so that a change of the `dict` by a selector in
/// Python does not matter.
pub(crate) struct Held<'py>(ArrayVec<(Bound<'py, PyAny>, Bound<'py, PyAny>), MAX_FACTS>);

impl<'py> Held<'py> {
    /// Returns `None` for anything but a short `dict`.
    pub(crate) fn of(mapping: &Bound<'py, PyAny>) -> Option<Self> {
        let dict = mapping.cast::<PyDict>().ok()?;
        if dict.len() > MAX_FACTS {
            return None;
        }
        let mut held = ArrayVec::new();
        for pair in dict.iter() {
            held.try_push(pair).ok()?;
        }
        Some(Self(held))
    }

    /// Returns the facts, or `None` if one of them is not plain.
    pub(crate) fn facts(&self) -> Option<Facts<'_>> {
        let mut facts = ArrayVec::new();
        let mut bytes = 0;
        for (key, value) in &self.0 {
            let key = key.cast::<PyString>().ok()?.to_str().ok()?;
            let value = plain(value)?;
            bytes += key.len();
            if let Value::Text(text) = value {
                bytes += text.len();
            }
            facts.try_push((key, value)).ok()?;
        }
        (bytes <= ContextLimits::BYTES).then_some(Facts(facts))
    }
}

/// Converts a value that needs no copy.
fn plain<'a>(value: &'a Bound<'_, PyAny>) -> Option<Value<'a>> {
    if let Ok(text) = value.cast::<PyString>() {
        return text.to_str().ok().map(Value::Text);
    }
    if value.is_none() {
        return Some(Value::Null);
    }
    // A bool is an int in Python, and is neither here.
    if let Ok(boolean) = value.cast::<PyBool>() {
        return Some(Value::Boolean(boolean.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        let integer = value.extract().ok()?;
        let is_safe = (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(&integer);
        return is_safe.then_some(Value::Integer(integer));
    }
    let float = value.cast::<PyFloat>().ok()?;
    Some(Value::Float(float.value()))
}

/// Plain facts that borrow their texts from Python.
pub(crate) struct Facts<'a>(ArrayVec<(&'a str, Value<'a>), MAX_FACTS>);

impl Facts<'_> {
    /// Copies the facts.
    pub(crate) fn to_context(&self) -> RuntimeContext {
        let builder = RuntimeContext::builder();
        let facts = self.0.iter();
        facts
            .fold(builder, |builder, (key, value)| builder.set(key, *value))
            .build()
    }
}

impl ContextSource for Facts<'_> {
    fn get(&self, key: &str) -> Option<Value<'_>> {
        let mut facts = self.0.iter();
        let (_, value) = facts.find(|(known, _)| *known == key)?;
        Some(*value)
    }

    fn each_key<'a>(&'a self, each: &mut dyn FnMut(&'a str)) {
        self.0.iter().for_each(|(key, _)| each(key));
    }
}
