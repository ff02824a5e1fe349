//! Texts that recur from one root span to the next.

use std::cell::RefCell;
use std::sync::Arc;

/// How many texts a thread keeps: the names of the tracers and selectors that it
/// meets, and their digests. Beyond that the oldest goes.
const MAX_KEPT: usize = 16;

/// A longer text is not kept.
const MAX_BYTES: usize = 256;

struct Texts {
    kept: [Option<Arc<str>>; MAX_KEPT],
    oldest: usize,
}

thread_local! {
    // One for each thread, so that threads which start spans do not count one
    // another's references.
    static TEXTS: RefCell<Texts> = const {
        RefCell::new(Texts { kept: [const { None }; MAX_KEPT], oldest: 0 })
    };
}

/// The text as an attribute can hold it, without a copy if this thread kept it.
pub(super) fn shared(text: &str) -> Arc<str> {
    if text.len() > MAX_BYTES {
        return text.into();
    }
    // A thread that ends may have no texts any more.
    let kept = TEXTS.try_with(|texts| texts.borrow_mut().get(text));
    kept.unwrap_or_else(|_| text.into())
}

impl Texts {
    fn get(&mut self, text: &str) -> Arc<str> {
        let mut kept = self.kept.iter().flatten();
        if let Some(known) = kept.find(|known| ***known == *text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        if let Some(place) = self.kept.get_mut(self.oldest) {
            *place = Some(new.clone());
        }
        self.oldest = (self.oldest + 1) % MAX_KEPT;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_recurs_is_shared_and_little_is_kept() {
        let a = shared("a");
        assert!(Arc::ptr_eq(&a, &shared("a")));
        let long = "x".repeat(MAX_BYTES + 1);
        assert!(!Arc::ptr_eq(&shared(&long), &shared(&long)));
        for number in 0..MAX_KEPT {
            assert_eq!(&*shared(&number.to_string()), number.to_string());
        }
        assert_eq!(Arc::strong_count(&a), 1, "the oldest went");
    }
}
