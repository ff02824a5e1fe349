//! A test case: a random selector, random contexts and tracer lists, and the decision of a fresh
//! run for each combination. Cached decisions are compared with these.

use std::fmt;

use fastrand::Rng;
use spanmux::{
    Budget, Choice, ComponentSelector, ContextView, Decision, Fallback, Limits, Mode, Origin,
    Selector, SelectorHost, TracerNames,
};
use spanmux_tests::{host_within, limits, load};

use super::contexts::{Asked, ContextPlan, random_contexts};
use super::features::{Coverage, Feature, Met};
use super::program::Program;

/// Memory of a guest. It is small, so that growing it to the limit is cheap.
pub(crate) const MEMORY: usize = 4 << 20;
const CONTEXTS: usize = 40;
const BUILDS: usize = 3;
/// Tracer lists. Two contain the same names in a different order.
const LISTS: [&[&str]; 6] = [
    &["langfuse", "datadog", "console"],
    &["console", "datadog", "langfuse"],
    &["langfuse", "console"],
    &["größe", "tenant", "", "console"],
    &["console"],
    &[],
];

/// The limits of most cases.
pub(crate) fn case_limits() -> Limits {
    limits()
        .memory_bytes(MEMORY)
        // Enough for every program that ends, and soon used up by an endless one.
        .fuel(500_000)
}

/// The same limits with different fuel.
pub(crate) fn with_fuel(fuel: u64) -> Limits {
    case_limits().fuel(fuel)
}

/// The description of a selector and its questions, before anything has run.
pub(crate) struct CasePlan {
    pub(crate) seed: u64,
    pub(crate) program: Program,
    pub(crate) contexts: Vec<ContextPlan>,
    pub(crate) lists: Vec<&'static [&'static str]>,
}

impl CasePlan {
    pub(crate) fn random(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (keys, contexts) = random_contexts(&mut rng, CONTEXTS);
        // Sometimes more lists than the cache has trees for.
        let lists = match rng.u8(..8) {
            0 => LISTS.len(),
            _ => rng.usize(2..=4),
        };
        Self {
            seed,
            program: Program::random(&mut rng, &keys),
            contexts,
            lists: rng.choose_multiple(LISTS, lists),
        }
    }
}

/// A selector and all questions that the test asks it.
pub(crate) struct Case {
    plan: CasePlan,
    limits: Limits,
    /// Runs the component for each decision.
    fresh: ComponentSelector,
    /// Equal contexts, each built in a different way.
    contexts: Vec<[Asked; BUILDS]>,
    /// Equal lists.
    tracers: Vec<[TracerNames; BUILDS]>,
    questions: Vec<Question>,
}

/// A context, a tracer list, and the decision of a fresh run.
pub(crate) struct Question {
    context: usize,
    tracers: usize,
    pub(crate) expected: Choice,
    pub(crate) fuel: u64,
    met: Met,
}

/// A decision that differs from the decision of a fresh run.
pub(crate) struct Mismatch<'c> {
    question: &'c Question,
    found: Decision,
}

impl Question {
    /// Returns `true` if the run ended before its program did.
    pub(crate) fn is_cut_short(&self) -> bool {
        is_cut_short(&self.expected)
    }
}

impl Case {
    /// Runs each question of the plan on this host. `builds` determines the order and the methods
    /// with which the contexts are built.
    pub(crate) fn new(plan: CasePlan, builds: &mut Rng, host: &SelectorHost) -> Self {
        let build = |context: &ContextPlan| [(); BUILDS].map(|()| context.build(builds));
        let names = |list: &&[&str]| [(); BUILDS].map(|()| TracerNames::new(list.iter().copied()));
        let mut case = Self {
            fresh: load(host, "random", &plan.program.component()).with_mode(Mode::Fresh),
            contexts: plan.contexts.iter().map(build).collect(),
            tracers: plan.lists.iter().map(names).collect(),
            questions: Vec::new(),
            limits: host.limits().clone(),
            plan,
        };
        for context in 0..case.contexts.len() {
            for tracers in 0..case.tracers.len() {
                case.questions.push(case.question(context, tracers));
            }
        }
        case
    }

    pub(crate) fn random(seed: u64, host: &SelectorHost) -> Self {
        Self::new(CasePlan::random(seed), &mut Rng::with_seed(seed), host)
    }

    /// Makes a fresh run and compares it with the result of native code.
    fn question(&self, context: usize, tracers: usize) -> Question {
        let names = &self.tracers[tracers][0];
        let run = |view: &ContextView<'_>| self.fresh.decision(view, names);
        let Decision { choice, origin } = self.contexts[context][0].with(run);
        let Origin::Run(cost) = origin else {
            panic!("not a run: {origin:?}");
        };
        let foresee = |view: &ContextView<'_>| self.plan.program.run(view, names);
        let (foreseen, met) = self.contexts[context][1].with(foresee);
        let met = if is_cut_short(&choice) {
            Met::only(Feature::OutOfFuel)
        } else {
            met
        };
        let question = Question {
            context,
            tracers,
            expected: choice,
            fuel: cost.fuel,
            met,
        };
        assert!(
            question.expected == foreseen || question.is_cut_short(),
            "it must answer {foreseen:?}, {}",
            self.shown(&question)
        );
        question
    }

