//! A short list that evicts its oldest item.

/// The last `N` items.
pub(super) struct Recent<T, const N: usize> {
    items: [Option<T>; N],
    oldest: usize,
}

impl<T, const N: usize> Recent<T, N> {
    pub(super) const fn new() -> Self {
        Self {
            items: [const { None }; N],
            oldest: 0,
        }
    }

    /// Returns the first item for which `is` returns `true`.
    pub(super) fn find(&self, is: impl Fn(&T) -> bool) -> Option<&T> {
        self.items.iter().flatten().find(|item| is(item))
    }

    /// Adds an item. Returns the one that it replaces.
    pub(super) fn add(&mut self, item: T) -> Option<T> {
        let evicted = self.items.get_mut(self.oldest)?.replace(item);
        self.oldest = (self.oldest + 1) % N;
        evicted
    }
}
