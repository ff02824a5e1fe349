//! One selection: which tracer, and why. Resolution is total.

use std::fmt;
use std::sync::Arc;

use arc_swap::Guard;

use super::Snapshot;
use crate::context::ContextView;
use crate::decision::{Choice, Fallback, Origin};
use crate::selector::Selector;

/// The tracer that receives a trace, and why.
///
/// It holds on to the state of the registry that it was made from, so it still
/// names its tracer when that is unregistered meanwhile. Keep it for the start of
/// the span and not for the length of the trace.
pub struct Selection<T> {
    snapshot: Guard<Arc<Snapshot<T>>>,
    tracer: Option<usize>,
    selector: Option<usize>,
    fallback: Option<Fallback>,
    origin: Origin,
}

impl<T> Selection<T> {
    pub(super) fn new(snapshot: Guard<Arc<Snapshot<T>>>, context: &ContextView<'_>) -> Self {
        let mut selector = None;
        let mut origin = Origin::default();
        let choice = if snapshot.tracers.is_empty() {
            Choice::Fallback(Fallback::NoTracers)
        } else if snapshot.chain.is_empty() {
            Choice::Fallback(Fallback::NoSelector)
        } else {
            let Snapshot { seats, names, .. } = &**snapshot;
            let (decision, by) = snapshot.chain.decide(seats, context, names);
            selector = by;
            origin = decision.origin;
            decision.choice
        };
        let (tracer, fallback) = snapshot.resolve(choice);
        Self {
            snapshot,
            tracer,
            selector,
            fallback,
            origin,
        }
    }

    /// The tracer; none only if none is registered.
    pub fn tracer(&self) -> Option<&Arc<T>> {
        self.snapshot.tracers.get(self.tracer?)
    }

    /// The tracer's name.
    pub fn tracer_name(&self) -> Option<&str> {
        let names = self.snapshot.names.as_slice();
        names.get(self.tracer?).map(String::as_str)
    }

    /// Why the tracer was not chosen by a selector; none if it was.
    pub fn fallback(&self) -> Option<&Fallback> {
        self.fallback.as_ref()
    }

    /// The selector that decided; none if all abstained or there is none.
    pub fn selector(&self) -> Option<&dyn Selector> {
        self.snapshot.chain.get(self.selector?)
    }

    /// The name of the selector that decided.
    pub fn selector_name(&self) -> Option<&str> {
        self.selector().map(Selector::name)
    }

    /// Where the decision came from. If several selectors were asked, what they
    /// cost together.
    pub fn origin(&self) -> Origin {
        self.origin
    }
}

impl<T> Snapshot<T> {
    /// From what was decided to a tracer. Total: every choice has an answer, and a
    /// place that is none (it cannot come from this snapshot's names) counts as an
    /// unknown tracer.
    fn resolve(&self, choice: Choice) -> (Option<usize>, Option<Fallback>) {
        let fallback = match choice {
            Choice::Tracer(index) if index.0 < self.tracers.len() => return (Some(index.0), None),
            Choice::Tracer(index) => Fallback::UnknownTracer(format!("#{}", index.0)),
            Choice::Abstain => Fallback::Abstained,
            Choice::Fallback(fallback) => fallback,
        };
        let tracer = match fallback.is_failure() {
            true => self.fallback.or(self.default),
            false => self.default,
        };
        (tracer, Some(fallback))
    }
}

impl<T> fmt::Debug for Selection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection")
            .field("tracer", &self.tracer_name())
            .field("selector", &self.selector_name())
            .field("fallback", &self.fallback)
            .field("origin", &self.origin)
            .finish()
    }
}
