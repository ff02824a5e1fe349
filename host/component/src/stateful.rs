//! The instance of a stateful selector, which is kept between decisions.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::instance::GuestInstance;

/// One instance for one decision at a time. Empty before the first decision, and after a decision
/// that was stopped.
#[derive(Default)]
pub(super) struct StatefulInstance {
    live: Mutex<Option<GuestInstance>>,
}

impl StatefulInstance {
    /// Returns the instance, or `None` if it stays busy for as long as a decision may wait.
    pub(super) fn enter(&self, wait: Duration) -> Option<MutexGuard<'_, Option<GuestInstance>>> {
        self.live.try_lock_for(wait)
    }
}
