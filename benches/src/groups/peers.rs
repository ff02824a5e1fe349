//! The same two questions in every engine.

use std::collections::HashMap;

use anyhow::Result;

use super::Bench;
use crate::allocations::Allocations;
use crate::clock::Ticks;
use crate::engines::{self, Row};
use crate::measure::{self, Subject};
use crate::questions::{Case, Question};
use crate::report::{Bound, Table, number};

/// The measurements of one row.
struct Figures {
    /// Nanoseconds of a decision, by round.
    rounds: Vec<f64>,
    p50: f64,
    p99: f64,
    allocations: Allocations,
    two_threads: f64,
}

type Measured = HashMap<(&'static str, &'static str), Figures>;

const REFERENCE: (&str, &str) = ("native", "closure over a context view");
const HIT: (&str, &str) = ("Spanmux", "hit");
const MISS: (&str, &str) = ("Spanmux", "miss");

/// The goals for the speed-up of a hit: the engine, one key, four keys.
const FASTER: [(&str, f64, f64); 7] = [
    ("Extism", 480.0, 190.0),
    ("Cedar", 100.0, 85.0),
    ("Rego", 18.0, 17.0),
    ("Lua", 9.0, 10.0),
    ("Rhai", 14.0, 35.0),
    ("CEL", 7.0, 13.0),
    ("zen-expression", 4.0, 6.0),
];

pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    let clock = Ticks::calibrate();
    println!(
        "A context of 20 entries and three tracers. \"ns\" is processor time in a loop, the \
         median of {} rounds with all engines. p50 and p99 are wall-clock times of single \
         decisions. \"native\" is a closure with the same look-ups. The answers of every route \
         were checked first.",
        bench.effort.rounds
    );
    for question in Question::ALL {
        let rows = engines::rows(question, bench.extism.as_ref())?;
        for row in &rows {
            row.check(question)?;
        }
        let cases = question.cases();
        let measured = measure(bench, &rows, &cases[0], clock)?;
        print(question, &rows, &measured);
        plot(bench, question, &rows, &measured)?;
        goals(bench, question, &rows, &measured);
    }
    Ok(())
}

fn measure(bench: &Bench<'_>, rows: &[Row], case: &Case, clock: Ticks) -> Result<Measured> {
    let subjects: Result<Vec<_>> = rows.iter().map(|row| Subject::of_row(row, case)).collect();
    let rounds = measure::rounds(&mut subjects?, bench.effort);
    let mut measured = Measured::new();
    for (row, rounds) in rows.iter().zip(rounds) {
        let mut engine = row.make()?;
        engine.prepare(case);
        engine.time(case, 100);
        let each = measure::median(&rounds);
        // Ten seconds of single decisions would not give more information than one.
        let most = (1e9 / each) as u32;
        let samples = engine.samples(case, bench.effort.samples.min(most), clock);
        measured.insert(
            (row.engine, row.route),
            Figures {
                p50: measure::median(&samples),
                p99: measure::quantile(&samples, 0.99),
                allocations: engine.allocations(case),
                two_threads: measure::two_threads(row, case, each, bench.effort)?,
                rounds,
            },
        );
    }
    Ok(measured)
}

fn print(question: Question, rows: &[Row], measured: &Measured) {
    println!("\n### {}\n", question.title());
    let mut table = Table::new([
        "engine: route",
        "ns",
        "times native",
        "a hit is faster by",
        "p50 ns",
        "p99 ns",
        "allocations",
        "bytes",
        "2 threads / 1",
    ]);
    for row in rows {
        let figures = &measured[&(row.engine, row.route)];
        table.row([
            row.name(),
            number(measure::median(&figures.rounds)),
            number(measure::ratio(
                &figures.rounds,
                &measured[&REFERENCE].rounds,
            )),
            number(measure::ratio(&figures.rounds, &measured[&HIT].rounds)),
            number(figures.p50),
            number(figures.p99),
            number(figures.allocations.count),
            number(figures.allocations.bytes),
            number(figures.two_threads),
        ]);
    }
    table.print();
}

fn plot(bench: &Bench<'_>, question: Question, rows: &[Row], measured: &Measured) -> Result<()> {
    let mut bars: Vec<(String, f64)> = rows
        .iter()
        .map(|row| {
            (
                row.name(),
                measure::median(&measured[&(row.engine, row.route)].rounds),
            )
        })
        .collect();
    bars.sort_by(|a, b| a.1.total_cmp(&b.1));
    let file = format!("peers-{}.svg", question.title().replace(' ', "-"));
    let title = format!("One decision, {} read", question.title());
    bench.plots.bars(&file, &title, "ns", &bars)
}

fn goals(bench: &mut Bench<'_>, question: Question, rows: &[Row], measured: &Measured) {
    let title = question.title();
    let one = question == Question::OneKey;
    let figures = |of: (&'static str, &'static str)| &measured[&of];
    let times = |a: &[f64], b: &[f64]| measure::ratio(a, b);
    let (hit, miss) = (figures(HIT), figures(MISS));
    let report = &mut bench.report;

    report.goal(
        format!("hit, {title}: times the native closure"),
        Bound::AtMost(if one { 1.8 } else { 1.5 }),
        times(&hit.rounds, &figures(REFERENCE).rounds),
    );
    report.goal(
        format!("hit, {title}: times a native selector of the same registry"),
        Bound::AtMost(1.15),
        times(&hit.rounds, &figures(("Spanmux", "native selector")).rounds),
    );
    report.goal(
        format!("hit, {title}: allocations"),
        Bound::AtMost(0.0),
        hit.allocations.count,
    );
    report.goal(
        format!("hit, {title}: 2 threads, times 1"),
        Bound::AtLeast(1.95),
        hit.two_threads,
    );
    for (engine, one_key, four_keys) in FASTER {
        let routes = rows.iter().filter(|row| row.engine == engine);
        let fastest = routes
            .map(|row| figures((row.engine, row.route)))
            .min_by(|a, b| measure::median(&a.rounds).total_cmp(&measure::median(&b.rounds)));
        let Some(fastest) = fastest else { continue };
        report.goal_with(
            format!("hit, {title}: times faster than {engine}"),
            Bound::AtLeast(if one { one_key } else { four_keys }),
            times(&fastest.rounds, &hit.rounds),
            format!("a miss: {}", number(times(&fastest.rounds, &miss.rounds))),
        );
        if engine == "Extism" {
            report.goal(
                format!("miss, {title}: times faster than Extism, reused"),
                Bound::AtLeast(2.0),
                times(&fastest.rounds, &miss.rounds),
            );
        }
    }
    report.goal_with(
        format!("miss, {title}: times the best bare wasmtime fresh call"),
        Bound::AtMost(1.1),
        times(
            &miss.rounds,
            &figures(("wasmtime", "fresh, no promises")).rounds,
        ),
        format!(
            "the one with the same promises: {}",
            number(times(
                &miss.rounds,
                &figures(("wasmtime", "fresh, same promises")).rounds
            ))
        ),
    );
    report.goal(
        format!("miss, {title}: 2 threads, times 1"),
        Bound::AtLeast(1.5),
        miss.two_threads,
    );
}
