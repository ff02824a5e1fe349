//! An interner for strings that recur from one root span to the next.

use std::cell::RefCell;
use std::sync::Arc;

use super::recent::Recent;

/// Maximum number of strings per thread: tracer names, selector names, and digests. When
/// full, the oldest is evicted.
const MAX_KEPT: usize = 16;

/// Maximum length of an interned string.
const MAX_BYTES: usize = 256;

thread_local! {
    // Per thread, so that threads which start spans do not contend for the same reference
    // counts.
    static INTERNER: RefCell<Recent<Arc<str>, MAX_KEPT>> = const { RefCell::new(Recent::new()) };
}

/// Returns the string as an attribute can hold it, without copying it if this thread has
/// interned it.
pub(super) fn intern(text: &str) -> Arc<str> {
    if text.len() > MAX_BYTES {
        return text.into();
    }
    // Thread-local storage may be destroyed while a thread ends.
    let kept = INTERNER.try_with(|interner| get(&mut interner.borrow_mut(), text));
    kept.unwrap_or_else(|_| text.into())
}

fn get(kept: &mut Recent<Arc<str>, MAX_KEPT>, text: &str) -> Arc<str> {
    if let Some(known) = kept.find(|known| **known == *text) {
        return known.clone();
    }
    let new: Arc<str> = text.into();
    kept.add(new.clone());
    new
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
