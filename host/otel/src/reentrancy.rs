//! A reentrancy guard for selectors and exporters.

use std::cell::Cell;

thread_local! {
    static IS_ENTERED: Cell<bool> = const { Cell::new(false) };
}

/// Marks the current thread as running a selector or an exporter. Spans started while the
/// guard exists are no-ops. Otherwise a selector would run recursively for its own root
/// spans, and an exporter would wait for itself.
#[must_use = "the guard ends when it is dropped"]
pub(super) struct ReentrancyGuard {
    before: bool,
}

impl ReentrancyGuard {
    pub(super) fn enter() -> Self {
        Self {
            before: IS_ENTERED.replace(true),
        }
    }

    pub(super) fn is_current() -> bool {
        IS_ENTERED.get()
    }
}

impl Drop for ReentrancyGuard {
    fn drop(&mut self) {
        IS_ENTERED.set(self.before);
    }
}
