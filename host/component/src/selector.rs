//! A component selector: a compiled component and its mode.

use std::fmt;
use std::sync::Arc;

use super::compiled::Compiled;
use super::control::ControlContext;
use super::event::SelectorEvent;
use super::limits::Limits;
use super::mode::Mode;
use super::stateful::StatefulInstance;
use spanmux_core::ContextView;
use spanmux_core::Selector;
use spanmux_core::TracerNames;
use spanmux_core::explanation::{Explanation, Transcript};
use spanmux_core::internal::CompactDecision;
use spanmux_core::internal::shows_health;
use spanmux_core::internal::{CacheSlot, Sealed};
use spanmux_core::internal::{Circuit, CircuitChange};
use spanmux_core::internal::{DecisionCache, Run, Tree};
use spanmux_core::{Choice, Suspension};

/// A selector that is a component: compiled once, and run as its [`Mode`] requires. By default, its
/// decisions are cached.
///
/// A `SelectorHost` creates it. Cloning is cheap, and clones share their cache. Decisions for one
/// list of tracers say nothing about another, so each list has a tree of its own. A registry keeps
/// the tree of its list alive. Outside of a registry, a selector keeps the trees of the last few
/// lists.
///
/// # Cost
/// A cached decision takes about as long as the same look-ups in native code, whatever the language
/// of the selector. Any other takes a fresh instance: microseconds for a selector in Rust, a
/// millisecond for an interpreter.
#[derive(Clone)]
pub struct ComponentSelector {
    compiled: Arc<Compiled>,
    mode_state: ModeState,
    circuit: Arc<Circuit>,
    control: Arc<ControlContext>,
    #[cfg(spanmux_mutations)]
    forget: Option<Forget>,
}

/// A mode with its state.
#[derive(Clone)]
enum ModeState {
    Cached(Arc<DecisionCache>),
    Fresh,
    Stateful(Arc<StatefulInstance>),
}

impl ModeState {
    fn new(mode: Mode, limits: &Limits) -> Self {
        match mode {
            Mode::Cached => Self::Cached(Arc::new(DecisionCache::new(
                limits.room(),
                limits.admission_wait,
            ))),
            Mode::Fresh => Self::Fresh,
            Mode::Stateful => Self::Stateful(Arc::default()),
        }
    }
}

impl ComponentSelector {
    pub(super) fn new(compiled: Arc<Compiled>) -> Self {
        let mode_state = ModeState::new(Mode::default(), &compiled.host.limits);
        let circuit = Arc::new(Circuit::new(compiled.host.limits.patience()));
        Self {
            compiled,
            mode_state,
            circuit,
            control: Arc::default(),
            #[cfg(spanmux_mutations)]
            forget: None,
        }
    }

    /// Returns the same component in another mode. It starts without cached decisions, state and
    /// suspension.
    ///
    /// # Examples
    /// ```no_run
    /// use spanmux::{Limits, Mode, SelectorHost};
    ///
    /// let host = SelectorHost::new(Limits::default())?;
    /// let takes_turns = host.load_file("selectors/60-takes-turns.wasm")?;
    /// let takes_turns = takes_turns.with_mode(Mode::Stateful);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_mode(&self, mode: Mode) -> Self {
        Self {
            mode_state: ModeState::new(mode, &self.compiled.host.limits),
            circuit: Arc::new(Circuit::new(self.compiled.host.limits.patience())),
            control: Arc::default(),
            ..self.clone()
        }
    }

    /// Returns the same component with a deliberate mistake: one kind of question is left out of
    /// the cached path. For the test that must detect it.
    #[cfg(spanmux_mutations)]
    #[doc(hidden)]
    pub fn forgetting(&self, forget: Forget) -> Self {
        Self {
            forget: Some(forget),
            ..self.with_mode(Mode::Cached)
        }
    }

    /// Returns the mode.
    pub fn mode(&self) -> Mode {
        match self.mode_state {
            ModeState::Cached(_) => Mode::Cached,
            ModeState::Fresh => Mode::Fresh,
            ModeState::Stateful(_) => Mode::Stateful,
        }
    }

    /// Returns the size of its file in bytes.
    pub fn file_bytes(&self) -> usize {
        self.compiled.artifact.bytes
    }

    /// Returns the names of its imports. A selector in Rust, C or Go imports only the runtime
    /// context.
    pub fn imports(&self) -> &[String] {
        &self.compiled.artifact.imports
    }

    /// Returns the cached decisions for these tracers. Empty in any mode but [`Mode::Cached`].
    ///
    /// # Cost
    /// Copies the tree. Decisions are not delayed.
    ///
    /// # Examples
    /// ```
    /// use spanmux::explanation::{Outcome, Question, Step};
    /// use spanmux::{Limits, RuntimeContext, Selector, SelectorHost, TracerNames};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let host = SelectorHost::new(Limits::default())?;
    /// # let selectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../selectors");
    /// let selector = host.load_file(format!("{selectors}/50-environment.wasm"))?;
    /// let tracers = TracerNames::new(["langfuse", "console"]);
    /// let context = RuntimeContext::builder().set("environment", "production").build();
    /// for _ in 0..3 {
    ///     selector.decision(&context.view(), &tracers);
    /// }
    ///
    /// let explanation = selector.explain(&tracers);
    /// assert_eq!((explanation.runs, explanation.hits), (1, 2));
    /// let Some(Step::Asks(question, ways)) = explanation.tree else {
    ///     panic!("the first decision is learned");
    /// };
    /// assert_eq!(question, Question::Get { key: "environment".to_owned() });
    /// assert_eq!(ways[0].then, Step::Decides(Outcome::Tracer("langfuse".to_owned()), 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn explain(&self, tracers: &TracerNames) -> Explanation {
        let explanation = match &self.mode_state {
            ModeState::Cached(cached) => cached.explain(tracers),
            ModeState::Fresh | ModeState::Stateful(_) => Explanation::nothing(tracers.as_slice()),
        };
        Explanation {
            selector: self.compiled.name.clone(),
            digest: Some(self.compiled.artifact.digest.clone()),
            ..explanation
        }
    }
}

