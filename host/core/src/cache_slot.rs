//! The decision tree that a selector uses inside one registry snapshot.
use crate::allowed_tracers::Restriction;
use crate::decision::Choice;
use crate::decision_cache::Tree;
use crate::tracer_names::TracerNames;
use std::sync::{Arc, OnceLock};

/// A reference to the decision tree of one selector for one list of tracers, so that a decision
/// does not search for it.
///
/// The type cannot be named outside of this workspace, so a slot never reaches another selector.
#[derive(Clone, Default)]
pub struct CacheSlot {
    tree: OnceLock<Arc<Tree>>,
    /// The allow-lists of the selector. The tree does not know them.
    restrictions: Vec<Arc<Restriction>>,
}

impl CacheSlot {
    /// Creates a slot whose tree is known.
    pub fn with_tree(tree: Arc<Tree>) -> Self {
        Self {
            tree: OnceLock::from(tree),
            restrictions: Vec::new(),
        }
    }

    pub(crate) fn restricted_to(mut self, restriction: Arc<Restriction>) -> Self {
        self.restrictions.push(restriction);
        self
    }

    /// Returns the refusal of a choice, or `None` if the selector may choose it.
    pub(crate) fn refuse(&self, choice: &Choice, tracers: &TracerNames) -> Option<Choice> {
        let mut restrictions = self.restrictions.iter();
        restrictions.find_map(|restriction| restriction.refuse(choice, tracers))
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
