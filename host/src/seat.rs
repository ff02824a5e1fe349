//! A selector's seat in a registry.

#[cfg(feature = "components")]
use std::sync::{Arc, OnceLock};

#[cfg(feature = "components")]
use crate::learned::Tree;

/// Where a selector is asked from: one place in one chain, among one list of
/// tracers. What it finds there belongs to that list, so it needs not look for it.
///
/// Nobody outside can name it, so a seat is never given to another selector.
#[derive(Default)]
pub struct Seat {
    #[cfg(feature = "components")]
    tree: OnceLock<Arc<Tree>>,
}

#[cfg(feature = "components")]
impl Seat {
    /// One whose tree is found already.
    pub(crate) fn before(tree: Arc<Tree>) -> Self {
        Self {
            tree: OnceLock::from(tree),
        }
    }

    /// The tree that is used here.
    #[inline]
    pub(crate) fn tree(&self, find: impl FnOnce() -> Arc<Tree>) -> &Tree {
        self.tree.get_or_init(find)
    }
}
