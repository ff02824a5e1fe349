//! One case: a random selector, random contexts and lists of tracers, and what a
//! fresh run answers for each. What has learned is held against that.

use std::fmt;

use fastrand::Rng;
use spanway::{
    Budget, Choice, ComponentSelector, Decision, Fallback, Limits, Origin, RunCost, Selector,
    SelectorHost, TracerNames,
};
use spanway_tests::{limits, load};

use super::contexts::{Asked, Contexts};
use super::features::{Coverage, Met};
use super::program::Program;
use super::switch::{fresh, is_learned};

/// Memory of a guest: small, so that growing to the end of it is cheap.
pub const MEMORY: usize = 4 << 20;
/// Enough for any program but the endless, and soon burnt.
const FUEL: u64 = 500_000;
const CONTEXTS: usize = 40;
/// Equal contexts, each built in its own way.
const BUILDS: usize = 3;

/// The limits of most cases.
pub fn case_limits() -> Limits {
    Limits {
        memory_bytes: MEMORY,
        fuel: FUEL,
        ..limits()
    }
}

/// A selector and all that it is asked.
pub struct Case {
    pub seed: u64,
    pub program: Program,
    pub contexts: Contexts,
    /// Each context in as many builds.
    builds: Vec<[Asked; BUILDS]>,
    pub tracers: Vec<TracerNames>,
    /// For each context and each list of tracers.
    questions: Vec<Question>,
}

/// One context with one list of tracers, and the answer of a fresh run.
pub struct Question {
    context: usize,
    tracers: usize,
    pub expected: Choice,
    pub cost: RunCost,
    met: Met,
}

/// An answer that was not what a fresh run answers.
pub struct Mismatch {
    question: usize,
    found: Decision,
}

/// How many decisions were compared.
#[derive(Default)]
pub struct Tally {
    pub cases: u64,
    pub runs: u64,
    pub hits: u64,
    pub coverage: Coverage,
}

impl Case {
    /// A random case, with the fresh answers of a selector on this host.
    pub fn random(seed: u64, host: &SelectorHost) -> (Self, ComponentSelector) {
        let mut rng = Rng::with_seed(seed);
        let contexts = Contexts::random(&mut rng, CONTEXTS);
        let program = Program::random(&mut rng, &contexts.keys);
        let lists: [&[&str]; 5] = [
            &["langfuse", "datadog", "console"],
            &["console", "datadog", "langfuse"],
            &["langfuse", "console"],
            &["größe", "tenant", "", "console"],
            &[],
        ];
        let tracers = rng.choose_multiple(lists, 3);
        let mut case = Self {
            seed,
            program,
            builds: contexts
                .plans
                .iter()
                .map(|plan| [(); BUILDS].map(|()| plan.build(&mut rng)))
                .collect(),
            contexts,
            tracers: tracers
                .into_iter()
                .map(|list| TracerNames::new(list.iter().copied()))
                .collect(),
            questions: Vec::new(),
        };
        let selector = load(host, "random", &case.program.component());
        case.answer(&fresh(&selector));
        (case, selector)
    }

    /// Fresh runs, held against each other and against what the program must
    /// answer.
    fn answer(&mut self, selector: &ComponentSelector) {
        for (context, builds) in self.builds.iter().enumerate() {
            for (tracers, names) in self.tracers.iter().enumerate() {
                let (expected, cost) = builds[0].with(|view| run(selector, view, names));
                let (foreseen, met) = builds[1].with(|view| self.program.run(view, names));
                let question = Question {
                    context,
                    tracers,
                    expected,
                    cost,
                    met,
                };
                assert!(
                    question.expected == foreseen || cut_short(&question.expected),
                    "the program must answer {foreseen:?}\n{}",
                    self.shown(&question)
                );
                self.questions.push(question);
            }
        }
    }

    /// Asks `selector` so many times for each question, in random order, and
    /// compares each answer. Equal contexts are asked in any of their builds.
    pub fn compare(
        &self,
        selector: &dyn Selector,
        rng: &mut Rng,
        times: usize,
        tally: &mut Tally,
    ) -> Result<(), Mismatch> {
        for _ in 0..times * self.questions.len() {
            let at = rng.usize(..self.questions.len());
            let question = &self.questions[at];
            let build = rng.usize(..BUILDS);
            let decision = self.ask(selector, question, build);
            if decision.choice != question.expected {
                return Err(Mismatch {
                    question: at,
                    found: decision,
                });
            }
            tally.count(question, &decision);
        }
        Ok(())
    }

    pub fn ask(&self, selector: &dyn Selector, question: &Question, build: usize) -> Decision {
        self.builds[question.context][build]
            .with(|view| selector.decide(view, &self.tracers[question.tracers]))
    }

    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// What a person needs to see why an answer was wrong, and to see it again.
    /// `learner` gives a selector that has learned nothing yet.
    pub fn explain(&self, mismatch: &Mismatch, learner: impl Fn() -> ComponentSelector) -> String {
        let question = &self.questions[mismatch.question];
        // The one question that teaches the wrong answer, if one alone does.
        let teacher = self.questions.iter().find(|teacher| {
            let selector = learner();
            self.ask(&selector, teacher, 0);
            self.ask(&selector, question, 0).choice != question.expected
        });
        let taught = teacher.map_or("by more than one decision".to_owned(), |teacher| {
            format!(
                "by {:?}, for\n{:?}",
                teacher.expected, self.contexts.plans[teacher.context]
            )
        });
        format!(
            "{:?}\n{}\ntaught {taught}",
            mismatch.found,
            self.shown(question)
        )
    }

    fn shown(&self, question: &Question) -> String {
        format!(
            "and a fresh run answers {:?}\nfor {:?}\nwith the tracers {:?}\nof {:#?}\n\
             Again: SPANWAY_SEED={} cargo test -p spanway-tests --test learned",
            question.expected,
            self.contexts.plans[question.context],
            self.tracers[question.tracers].as_slice(),
            self.program,
            self.seed,
        )
    }
}

/// A fresh run: its answer and what it cost.
fn run(
    selector: &dyn Selector,
    view: &spanway::ContextView<'_>,
    tracers: &TracerNames,
) -> (Choice, RunCost) {
    let decision = selector.decide(view, tracers);
    match decision.origin {
        Origin::Run(cost) => (decision.choice, cost),
        other => panic!("not a run: {other:?}"),
    }
}

/// Whether a run ended before the program did: out of fuel, or out of the memory
/// that the guest has for answers.
fn cut_short(choice: &Choice) -> bool {
    match choice {
        Choice::Fallback(Fallback::OutOfBudget(Budget::Fuel)) => true,
        Choice::Fallback(Fallback::Trapped(message)) => {
            message == "realloc return: beyond end of memory"
        }
        _ => false,
    }
}

impl Tally {
    fn count(&mut self, question: &Question, decision: &Decision) {
        let learned = is_learned(decision);
        *(if learned {
            &mut self.hits
        } else {
            &mut self.runs
        }) += 1;
        self.coverage.count(question.met, learned);
    }

    pub fn compared(&self) -> u64 {
        self.runs + self.hits
    }

    pub fn add(&mut self, other: &Tally) {
        self.cases += other.cases;
        self.runs += other.runs;
        self.hits += other.hits;
        self.coverage.add(&other.coverage);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = self.hits as f64 * 100.0 / self.compared() as f64;
        writeln!(
            f,
            "{} programs, {} decisions compared, {share:.1} % of them learned",
            self.cases,
            self.compared()
        )
    }
}
