//! The name and the digest of a selector, as attributes can hold them.

use std::cell::RefCell;
use std::ptr::addr_eq;
use std::sync::{Arc, Weak};

use spanmux_core::Selector;

use super::interner;
use super::recent::Recent;
use super::user_code;

/// Maximum number of selectors per thread. When full, the oldest is evicted.
const MAX_KEPT: usize = 8;

/// The name and the digest of a selector. Either is `None` if its computation panicked.
#[derive(Clone, Default)]
pub(super) struct Names {
    pub(super) name: Option<Arc<str>>,
    pub(super) digest: Option<Arc<str>>,
}

struct Kept {
    /// Keeps the address from being used again, but not the selector alive.
    selector: Weak<dyn Selector>,
    names: Names,
}

thread_local! {
    // Per thread, so that threads which start spans do not contend for the same reference counts.
    static KNOWN: RefCell<Recent<Kept, MAX_KEPT>> = const { RefCell::new(Recent::new()) };
}

/// Returns the names of a selector. A native selector may compute them, so they are asked once on
/// each thread.
pub(super) fn of(selector: &Arc<dyn Selector>) -> Names {
    // Thread-local storage may be destroyed while a thread ends.
    let known = KNOWN.try_with(|known| {
        let known = known.borrow();
        let kept = known.find(|kept| addr_eq(kept.selector.as_ptr(), Arc::as_ptr(selector)));
        kept.map(|kept| kept.names.clone())
    });
    if let Ok(Some(names)) = known {
        return names;
    }
    let mut names = Names::default();
    // Outside of the borrow. If the digest panics, the name is there already.
    let done = user_code::run("name or digest of a selector", || {
        names.name = Some(interner::intern(selector.name()));
        names.digest = selector.digest().map(interner::intern);
    });
    if done.is_some() {
        let kept = Kept {
            selector: Arc::downgrade(selector),
            names: names.clone(),
        };
        // The one that it replaces is dropped outside of the borrow.
        let _replaced = KNOWN.try_with(|known| known.borrow_mut().add(kept));
    }
    names
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use spanmux_core::{Choice, ContextView, TracerNames};

    use super::*;

    struct Counted {
        name: String,
        asked: AtomicU32,
        panics: bool,
    }

    impl Selector for Counted {
        fn name(&self) -> &str {
            self.asked.fetch_add(1, Ordering::Relaxed);
            &self.name
        }

        fn digest(&self) -> Option<&str> {
            assert!(!self.panics);
            None
        }

        fn decide(&self, _: &ContextView<'_>, _: &TracerNames) -> Choice {
            Choice::Abstain
        }
    }

    fn counted(name: &str, panics: bool) -> (Arc<Counted>, Arc<dyn Selector>) {
        let counted = Arc::new(Counted {
            name: name.to_owned(),
            asked: AtomicU32::new(0),
            panics,
        });
        (counted.clone(), counted)
    }

    #[test]
    fn names_are_asked_once_and_no_selector_is_kept_alive() {
        let (counted, selector) = counted("a", false);
        for _ in 0..3 {
            assert_eq!(of(&selector).name.as_deref(), Some("a"));
        }
        assert_eq!(counted.asked.load(Ordering::Relaxed), 1);
        assert_eq!(Arc::strong_count(&counted), 2);
    }

    #[test]
    fn new_selectors_never_get_the_names_of_dropped_ones() {
        for number in 0..100 {
            let name = number.to_string();
            let (_, selector) = counted(&name, false);
            assert_eq!(of(&selector).name.as_deref(), Some(&*name));
        }
    }

    #[test]
    fn panic_leaves_the_name_and_is_not_kept() {
        let (counted, selector) = counted("a", true);
        for asked in 1..=3 {
            let Names { name, digest } = of(&selector);
            assert_eq!((name.as_deref(), digest), (Some("a"), None));
            assert_eq!(counted.asked.load(Ordering::Relaxed), asked);
        }
    }
}
