//! The tracers of a caller, by name.

use spanmux_core::{
    Chain, ContextView, PendingSelection, Selection, TracerNames, TracerRegistry,
    UnknownTracerError,
};

use super::{AskedKeys, Decided, TracersError};

/// A list of tracer names with a default and a fallback, for which the selectors of a policy
/// decide. Decisions are learned for each list.
#[derive(Debug)]
pub struct Tracers {
    registry: TracerRegistry<()>,
    list: TracerList,
}

/// The names, the default and the fallback, as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TracerList {
    pub(crate) names: Vec<String>,
    pub(crate) default: Option<String>,
    pub(crate) fallback: Option<String>,
}

impl TracerList {
    pub(crate) fn is(&self, names: &[&str], default: Option<&str>, fallback: Option<&str>) -> bool {
        self.names.len() == names.len()
            && self
                .names
                .iter()
                .zip(names)
                .all(|(own, other)| own == other)
            && self.default.as_deref() == default
            && self.fallback.as_deref() == fallback
    }
}

impl Tracers {
    pub(crate) fn new(list: TracerList, chain: Chain) -> Result<Self, TracersError> {
        let registry = TracerRegistry::new();
        for name in &list.names {
            let is_default = list.default.as_ref() == Some(name);
            let added = if is_default {
                registry.register_default(name, ())
            } else {
                registry.register(name, ())
            };
            added.map_err(TracersError::Name)?;
        }
        let unknown = |role, error| TracersError::Unknown { role, error };
        if let Some(name) = list
            .default
            .as_ref()
            .filter(|name| !registry.contains(name))
        {
            let (name, known) = (name.clone(), list.names.clone());
            return Err(unknown("default", UnknownTracerError { name, known }));
        }
        registry
            .set_fallback(list.fallback.as_deref())
            .map_err(|error| unknown("fallback", error))?;
        registry.set_selectors(chain);
        Ok(Self { registry, list })
    }

    pub(crate) fn list(&self) -> &TracerList {
        &self.list
    }

    pub(crate) fn set(&self, chain: Chain) {
        self.registry.set_selectors(chain);
    }

    /// Returns the names in order.
    pub fn names(&self) -> TracerNames {
        self.registry.names()
    }

    /// Decides one trace. The function is total: whatever the selectors do, it names a tracer of
    /// the list, and none only if the list is empty.
    pub fn decide(&self, context: &ContextView<'_>) -> Decided {
        Decided::from(&self.select(context))
    }

    /// Decides as [`decide`](Self::decide) does, and returns the selection, which costs no copies.
    pub fn select(&self, context: &ContextView<'_>) -> Selection<()> {
        self.registry.select(context)
    }

    /// Decides one trace without running a component.
    ///
    /// A binding whose interpreter has a lock calls it first, and finishes the selection without
    /// the lock if runs are [long](super::Policy::has_long_runs).
    ///
    /// # Errors
    /// Returns the selection that is left to finish, if a component has to run.
    pub fn recall(&self, context: &ContextView<'_>) -> Result<Selection<()>, PendingSelection<()>> {
        self.registry.recall(context)
    }

    /// Returns the keys that the learned decisions ask, or `None` if they may ask any key: a native
    /// selector sees the whole context, and a component may list the keys.
    ///
    /// With the list, a binding reads a few values from an object of its language instead of
    /// converting all of it:
    ///
    /// 1. It keeps the list, and reads the values of these keys alone. If any of them is not a plain
    ///    value, or any *other* value of the object might not fit into a context, it decides with
    ///    the whole object.
    /// 2. It calls [`recall_asked`](Self::recall_asked) with the generation of its list. Without a
    ///    selection, it decides with the whole object.
    /// 3. After a decision with the whole object, it compares the generation of
    ///    [`number_of`](Self::number_of), and replaces a list of another generation.
    ///
    /// Decisions are those for the whole object, always. Keys under `span.` are those of the root
    /// span, unless the object has them.
    ///
    /// # Cost
    /// Copies the keys. Keep the list.
    pub fn asked_keys(&self) -> Option<AskedKeys> {
        self.registry.asked_keys()
    }

    /// Decides one trace from learned decisions, for a context that has the values of the
    /// [asked keys](Self::asked_keys) and may lack all others.
    ///
    /// Returns `None` if the keys have changed since `generation`, or if a component has to run.
    pub fn recall_asked(
        &self,
        generation: u64,
        context: &ContextView<'_>,
    ) -> Option<Selection<()>> {
        self.registry.recall_asked(generation, context)
    }

    /// Returns the generation of the asked keys, and a number that equal decisions of this list
    /// share within the generation: same tracer, same selector, same reason. A binding can keep one
    /// object for each. Returns `None` for a failed decision, and without a generation.
    pub fn number_of(&self, selection: &Selection<()>) -> Option<(u64, u32)> {
        selection.number()
    }
}
