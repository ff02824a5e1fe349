//! The changes to the attributes of one span.

use opentelemetry::{Key, KeyValue, Value};

use super::Dialect;
use super::fields::{Field, Id, KEPT};
use super::found::Found;

/// An attribute that is added.
pub(super) struct Added {
    pub(super) attribute: KeyValue,
    /// The position of the recorded attribute with its value. `None` if it has none, or several.
    pub(super) source: Option<usize>,
}

/// Collects attributes to add and to remove.
pub(super) struct Edit<'a> {
    pub(super) dialect: Dialect,
    pub(super) found: Found<'a>,
    pub(super) added: Vec<Added>,
    /// The positions of attributes that the dialect replaces.
    pub(super) removed: Vec<usize>,
    /// The positions of attributes that are parts of an added one.
    pub(super) combined: Vec<usize>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(dialect: Dialect, found: Found<'a>) -> Self {
        Self {
            dialect,
            found,
            added: Vec::new(),
            removed: Vec::new(),
            combined: Vec::new(),
        }
    }

    /// Writes a field under the names of the dialect that the span does not have.
    pub(super) fn write(&mut self, id: Id, value: impl Into<Value>, source: Option<usize>) {
        let value = value.into();
        for names in self.dialect.lists(id.field()).into_iter().flatten() {
            self.write_names(id, names, value.clone(), source);
        }
    }

    /// Writes a field under these names, except those that the span already has.
    pub(super) fn write_names(
        &mut self,
        id: Id,
        names: &[&'static str],
        value: impl Into<Value> + Clone,
        source: Option<usize>,
    ) {
        for name in names {
            self.add(*name, value.clone(), source);
        }
        self.supersede(id, id);
    }

    /// Writes a field of the span under the names of the dialect that it does not have.
    pub(super) fn copy(&mut self, id: Id) {
        if let Some((source, value)) = self.found.first(id) {
            self.write(id, value.clone(), Some(source));
        }
    }

    /// Adds an attribute, unless the span has one with this key.
    pub(super) fn add(
        &mut self,
        key: impl Into<Key>,
        value: impl Into<Value>,
        source: Option<usize>,
    ) {
        let key = key.into();
        let is_added = self.added.iter().any(|of| of.attribute.key == key);
        if !is_added && !self.found.has(key.as_str()) {
            self.add_new(key, value, source);
        }
    }

    /// Adds an attribute with a key that the span cannot have.
    pub(super) fn add_new(
        &mut self,
        key: impl Into<Key>,
        value: impl Into<Value>,
        source: Option<usize>,
    ) {
        let attribute = KeyValue::new(key, value);
        self.added.push(Added { attribute, source });
    }

    /// Returns the value that the backend receives under this name of a field.
    pub(super) fn value_of(&self, name: &str) -> Option<&Value> {
        let recorded = self.found.position_of(name).map(|at| self.found.at(at));
        recorded.or_else(|| {
            let mut added = self.added.iter().map(|of| &of.attribute);
            let found = added.find(|of| of.key.as_str() == name);
            found.map(|of| &of.value)
        })
    }

    /// Returns `true` if the backend receives this value for a field.
    pub(super) fn has_value(&self, id: Id, value: &Value) -> bool {
        let lists = self.dialect.lists(id.field());
        let mut names = lists.into_iter().flatten().flatten();
        names.any(|name| self.value_of(name).is_some_and(|own| is_same(own, value)))
    }

    /// Removes the attributes of `other` whose value the backend receives for `id`, if the dialect
    /// replaces them. A value that differs stays: it is a fact of its own.
    pub(super) fn supersede(&mut self, id: Id, other: Id) {
        let replaced = self.foreign(other);
        let replaced = replaced.filter(|at| self.has_value(id, self.found.at(*at)));
        let replaced: Vec<_> = replaced.collect();
        self.removed.extend(replaced);
    }

    /// Removes the attributes of a field with this value, if the dialect replaces them.
    pub(super) fn retire(&mut self, id: Id, value: &Value) {
        let replaced = self.foreign(id);
        let replaced = replaced.filter(|at| is_same(self.found.at(*at), value));
        let replaced: Vec<_> = replaced.collect();
        self.removed.extend(replaced);
    }

    /// Removes attributes, if the dialect replaces them.
    pub(super) fn remove(&mut self, positions: impl IntoIterator<Item = usize>) {
        if self.dialect.replaces() {
            self.removed.extend(positions);
        }
    }

    /// Removes all attributes of a field, if the dialect replaces them.
    pub(super) fn remove_all(&mut self, id: Id) {
        if self.dialect.replaces() {
            self.removed.extend(self.found.positions(id));
        }
    }

    /// Returns the positions of the attributes of a field with names that the dialect replaces.
    fn foreign(&self, id: Id) -> impl Iterator<Item = usize> + '_ {
        let field = id.field();
        let names = field.names().filter(|_| self.dialect.replaces());
        let names = names.filter(|name| !self.is_own(field, name));
        names.filter_map(|name| self.found.position_of(name))
    }

    fn is_own(&self, field: &Field, name: &str) -> bool {
        let mut lists = self.dialect.lists(field).into_iter().flatten();
        lists.any(|names| names.contains(&name)) || KEPT.contains(&(self.dialect, name))
    }
}

/// Compares two values, and numbers by their amount.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::I64(whole), Value::F64(number)) | (Value::F64(number), Value::I64(whole)) => {
            *whole as f64 == *number
        }
        _ => one == other,
    }
}
