//! A selection: the tracer of a trace and the reason. Resolution is total.

use std::fmt;
use std::sync::Arc;

use super::Snapshot;
use crate::chain::{Decided, Unfinished};
use crate::context::{ContextError, ContextView};
use crate::decision::{Cause, Choice, Fallback, Origin, Reason, RunCost};
use crate::selector::Selector;
use crate::sync::Guard;

/// The tracer that receives a trace, and the reason.
///
/// A selection keeps its registry snapshot alive, so it still names its tracer after the tracer was
/// unregistered, and no tracer of that snapshot is dropped. Snapshots share most of their memory.
/// Keep a selection for the start of the span and not for the length of the trace.
pub struct Selection<T> {
    snapshot: Guard<Arc<Snapshot<T>>>,
    tracer: Option<usize>,
    selector: Option<usize>,
    reason: Reason,
    cached: bool,
    /// The cost of the selectors that ran.
    cost: Option<Box<RunCost>>,
}

impl<T> Selection<T> {
    #[inline]
    pub(super) fn new(snapshot: Guard<Arc<Snapshot<T>>>, context: &ContextView<'_>) -> Self {
        if snapshot.asks_nobody(context) {
            return Self::without_asking(snapshot, context);
        }
        let Snapshot {
            chain,
            seats,
            names,
            ..
        } = &**snapshot;
        let decided = chain.decide(seats, context, names);
        Self::of(snapshot, decided)
    }

    /// Selects as [`new`](Self::new) does, up to the first component that would run.
    #[inline]
    pub(super) fn recall(
        snapshot: Guard<Arc<Snapshot<T>>>,
        context: &ContextView<'_>,
    ) -> Result<Self, PendingSelection<T>> {
        if snapshot.asks_nobody(context) {
            return Ok(Self::without_asking(snapshot, context));
        }
        let Snapshot {
            chain,
            seats,
            names,
            ..
        } = &**snapshot;
        match chain.recall(seats, context, names) {
            Ok(decided) => Ok(Self::of(snapshot, decided)),
            Err(unfinished) => Err(PendingSelection {
                snapshot,
                unfinished,
            }),
        }
    }

    /// Selects from cached decisions alone, if the asked keys are those of a generation.
    pub(super) fn recall_asked(
        snapshot: Guard<Arc<Snapshot<T>>>,
        generation: u64,
        context: &ContextView<'_>,
    ) -> Option<Self> {
        if snapshot.generation() != Some(generation) || context.error().is_some() {
            return None;
        }
        if snapshot.asks_nobody(context) {
            return Some(Self::without_asking(snapshot, context));
        }
        let Snapshot {
            chain,
            seats,
            names,
            ..
        } = &**snapshot;
        let decided = chain.recall(seats, context, names).ok()?;
        // A question that another thread added meanwhile may have been asked.
        (snapshot.generation() == Some(generation)).then(|| Self::of(snapshot, decided))
    }

    #[inline]
    fn of(snapshot: Guard<Arc<Snapshot<T>>>, decided: Decided) -> Self {
        let Decided {
            brief,
            by,
            cached,
            cost,
        } = decided;
        let tracers = &snapshot.tracers;
        let (tracer, reason) = match brief.place() {
            Some(place) if place < tracers.len() => (Some(place), Reason::Chosen),
            None if brief.as_whole().is_none() => (snapshot.default, Reason::Abstained),
            _ => snapshot.resolve(brief.into_decision().choice),
        };
        // Counted before the value is assembled, so that it is written once.
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
    fn without_asking(snapshot: Guard<Arc<Snapshot<T>>>, context: &ContextView<'_>) -> Self {
        let has_selectors = !snapshot.tracers.is_empty() && !snapshot.chain.is_empty();
        if let Some(error) = context.error().filter(|_| has_selectors) {
            return Self::incomplete(snapshot, error);
        }
        let reason = if snapshot.tracers.is_empty() {
            Reason::NoTracers
        } else {
            Reason::NoSelector
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

    /// Returns the tracer, or `None` if no tracer is registered.
    pub fn tracer(&self) -> Option<&Arc<T>> {
        self.snapshot.tracers.get(self.tracer?)
    }

    /// Returns the name of the tracer.
    pub fn tracer_name(&self) -> Option<&str> {
        self.snapshot.names.at(self.tracer?).map(|name| &**name)
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

    /// Returns the selector that decided, or `None` if all abstained or none is registered.
    pub fn selector(&self) -> Option<&dyn Selector> {
        self.snapshot.chain.get(self.selector?)
    }

    /// Returns the selector that decided, for callers that recognize it later.
    #[doc(hidden)]
    #[inline]
    pub fn shared_selector(&self) -> Option<&Arc<dyn Selector>> {
        self.snapshot.chain.shared(self.selector?)
    }

    /// Returns the name of the selector that decided.
    pub fn selector_name(&self) -> Option<&str> {
        self.selector().map(Selector::name)
    }

    /// Returns the generation of the [asked keys](super::TracerRegistry::asked_keys), and a number
    /// that selections with the same tracer, selector and reason share within it. Returns `None` if
    /// the decision failed, because its reason has a text of its own, or if there is no generation.
    #[doc(hidden)]
    pub fn number(&self) -> Option<(u64, u32)> {
        if self.fallback().is_some() {
            return None;
        }
        let generation = self.snapshot.generation()?;
        let [tracer, selector] = [self.tracer, self.selector].map(|it| it.map_or(0, |it| it + 1));
        let number = selector * (self.snapshot.tracers.len() + 1) + tracer;
        Some((generation, u32::try_from(number).ok()?))
    }

    /// Returns the origin of the decision, with the total cost if several selectors ran.
    pub fn origin(&self) -> Origin {
        match &self.cost {
            Some(cost) => Origin::Run(**cost),
            None if self.cached => Origin::Cached,
            None => Origin::Native,
        }
    }
}

/// A selection for which a component has to run, returned by
/// [`TracerRegistry::recall`](super::TracerRegistry::recall).
#[must_use = "the trace has no tracer yet"]
pub struct PendingSelection<T> {
    snapshot: Guard<Arc<Snapshot<T>>>,
    unfinished: Unfinished,
}

impl<T> PendingSelection<T> {
    /// Runs the component, and the selectors after it. `context` must be the view that was passed
    /// to [`recall`](super::TracerRegistry::recall), or an equal one.
    pub fn run(self, context: &ContextView<'_>) -> Selection<T> {
        let Self {
            snapshot,
            unfinished,
        } = self;
        let Snapshot {
            chain,
            seats,
            names,
            ..
        } = &**snapshot;
        let decided = chain.resume(seats, context, names, unfinished);
        Selection::of(snapshot, decided)
    }
}

impl<T> fmt::Debug for PendingSelection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSelection").finish_non_exhaustive()
    }
}

impl<T> Snapshot<T> {
    /// Returns `true` if no selector runs.
    #[inline]
    fn asks_nobody(&self, context: &ContextView<'_>) -> bool {
        self.tracers.is_empty() || self.chain.is_empty() || context.error().is_some()
    }

    #[inline]
    fn count(&self, by: Option<usize>, tracer: Option<usize>, why: &Reason, cached: bool) {
        let told = match (why.cause(), tracer) {
            (Some(cause), _) => Err(cause),
            (None, Some(tracer)) => Ok(tracer),
            (None, None) => Err(Cause::NoTracers),
        };
        self.counters.count(by, told, cached);
    }

    /// Resolves a choice to a tracer. Every choice has a result: an index that this snapshot did
    /// not issue counts as an unknown tracer.
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
