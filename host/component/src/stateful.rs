//! The instance of a stateful selector, kept from one decision to the next.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::instance::GuestInstance;

/// One instance, for one decision at a time. Empty until the first decision, and
/// after one that was stopped.
#[derive(Default)]
pub(super) struct StatefulInstance {
    live: Mutex<Option<GuestInstance>>,
}

impl StatefulInstance {
    /// The instance; none if it stayed busy for as long as a decision may wait.
    pub(super) fn enter(&self, wait: Duration) -> Option<MutexGuard<'_, Option<GuestInstance>>> {
        self.live.try_lock_for(wait)
    }
}
