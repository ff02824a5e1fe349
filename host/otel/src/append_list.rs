//! A short append-only list.

use std::sync::OnceLock;

/// Maximum length of a list. It bounds memory and search time.
pub(super) const MAX_KEPT: usize = 64;

/// A short append-only list. Readers take no lock and do not touch a reference count.
#[derive(Debug)]
pub(super) struct AppendList<T> {
    first: OnceLock<Box<Node<T>>>,
}

#[derive(Debug)]
struct Node<T> {
    item: T,
    next: OnceLock<Box<Node<T>>>,
}

impl<T> Default for AppendList<T> {
    fn default() -> Self {
        Self {
            first: OnceLock::new(),
        }
    }
}

impl<T> AppendList<T> {
    /// Returns the first item for which `is` returns `true`. Otherwise appends an item
    /// created by `make`. Returns `None` if `make` does or if the list is full.
    ///
    /// # Cost
    /// One comparison for each preceding item.
    pub(super) fn find_or_add(
        &self,
        is: impl Fn(&T) -> bool,
        make: impl Fn() -> Option<T>,
    ) -> Option<&T> {
        let mut place = &self.first;
        for _ in 0..MAX_KEPT {
            if place.get().is_none() {
                let (item, next) = (make()?, OnceLock::new());
                // If another thread appends first, its item is checked next.
                let _ = place.set(Box::new(Node { item, next }));
            }
            match place.get() {
                Some(node) if is(&node.item) => return Some(&node.item),
                Some(node) => place = &node.next,
                None => break,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_grows_up_to_its_limit() {
        let list = AppendList::default();
        let get = |number: usize| list.find_or_add(|item| *item == number, || Some(number));
        for _ in 0..2 {
            let found: Vec<_> = (0..MAX_KEPT + 2).filter_map(get).copied().collect();
            assert_eq!(found, (0..MAX_KEPT).collect::<Vec<_>>());
        }
        assert_eq!(
            AppendList::default().find_or_add(|_: &u8| true, || None),
            None
        );
    }

    #[test]
    fn concurrent_appends_lose_no_item() {
        let list = AppendList::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let list = &list;
                scope.spawn(move || {
                    for number in 0..MAX_KEPT {
                        let number = (number + thread * 7) % MAX_KEPT;
                        let found = list.find_or_add(|item| *item == number, || Some(number));
                        assert_eq!(found, Some(&number));
                    }
                });
            }
        });
        let all = (0..MAX_KEPT).filter_map(|n| list.find_or_add(|item| *item == n, || None));
        assert_eq!(all.count(), MAX_KEPT);
    }
}
