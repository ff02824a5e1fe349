//! A short list that only grows.

use std::sync::OnceLock;

/// How many items a list keeps, so that it does not fill memory, and is gone
/// through quickly.
pub(super) const MAX_KEPT: usize = 64;

/// A short list that only grows, so that it is read without a lock and without
/// counting a reference.
#[derive(Debug)]
pub(super) struct List<T> {
    first: OnceLock<Box<Node<T>>>,
}

#[derive(Debug)]
struct Node<T> {
    item: T,
    next: OnceLock<Box<Node<T>>>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            first: OnceLock::new(),
        }
    }
}

impl<T> List<T> {
    /// The first item that `is` the one; if there is none, one is made and added.
    /// None if it is not there and no more are kept.
    ///
    /// # Cost
    /// One comparison for each item that came before.
    pub(super) fn find_or_add(
        &self,
        is: impl Fn(&T) -> bool,
        make: impl Fn() -> Option<T>,
    ) -> Option<&T> {
        let mut place = &self.first;
        for _ in 0..MAX_KEPT {
            if place.get().is_none() {
                let (item, next) = (make()?, OnceLock::new());
                // If another thread is first, its item is looked at next.
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
    fn it_grows_to_its_limit_and_no_further() {
        let list = List::default();
        let get = |number: usize| list.find_or_add(|item| *item == number, || Some(number));
        for _ in 0..2 {
            let found: Vec<_> = (0..MAX_KEPT + 2).filter_map(get).copied().collect();
            assert_eq!(found, (0..MAX_KEPT).collect::<Vec<_>>());
        }
        assert_eq!(List::default().find_or_add(|_: &u8| true, || None), None);
    }

    #[test]
    fn threads_that_add_at_once_lose_nothing() {
        let list = List::default();
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
