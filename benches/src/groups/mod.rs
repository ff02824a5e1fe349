//! The groups of the benchmark, one file each.

mod contexts;
mod growth;
mod languages;
mod memory;
mod otel;
mod peers;
mod reload;
mod startup;

use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::args::{Args, Group};
use crate::engines::{self, extism};
use crate::measure::Effort;
use crate::plots::Plots;
use crate::questions::Question;
use crate::report::{Report, heading};

/// The state that every group receives.
pub struct Bench<'a> {
    args: &'a Args,
    effort: Effort,
    report: Report,
    plots: Plots,
    extism: Option<extism::Runner>,
}

impl<'a> Bench<'a> {
    pub fn new(args: &'a Args) -> Result<Self> {
        let mut report = Report::default();
        let extism = extism::Runner::find(&args.extras);
        if extism.is_none() && args.wants(Group::Peers) {
            report.skip("Extism: its runner is not built; `benches/run` builds it");
        }
        Ok(Self {
            args,
            effort: args.effort(),
            report,
            plots: Plots::into_folder(&args.out)?,
            extism,
        })
    }

    pub fn run(&mut self, group: Group) -> Result<()> {
        let (title, run): (_, fn(&mut Self) -> Result<()>) = match group {
            Group::Peers => ("Two questions through every engine", peers::run),
            Group::Growth => ("Growth", growth::run),
            Group::Languages => ("Selectors in other languages", languages::run),
            Group::Otel => ("OpenTelemetry", otel::run),
            Group::Startup => ("Start-up", startup::run),
            Group::Memory => ("Memory", memory::run),
            Group::Contexts => ("Distinct contexts", contexts::run),
            Group::Reload => ("Hits while a component is loaded", reload::run),
        };
        heading(title);
        run(self).with_context(|| format!("in the group {group:?}"))
    }

    pub fn close(&self) {
        self.report.close();
    }
}

/// Runs one row of each question for five seconds, for use with a profiler.
pub fn spin(name: &str) -> Result<()> {
    let (engine, route) = name.split_once(": ").context("it is not `ENGINE: ROUTE`")?;
    for question in Question::ALL {
        let row = engines::row(engine, route, question, None)?;
        let mut engine = row.make()?;
        let case = question.cases().swap_remove(0);
        engine.prepare(&case);
        let (began, mut done) = (Instant::now(), 0_u64);
        while began.elapsed().as_secs() < 5 {
            engine.time(&case, 1_000);
            done += 1_000;
        }
        println!("{}: {done} decisions of {name}", question.title());
    }
    Ok(())
}
