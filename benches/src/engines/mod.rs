//! The engines: one file each, one trait. Each uses the fastest route in its documentation, and
//! finally looks up its answer among the tracers.

pub mod bare_wasmtime;
pub mod cedar;
pub mod cel;
pub mod extism;
pub mod lua;
pub mod native;
pub mod rego;
pub mod rhai;
pub mod spanmux_side;
pub mod zen;

use std::hint::black_box;

use anyhow::{Context as _, Result, ensure};

use crate::allocations::{self, Allocations};
use crate::clock::{Ticks, thread_nanos, ticks};
use crate::questions::{Case, Question, TRACERS};

/// Answers one question on one thread.
pub trait Engine {
    /// The index of the chosen tracer. A failure returns an invalid index.
    fn decide(&mut self, case: &Case) -> usize;

    /// Called before a case is timed, for routes with prepared input.
    fn prepare(&mut self, _case: &Case) {}

    /// The processor time of this thread in nanoseconds for `times` decisions in a row.
    fn time(&mut self, case: &Case, times: u32) -> u64 {
        let before = thread_nanos();
        for _ in 0..times {
            black_box(self.decide(black_box(case)));
        }
        thread_nanos() - before
    }

    /// The nanoseconds of `times` single decisions.
    fn samples(&mut self, case: &Case, times: u32, clock: Ticks) -> Vec<f64> {
        let sample = |_| {
            let before = ticks();
            black_box(self.decide(black_box(case)));
            clock.nanos(before, ticks())
        };
        (0..times).map(sample).collect()
    }

    /// The allocations of a decision on the host's side.
    fn allocations(&mut self, case: &Case) -> Allocations {
        allocations::per_call(100, || {
            black_box(self.decide(black_box(case)));
        })
    }
}

type Make = Box<dyn Fn() -> Result<Box<dyn Engine>> + Send + Sync>;

/// One row of the tables: an engine with one route for one question.
pub struct Row {
    /// The engine's name for readers: goals refer to engines, not to routes.
    pub engine: &'static str,
    /// The route, in a few words.
    pub route: &'static str,
    make: Make,
}

impl Row {
    pub fn new<E: Engine + 'static>(
        engine: &'static str,
        route: &'static str,
        make: impl Fn() -> Result<E> + Send + Sync + 'static,
    ) -> Self {
        Self {
            engine,
            route,
            make: Box::new(move || Ok(Box::new(make()?))),
        }
    }

    pub fn name(&self) -> String {
        match self.route {
            "" => self.engine.to_owned(),
            route => format!("{}: {route}", self.engine),
        }
    }

    /// Creates an engine for the calling thread.
    pub fn make(&self) -> Result<Box<dyn Engine>> {
        (self.make)()
    }

    /// Compares its answers with the native ones, three times each.
    pub fn check(&self, question: Question) -> Result<()> {
        let mut engine = self.make()?;
        for round in 1..=3 {
            for case in question.cases() {
                engine.prepare(&case);
                let answer = engine.decide(&case);
                ensure!(
                    answer == case.expected,
                    "{} is wrong: {}, round {round}, {:?}: place {answer} and not {} ({})",
                    self.name(),
                    question.title(),
                    question.keys().map_text(&case),
                    case.expected,
                    TRACERS[case.expected],
                );
            }
        }
        Ok(())
    }
}

trait MapText {
    fn map_text(&self, case: &Case) -> Vec<String>;
}

impl MapText for [&str] {
    fn map_text(&self, case: &Case) -> Vec<String> {
        let text = |key: &&str| format!("{key}={}", case.text(key));
        self.iter().map(text).collect()
    }
}

/// A single row. Nothing is created for other engines.
pub fn row(
    engine: &str,
    route: &str,
    question: Question,
    extism: Option<&extism::Runner>,
) -> Result<Row> {
    let rows = match engine {
        "native" => native::rows(question),
        "Spanmux" => vec![spanmux_side::row(route, question)?],
        "wasmtime" => vec![bare_wasmtime::row(route, question)?],
        "zen-expression" => vec![zen::row(question)],
        "CEL" => vec![cel::row(question)],
        "Lua" => vec![lua::row(question)],
        "Rhai" => vec![rhai::row(question)],
        "Rego" => rego::rows(question).into(),
        "Cedar" => vec![cedar::row(question)],
        _ => extism
            .map(|runner| runner.row(question))
            .into_iter()
            .collect(),
    };
    let found = rows.into_iter().find(|row| row.route == route);
    found.with_context(|| format!("no row {engine}: {route}"))
}

/// Every row of a question, in the order of the tables. The others are compared with the first two.
pub fn rows(question: Question, extism: Option<&extism::Runner>) -> Result<Vec<Row>> {
    let mut rows = native::rows(question);
    rows.extend(spanmux_side::rows(question)?);
    rows.extend(bare_wasmtime::rows(question)?);
    rows.push(zen::row(question));
    rows.push(cel::row(question));
    rows.push(lua::row(question));
    rows.push(rhai::row(question));
    rows.extend(rego::rows(question));
    rows.push(cedar::row(question));
    rows.extend(extism.map(|runner| runner.row(question)));
    Ok(rows)
}
