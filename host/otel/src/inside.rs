//! A reentrancy guard for selectors and exporters.

use std::cell::Cell;

thread_local! {
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Marks the current thread as running a selector or an exporter. Spans started while the
/// guard exists are no-ops. Otherwise a selector would run recursively for its own root
/// spans, and an exporter would wait for itself.
#[must_use = "the guard ends when it is dropped"]
pub(super) struct Inside {
    before: bool,
}

impl Inside {
    pub(super) fn enter() -> Self {
        Self {
            before: IS_INSIDE.replace(true),
        }
    }

    pub(super) fn is_current() -> bool {
        IS_INSIDE.get()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        IS_INSIDE.set(self.before);
    }
}
