//! What one decision owns: the context that it may ask, the world that it sees,
//! the quota that it lives in. Made for one decision and dropped after it.

use super::limits::Limits;
use super::quota::Quota;
use super::stop::Stop;
use super::world::World;
use crate::context::FrozenView;

/// The data of a store.
pub(super) struct Sandbox {
    /// What may be asked; none while the instance starts up.
    context: Option<FrozenView>,
    pub(super) world: World,
    pub(super) quota: Quota,
}

impl Sandbox {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            context: None,
            world: World::new(limits.printed_bytes),
            quota: Quota::new(limits),
        }
    }

    /// From here on the guest may ask.
    pub(super) fn open(&mut self, context: FrozenView) {
        self.context = Some(context);
    }

    /// What may be asked now.
    pub(super) fn ask(&self) -> wasmtime::Result<&FrozenView> {
        self.context
            .as_ref()
            .ok_or_else(|| Stop::AskedInStartUp.into())
    }
}
