//! One selection: which tracer, and why. Resolution is total.

use std::fmt;
use std::sync::Arc;

use super::Snapshot;
use crate::context::{ContextError, ContextView};
use crate::decision::{Cause, Choice, Decision, Fallback, Origin, Reason, RunCost};
use crate::selector::{Decided, Selector};
use crate::sync::Guard;

/// The tracer that receives a trace, and why.
///
/// It holds on to the state of the registry that it was made from, so it still
/// names its tracer when that is unregistered meanwhile. Keep it for the start of
/// the span and not for the length of the trace.
pub struct Selection<T> {
    snapshot: Guard<Arc<Snapshot<T>>>,
    tracer: Option<usize>,
    selector: Option<usize>,
    reason: Reason,
    cached: bool,
    /// What running selectors took, if any ran.
    cost: Option<Box<RunCost>>,
}

impl<T> Selection<T> {
    #[inline]
    pub(super) fn new(snapshot: Guard<Arc<Snapshot<T>>>, context: &ContextView<'_>) -> Self {
        let Snapshot {
            tracers,
            chain,
            seats,
            names,
            ..
        } = &**snapshot;
        if tracers.is_empty() || chain.is_empty() {
            return Self::without_asking(snapshot);
        }
        if let Some(error) = context.error() {
            return Self::incomplete(snapshot, error);
        }
        let Decided {
            brief,
            by,
            cached,
            cost,
        } = chain.decide(seats, context, names);
        let (tracer, reason) = match brief.place() {
            Some(place) if place < tracers.len() => (Some(place), Reason::Chosen),
            None if brief.as_whole().is_none() => (snapshot.default, Reason::Abstained),
            _ => snapshot.resolve(Decision::from(brief).choice),
        };
        // Before the selection is put together, so that it is written once.
        snapshot.count(by, tracer, &reason, cached && cost.is_none());
        Self {
            tracer,
            selector: by,
            reason,
            cached,
            cost,
            snapshot,
        }
    }

    /// The context lacks a value, so no selector runs: its rules might depend on it.
    #[cold]
    fn incomplete(snapshot: Guard<Arc<Snapshot<T>>>, error: &ContextError) -> Self {
        let failure = Fallback::IncompleteContext(error.to_string());
        let reason = Reason::Failed(Box::new(failure));
        snapshot.count(None, None, &reason, false);
        Self {
            tracer: snapshot.fallback_place(true),
            selector: None,
            reason,
            cached: false,
            cost: None,
            snapshot,
        }
    }

    #[cold]
    fn without_asking(snapshot: Guard<Arc<Snapshot<T>>>) -> Self {
        let reason = match snapshot.tracers.is_empty() {
            true => Reason::NoTracers,
            false => Reason::NoSelector,
        };
        snapshot.count(None, None, &reason, false);
        Self {
            tracer: snapshot.default,
            selector: None,
            reason,
            cached: false,
            cost: None,
            snapshot,
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

    /// Returns the reason for the selection.
    #[inline]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Returns the failure that sent the trace to the fallback tracer, or `None` if no decision
    /// failed.
    #[inline]
    pub fn fallback(&self) -> Option<&Fallback> {
        self.reason.failure()
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
        match &self.cost {
            Some(cost) => Origin::Run(**cost),
            None if self.cached => Origin::Cached,
            None => Origin::Native,
        }
    }
}

impl<T> Snapshot<T> {
    #[inline]
    fn count(&self, by: Option<usize>, tracer: Option<usize>, why: &Reason, cached: bool) {
        let told = match (why.cause(), tracer) {
            (Some(cause), _) => Err(cause),
            (None, Some(tracer)) => Ok(tracer),
            (None, None) => Err(Cause::NoTracers),
        };
        self.counters.count(by, told, cached);
    }

    /// From what was decided to a tracer. Total: every choice has an answer, and a
    /// place that is none (it cannot come from this snapshot's names) counts as an
    /// unknown tracer.
    #[cold]
    fn resolve(&self, choice: Choice) -> (Option<usize>, Reason) {
        let fallback = match choice {
            Choice::Tracer(index) if index.0 < self.tracers.len() => {
                return (Some(index.0), Reason::Chosen);
            }
            Choice::Tracer(index) => Fallback::UnknownTracer(format!("#{}", index.0)),
            Choice::Abstain => return (self.default, Reason::Abstained),
            Choice::Fallback(fallback) => fallback,
        };
        let tracer = self.fallback_place(true);
        (tracer, Reason::Failed(Box::new(fallback)))
    }
}

impl<T> fmt::Debug for Selection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection")
            .field("tracer", &self.tracer_name())
            .field("selector", &self.selector_name())
            .field("reason", &self.reason)
            .field("origin", &self.origin())
            .finish()
    }
}
