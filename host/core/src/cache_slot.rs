//! The decision tree that a selector uses inside one registry snapshot.
use crate::allowed_tracers::Restriction;
use crate::decision_cache::Tree;
use std::sync::{Arc, OnceLock};

/// A reference to the decision tree of one selector for one list of tracers, so that a decision
/// does not search for it.
///
/// The type cannot be named outside of this workspace, so a slot never reaches another selector.
#[derive(Clone, Default)]
pub struct CacheSlot {
    tree: OnceLock<Arc<Tree>>,
    /// The allow-list of the selector. The tree does not know it.
    restriction: Option<Arc<Restriction>>,
}

impl CacheSlot {
    /// Creates a slot whose tree is known.
    pub fn with_tree(tree: Arc<Tree>) -> Self {
        Self {
            tree: OnceLock::from(tree),
            restriction: None,
        }
    }

    pub(crate) fn restricted_to(mut self, restriction: Arc<Restriction>) -> Self {
        self.restriction = Some(restriction);
        self
    }

    pub(crate) fn restriction(&self) -> Option<&Restriction> {
        self.restriction.as_deref()
    }

    /// Returns the tree, or `None` if no decision has used it yet or the selector has none.
    pub(crate) fn known(&self) -> Option<&Arc<Tree>> {
        self.tree.get()
    }

    /// Returns the tree. The first call finds it.
    #[inline]
    pub fn tree(&self, find: impl FnOnce() -> Arc<Tree>) -> &Tree {
        self.tree.get_or_init(find)
    }
}
