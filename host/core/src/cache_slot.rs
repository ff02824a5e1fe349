//! A selector's seat in a registry.
use crate::decision_cache::Tree;
use std::sync::{Arc, OnceLock};

/// Where a selector is asked from: one place in one chain, among one list of
/// tracers. What it finds there belongs to that list, so it needs not look for it.
///
/// Nobody outside can name it, so a seat is never given to another selector.
#[derive(Default)]
pub struct CacheSlot {
    tree: OnceLock<Arc<Tree>>,
}

impl CacheSlot {
    /// One whose tree is found already.
    pub fn with_tree(tree: Arc<Tree>) -> Self {
        Self {
            tree: OnceLock::from(tree),
        }
    }

    /// The tree that is used here.
    #[inline]
    pub fn tree(&self, find: impl FnOnce() -> Arc<Tree>) -> &Tree {
        self.tree.get_or_init(find)
    }
}
