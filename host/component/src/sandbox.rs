//! The state of one decision: the context, the empty world, and the quota. Created for one decision
//! and dropped after it.

use super::guest_fault::GuestFault;
use super::limits::Limits;
use super::quota::Quota;
use super::world::World;
use spanmux_core::ContextView;
use spanmux_core::internal::{OwnedView, Question};

/// The data of a store.
pub(super) struct Sandbox {
    /// The context that may be queried. `None` while the instance starts.
    context: Option<OwnedView>,
    /// The recorded questions. A question is recorded before it is answered, because paying for the
    /// answer may stop the guest.
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

    /// Allows questions from now on.
    pub(super) fn open(&mut self, context: OwnedView) {
        self.context = Some(context);
        self.asked.clear();
    }

    /// Returns the context if questions are allowed.
    pub(super) fn may_ask(&self) -> wasmtime::Result<ContextView<'_>> {
        self.context
            .as_ref()
            .map(OwnedView::view)
            .ok_or_else(|| GuestFault::AskedInStartUp.into())
    }

    /// Records a question.
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

    /// Returns the recorded questions in order.
    pub(super) fn take_asked(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.asked)
    }
}
