//! The time from source or bytes to the first answer.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use spanmux::{RuntimeContext, SelectorHost, SelectorsDirectory, TracerRegistry};

use super::Bench;
use crate::engines::{self, spanmux_side};
use crate::measure;
use crate::questions::Question;
use crate::report::{Bound, Table, nanos};

pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    engines(bench)?;
    examples(bench)
}

/// Each engine separately. State that rows share, such as a registry of Spanmux or an engine of
/// wasmtime, is created again each time.
fn engines(bench: &Bench<'_>) -> Result<()> {
    println!("From source or bytes to the first answer, one key, without reusing anything.\n");
    let again = bench.args.size(11, 5, 1);
    let case = Question::OneKey.cases().swap_remove(0);
    let mut table = Table::new(["engine: route", "first in this run", "again (median)"]);
    let names: Vec<(&'static str, &'static str)> =
        engines::rows(Question::OneKey, bench.extism.as_ref())?
            .iter()
            .map(|row| (row.engine, row.route))
            .collect();
    for (engine, route) in names {
        let once = || -> Result<f64> {
            let began = Instant::now();
            let row = engines::row(engine, route, Question::OneKey, bench.extism.as_ref())?;
            let mut engine = row.make()?;
            engine.prepare(&case);
            ensure!(
                engine.decide(&case) == case.expected,
                "{} is wrong",
                row.name()
            );
            Ok(began.elapsed().as_nanos() as f64)
        };
        let first = once()?;
        let later: Result<Vec<f64>> = (0..again).map(|_| once()).collect();
        let name = format!("{engine}: {route}");
        table.row([name, nanos(first), nanos(measure::median(&later?))]);
    }
    table.print();
    Ok(())
}

/// The five example selectors, with an empty and with a filled compile cache.
fn examples(bench: &mut Bench<'_>) -> Result<()> {
    println!("\n### The five example selectors, from files to the first decision\n");
    let times = bench.args.size(11, 5, 1);
    let load = |make: &dyn Fn() -> Result<SelectorHost>| -> Result<f64> {
        let mut figures = Vec::new();
        for _ in 0..times {
            let began = Instant::now();
            first_decision(make()?)?;
            figures.push(began.elapsed().as_nanos() as f64);
        }
        Ok(measure::median(&figures))
    };
    let cold = load(&spanmux_side::host)?;
    let mut table = Table::new(["", "time"]);
    table.row(["cold: compiled".to_owned(), nanos(cold)]);
    let folder = tempfile::tempdir()?;
    // The first start fills the cache.
    first_decision(spanmux_side::host_with_cache(folder.path())?)?;
    let warm = load(&|| spanmux_side::host_with_cache(folder.path()))?;
    table.row(["warm: from the cache".to_owned(), nanos(warm)]);
    table.print();
    let what = "start of the five example selectors: cold, times warm";
    bench.report.goal(what, Bound::AtLeast(20.0), cold / warm);
    Ok(())
}

fn first_decision(host: SelectorHost) -> Result<()> {
    let report = SelectorsDirectory::new(examples_folder(), host).load()?;
    let registry = TracerRegistry::new();
    registry.register("langfuse", ())?;
    registry.set_selectors(report.chain());
    ensure!(
        report.chain().len() == 5,
        "five example selectors, and not {}",
        report.chain().len()
    );
    let context = RuntimeContext::builder()
        .set("environment", "production")
        .build();
    let selection = registry.select(&context.view());
    ensure!(
        selection.tracer_name() == Some("langfuse"),
        "{:?}",
        selection.reason().cause()
    );
    Ok(())
}

fn examples_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../selectors")
}