impl Selector for ComponentSelector {
    fn name(&self) -> &str {
        &self.compiled.name
    }

    fn digest(&self) -> Option<&str> {
        Some(&self.compiled.artifact.digest)
    }

    fn decide(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Choice {
        self.decision(context, tracers).choice
    }

    fn cache_slot(&self, tracers: &TracerNames, _: Sealed) -> CacheSlot {
        let ModeState::Cached(cached) = &self.mode_state else {
            return CacheSlot::default();
        };
        let tree = cached.present(tracers);
        tree.map(CacheSlot::with_tree).unwrap_or_default()
    }

    fn decide_in(
        &self,
        slot: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
        _: Sealed,
    ) -> CompactDecision {
        let run = |kept| self.run(kept, context, tracers);
        match &self.mode_state {
            ModeState::Cached(cached) => {
                let tree = slot.tree(|| cached.tree(tracers));
                cached.decide(tree, context, || run(None))
            }
            ModeState::Fresh => run(None).decision.into(),
            ModeState::Stateful(kept) => run(Some(kept)).decision.into(),
        }
    }

    fn recall_in(
        &self,
        slot: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
        _: Sealed,
    ) -> Option<CompactDecision> {
        match &self.mode_state {
            ModeState::Cached(cached) => cached.recall(slot.tree(|| cached.tree(tracers)), context),
            ModeState::Fresh | ModeState::Stateful(_) => None,
        }
    }

    fn tree_in<'s>(
        &self,
        slot: &'s CacheSlot,
        tracers: &TracerNames,
        _: Sealed,
    ) -> Option<&'s Tree> {
        match &self.mode_state {
            ModeState::Cached(cached) => Some(slot.tree(|| cached.tree(tracers))),
            ModeState::Fresh | ModeState::Stateful(_) => None,
        }
    }

    fn suspension(&self) -> Option<Suspension> {
        self.circuit.suspension()
    }

    fn explanation(&self, tracers: &TracerNames) -> Option<Explanation> {
        Some(self.explain(tracers))
    }

    fn transcript(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Option<Transcript> {
        let run = self.compiled.run(None, context, tracers);
        let asked = run.asked.as_deref();
        Some(Transcript::of(asked, context, run.decision))
    }
}

impl ComponentSelector {
    /// Runs the component in a fresh instance or in the stateful one, unless it is suspended.
    fn run(
        &self,
        kept: Option<&StatefulInstance>,
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> Run {
        let permit = match self.circuit.admit() {
            Ok(permit) => permit,
            Err(suspended) => return Run::none(suspended),
        };
        let run = self.compiled.run(kept, context, tracers);
        let choice = &run.decision.choice;
        if shows_health(choice) {
            self.control.worked(context);
        }
        let change = permit.ended(&self.compiled.name, choice, || self.control_run(tracers));
        if let Some(change) = change {
            self.report(change);
        }
        #[cfg(spanmux_mutations)]
        let run = self.mutate(run);
        run
    }

    fn report(&self, change: CircuitChange) {
        let selector = self.compiled.name.clone();
        self.compiled.host.events.emit(|| match change {
            CircuitChange::Opened { reason, back_off } => SelectorEvent::Suspended {
                selector,
                reason,
                back_off,
            },
            CircuitChange::Closed => SelectorEvent::Resumed { selector },
        });
    }

    /// Runs the component with a context that should work. Always in a fresh instance, so that the
    /// state of a stateful selector does not change, and nothing of it is cached.
    fn control_run(&self, tracers: &TracerNames) -> Choice {
        let run = |context: &ContextView<'_>| self.compiled.run(None, context, tracers);
        self.control.with(run).decision.choice
    }
}

/// The kind of question that is left out of the cached path.
#[cfg(spanmux_mutations)]
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forget {
    Get,
    Has,
    Keys,
    Bucket,
}

#[cfg(spanmux_mutations)]
impl ComponentSelector {
    fn mutate(&self, mut run: Run) -> Run {
        use spanmux_core::internal::Question;
        if let Some(asked) = &mut run.asked {
            asked.retain(|question| {
                let kind = match question {
                    Question::Get(_) => Forget::Get,
                    Question::Has(_) => Forget::Has,
                    Question::Keys => Forget::Keys,
                    Question::Bucket { .. } => Forget::Bucket,
                };
                self.forget != Some(kind)
            });
        }
        run
    }
}

impl fmt::Debug for ComponentSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComponentSelector")
            .field("name", &self.compiled.name)
            .field("digest", &self.compiled.artifact.digest)
            .field("bytes", &self.compiled.artifact.bytes)
            .field("imports", &self.compiled.artifact.imports)
            .field("mode", &self.mode())
            .finish_non_exhaustive()
    }
}
