//! An interner for strings that recur from one root span to the next.

use std::cell::RefCell;
use std::sync::Arc;

/// Maximum number of strings per thread: tracer names, selector names, and digests. When
/// full, the oldest is evicted.
const MAX_KEPT: usize = 16;

/// Maximum length of an interned string.
const MAX_BYTES: usize = 256;

struct Interner {
    kept: [Option<Arc<str>>; MAX_KEPT],
    oldest: usize,
}

thread_local! {
    // Per thread, so that threads which start spans do not contend for the same reference
    // counts.
    static INTERNER: RefCell<Interner> = const {
        RefCell::new(Interner { kept: [const { None }; MAX_KEPT], oldest: 0 })
    };
}

/// Returns the string as an attribute can hold it, without copying it if this thread has
/// interned it.
pub(super) fn intern(text: &str) -> Arc<str> {
    if text.len() > MAX_BYTES {
        return text.into();
    }
    // Thread-local storage may be destroyed while a thread ends.
    let kept = INTERNER.try_with(|interner| interner.borrow_mut().get(text));
    kept.unwrap_or_else(|_| text.into())
}

impl Interner {
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
    fn recurring_strings_are_shared_and_the_oldest_is_evicted() {
        let a = intern("a");
        assert!(Arc::ptr_eq(&a, &intern("a")));
        let long = "x".repeat(MAX_BYTES + 1);
        assert!(!Arc::ptr_eq(&intern(&long), &intern(&long)));
        for number in 0..MAX_KEPT {
            assert_eq!(&*intern(&number.to_string()), number.to_string());
        }
        assert_eq!(Arc::strong_count(&a), 1, "the oldest was evicted");
    }
}
