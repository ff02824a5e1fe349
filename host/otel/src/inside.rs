//! Whether this thread is inside a selector or an exporter.

use std::cell::Cell;

thread_local! {
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread is inside a selector or an exporter. Spans that start
/// meanwhile do nothing: a selector would be asked about its own root span, and so
/// on without end, and an exporter would wait for itself.
#[must_use = "it ends when this is dropped"]
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
