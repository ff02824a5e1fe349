//! The changes to the attributes of one span.

use opentelemetry::{KeyValue, Value};

use super::Dialect;
use super::fields::Id;
use super::found::Found;

/// Collects attributes to add and to remove.
pub(super) struct Edit<'a> {
    pub(super) dialect: Dialect,
    pub(super) found: Found<'a>,
    pub(super) added: Vec<KeyValue>,
    /// The positions of attributes that the dialect replaces.
    pub(super) removed: Vec<usize>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(dialect: Dialect, found: Found<'a>) -> Self {
        Self {
            dialect,
            found,
            added: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// Writes a field under the names of the dialect.
    pub(super) fn write(&mut self, id: Id, value: impl Into<Value>) {
        let value = value.into();
        for names in self.dialect.lists(id.field()).into_iter().flatten() {
            self.write_names(id, names, value.clone());
        }
    }

    /// Writes a field under these names, except those that the span already has. The attributes
    /// with other names are removed if the dialect replaces them.
    pub(super) fn write_names(
        &mut self,
        id: Id,
        names: &[&'static str],
        value: impl Into<Value> + Clone,
    ) {
        for name in names {
            let is_added = |of: &KeyValue| of.key.as_str() == *name;
            if !self.found.has(name) && !self.added.iter().any(is_added) {
                self.added.push(KeyValue::new(*name, value.clone()));
            }
        }
        if !names.is_empty() {
            self.replaces(id);
        }
    }

    /// Writes a field of the span under the names of the dialect that it does not have.
    pub(super) fn copy(&mut self, id: Id) {
        let Some(value) = self.found.value(id) else {
            return;
        };
        let mut has_name = false;
        for names in self.dialect.lists(id.field()).into_iter().flatten() {
            for name in names {
                has_name = true;
                if !self.found.has(name) {
                    self.added.push(KeyValue::new(*name, value.clone()));
                }
            }
        }
        if has_name {
            self.replaces(id);
        }
    }

    /// Removes the attributes of a field that are not names of the dialect, if the dialect
    /// replaces them.
    pub(super) fn replaces(&mut self, id: Id) {
        if !self.dialect.replaces() {
            return;
        }
        let field = id.field();
        let lists = self.dialect.lists(field);
        for name in field.names() {
            let is_own = lists.iter().flatten().any(|names| names.contains(&name));
            if !is_own {
                self.removed.extend(self.found.position_of(name));
            }
        }
    }

    /// Removes all attributes of a field, if the dialect replaces them.
    pub(super) fn removes(&mut self, id: Id) {
        if self.dialect.replaces() {
            self.removed.extend(self.found.positions(id));
        }
    }

    /// Removes numbered attributes, if the dialect replaces them.
    pub(super) fn replaces_numbered(&mut self, prefix: &str) {
        if self.dialect.replaces() {
            self.removed
                .extend(self.found.positions_of_numbered(prefix));
        }
    }
}
