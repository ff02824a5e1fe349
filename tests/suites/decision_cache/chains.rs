//! The property for whole chains: a registry whose selectors are cached decides as one whose
//! selectors run for each decision.

use std::fmt;

use fastrand::Rng;
use spanmux::{Chain, ComponentSelector, Fallback, Mode, Selection, SelectorHost, TracerRegistry};
use spanmux_tests::load;

use super::contexts::{Asked, random_contexts};
use super::program::Program;

const CONTEXTS: usize = 40;
const TRACERS: [&str; 4] = ["console", "langfuse", "datadog", "größe"];

/// A chain of random selectors over random contexts.
pub(crate) struct ChainCase {
    seed: u64,
    programs: Vec<Program>,
    fresh: Vec<ComponentSelector>,
    contexts: Vec<Asked>,
}

/// The parts of a selection that must be equal.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    tracer: Option<String>,
    selector: Option<String>,
    fallback: Option<Fallback>,
}

impl Outcome {
    fn of(selection: &Selection<()>) -> Self {
        Self {
            tracer: selection.tracer_name().map(str::to_owned),
            selector: selection.selector_name().map(str::to_owned),
            fallback: selection.fallback().cloned(),
        }
    }
}

/// Counts of decisions.
#[derive(Default)]
pub(crate) struct ChainTally {
    pub(crate) decisions: usize,
    /// Decisions of a later selector than the first, or of none, for which nothing ran.
    pub(crate) whole: usize,
}

impl fmt::Display for ChainTally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { decisions, whole } = self;
        write!(
            f,
            "{decisions} decisions of chains compared, {whole} of them cached over several selectors"
        )
    }
}

fn registry(selectors: impl IntoIterator<Item = ComponentSelector>) -> TracerRegistry<()> {
    let registry = TracerRegistry::new();
    for name in TRACERS {
        registry.register(name, ()).unwrap();
    }
    registry.set_selectors(selectors.into_iter().collect::<Chain>());
    registry
}

impl ChainCase {
    pub(crate) fn random(seed: u64, host: &SelectorHost) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (keys, contexts) = random_contexts(&mut rng, CONTEXTS);
        let count = rng.usize(2..=5);
        let programs: Vec<Program> = (0..count)
            .map(|_| Program::random(&mut rng, &keys))
            .collect();
        let fresh = programs.iter().enumerate().map(|(place, program)| {
            load(host, &place.to_string(), &program.component()).with_mode(Mode::Fresh)
        });
        Self {
            seed,
            fresh: fresh.collect(),
            contexts: contexts.iter().map(|it| it.build(&mut rng)).collect(),
            programs,
        }
    }

    /// Compares decisions in random order, `times` for each context. `cached` makes a selector with
    /// a cache. Returns a description of the first wrong decision.
    pub(crate) fn compare(
        &self,
        cached: impl Fn(usize, &ComponentSelector) -> ComponentSelector,
        times: usize,
        tally: &mut ChainTally,
    ) -> Result<(), String> {
        let mut rng = Rng::with_seed(self.seed);
        let fresh = registry(self.fresh.iter().cloned());
        let selectors = self.fresh.iter().enumerate();
        let learned = registry(selectors.map(|(place, selector)| cached(place, selector)));
        for _ in 0..times * self.contexts.len() {
            let place = rng.usize(..self.contexts.len());
            let context = &self.contexts[place];
            let expected = context.with(|view| Outcome::of(&fresh.select(view)));
            let (found, ran) = context.with(|view| {
                let selection = learned.select(view);
                let ran = !matches!(selection.origin(), spanmux::Origin::Cached);
                (Outcome::of(&selection), ran)
            });
            if found != expected {
                let seed = self.seed;
                return Err(format!(
                    "{found:?} instead of {expected:?} for context {place} of the programs\n{}\n\
                     Again: SPANMUX_SEED={seed} cargo test -p spanmux-tests --test decision_cache",
                    self.programs
                        .iter()
                        .map(|program| format!("{program}\n"))
                        .collect::<String>()
                ));
            }
            tally.decisions += 1;
            tally.whole += usize::from(!ran && found.selector.as_deref() != Some("0"));
        }
        Ok(())
    }
}