    pub(crate) fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Returns the selector with an empty cache.
    pub(crate) fn learner(&self) -> ComponentSelector {
        self.fresh.with_mode(Mode::Cached)
    }

    /// Asks a question in one of its builds.
    pub(crate) fn ask(
        &self,
        selector: &dyn Selector,
        question: &Question,
        build: usize,
    ) -> Decision {
        let names = &self.tracers[question.tracers][build];
        self.contexts[question.context][build].with(|view| selector.decision(view, names))
    }

    /// Returns `true` if a fresh run with this fuel ends before its program does.
    pub(crate) fn runs_out(&self, question: &Question, fuel: u64) -> bool {
        let host = host_within(with_fuel(fuel));
        let selector = load(&host, "random", &self.plan.program.component());
        let decision = self.ask(&selector, question, 0);
        is_cut_short(&decision.choice)
    }

    /// Calls [`ask`](Self::ask) and compares the result.
    pub(crate) fn compare<'c>(
        &self,
        selector: &dyn Selector,
        question: &'c Question,
        build: usize,
        tally: &mut Tally,
    ) -> Result<Decision, Mismatch<'c>> {
        let found = self.ask(selector, question, build);
        if found.choice != question.expected {
            return Err(Mismatch { question, found });
        }
        tally.count(question.met, found.origin == Origin::Cached);
        Ok(found)
    }

    /// Makes `times` times as many decisions as there are questions, in random order.
    pub(crate) fn compare_all(
        &self,
        selector: &dyn Selector,
        rng: &mut Rng,
        times: usize,
        tally: &mut Tally,
    ) -> Result<(), Mismatch<'_>> {
        for _ in 0..times * self.questions.len() {
            let question = &self.questions[rng.usize(..self.questions.len())];
            self.compare(selector, question, rng.usize(..BUILDS), tally)?;
        }
        tally.cases += 1;
        Ok(())
    }

    /// Asserts the property: every decision equals that of a fresh run.
    pub(crate) fn hold(
        &self,
        selector: &dyn Selector,
        rng: &mut Rng,
        times: usize,
        tally: &mut Tally,
    ) {
        if let Err(mismatch) = self.compare_all(selector, rng, times, tally) {
            panic!("{}", self.explain(&mismatch));
        }
    }

    /// Describes a wrong decision and how to reproduce it.
    pub(crate) fn explain(&self, mismatch: &Mismatch<'_>) -> String {
        let Mismatch { question, found } = mismatch;
        // Find the question that alone caches the wrong decision, if there is one.
        let teacher = self.questions.iter().find(|teacher| {
            let selector = self.learner();
            self.ask(&selector, teacher, 0);
            self.ask(&selector, question, 0).choice != question.expected
        });
        let taught = teacher.map_or("by more than one decision".to_owned(), |teacher| {
            let context = &self.plan.contexts[teacher.context];
            format!("by {:?}, for {context:?}", teacher.expected)
        });
        format!("{found:?}, {}\ntaught {taught}", self.shown(question))
    }

    fn shown(&self, question: &Question) -> String {
        let Question {
            context,
            tracers,
            expected,
            ..
        } = question;
        let CasePlan {
            seed,
            program,
            contexts,
            lists,
        } = &self.plan;
        let Limits {
            fuel,
            cached_answers,
            cached_bytes,
            ..
        } = &self.limits;
        format!(
            "and a fresh run answers {expected:?}\nfor {:?}\nwith the tracers {:?}, {fuel} of fuel \
             and room for {cached_answers} answers in {cached_bytes} bytes, of the program\n\
             {program}Again: SPANMUX_SEED={seed} cargo test -p spanmux-tests --test decision_cache",
            contexts[*context], lists[*tracers],
        )
    }
}

/// Returns `true` if the run ended out of fuel. Native code cannot predict its result.
fn is_cut_short(choice: &Choice) -> bool {
    *choice == Choice::Fallback(Fallback::OutOfBudget(Budget::Fuel))
}

/// Counts of compared decisions.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) cases: u64,
    runs: u64,
    hits: u64,
    pub(crate) coverage: Coverage,
}

impl Tally {
    fn count(&mut self, met: Met, cached: bool) {
        *(if cached {
            &mut self.hits
        } else {
            &mut self.runs
        }) += 1;
        self.coverage.count(met, cached);
    }

    /// Returns the percentage of decisions that came from the cache.
    pub(crate) fn cached(&self) -> u64 {
        self.hits * 100 / (self.hits + self.runs).max(1)
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.cases += other.cases;
        self.runs += other.runs;
        self.hits += other.hits;
        self.coverage.add(&other.coverage);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cases, compared) = (self.cases, self.hits + self.runs);
        let cached = self.cached();
        write!(
            f,
            "{cases} selectors, {compared} decisions compared, {cached} % of them cached"
        )
    }
}
