//! The context of the control runs of a selector, which tell a selector that cannot work from
//! contexts that make it fail.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use spanmux_core::internal::OwnedView;
use spanmux_core::{ContextView, RuntimeContext};

/// The first context with which the selector worked.
///
/// The first one and not the latest: it is written once, so runs on many threads share no word that
/// changes, and a caller cannot replace it. It stays in memory as long as the selector.
#[derive(Default)]
pub(super) struct ControlContext {
    /// `true` if there is one. Then no thread takes the lock to record another.
    is_known: AtomicBool,
    worked: Mutex<Option<OwnedView>>,
}

impl ControlContext {
    /// Records a context with which the selector worked.
    pub(super) fn worked(&self, context: &ContextView<'_>) {
        if !self.is_known.load(Ordering::Acquire) {
            // Copied before the lock is taken.
            let context = context.to_owned_view();
            self.worked.lock().get_or_insert(context);
            self.is_known.store(true, Ordering::Release);
        }
    }

    /// Calls `run` with the context of a control run. Until the selector worked, it is empty, because
    /// no caller controls that.
    pub(super) fn with<R>(&self, run: impl FnOnce(&ContextView<'_>) -> R) -> R {
        let known = self.worked.lock();
        // A copy, so that no lock is held during the run.
        let context = known.as_ref().map(|context| context.view().to_owned_view());
        drop(known);
        match context {
            Some(context) => run(&context.view()),
            None => run(&RuntimeContext::empty().view()),
        }
    }
}
