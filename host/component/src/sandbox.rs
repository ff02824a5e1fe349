//! What one decision owns: the context that it may ask, the world that it sees,
//! the quota that it lives in. Made for one decision and dropped after it.

use super::guest_fault::GuestFault;
use super::limits::Limits;
use super::quota::Quota;
use super::world::World;
use spanmux_core::ContextView;
use spanmux_core::internal::{OwnedView, Question};

/// The data of a store.
pub(super) struct Sandbox {
    /// What may be asked; none while the instance starts up.
    context: Option<OwnedView>,
    /// What was asked. It is written down before it is answered, because what the
    /// guest pays for an answer may be its end.
    asked: Vec<Question>,
    pub(super) world: World,
    pub(super) quota: Quota,
}

impl Sandbox {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            context: None,
            asked: Vec::new(),
            world: World::new(limits.printed_bytes),
            quota: Quota::new(limits),
        }
    }

    /// From here on the guest may ask.
    pub(super) fn open(&mut self, context: OwnedView) {
        self.context = Some(context);
        self.asked.clear();
    }

    /// What may be asked now.
    pub(super) fn may_ask(&self) -> wasmtime::Result<ContextView<'_>> {
        self.context
            .as_ref()
            .map(OwnedView::view)
            .ok_or_else(|| GuestFault::AskedInStartUp.into())
    }

    /// Writes a question down.
    pub(super) fn ask(
        &mut self,
        question: Question,
    ) -> wasmtime::Result<(ContextView<'_>, &Question)> {
        self.asked.push(question);
        match (&self.context, self.asked.last()) {
            (Some(context), Some(question)) => Ok((context.view(), question)),
            _ => Err(GuestFault::AskedInStartUp.into()),
        }
    }

    /// What was asked, in order.
    pub(super) fn take_asked(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.asked)
    }
}
