//! Runs an AI service against real tracing backends and prints the spans that they stored.
//!
//! Each of 200 runs is routed by the example selectors, answered by the service, and looked up in
//! every backend. Then a backend is stopped and restarted during further runs. The tables contain
//! the results of the backends' own APIs.

mod agent;
mod args;
mod backends;
mod checks;
mod delivery;
mod environment;
mod gate;
mod http;
mod ledger;
mod llm_server;
mod mlflow;
mod otlp_json;
mod outage;
mod phoenix;
mod plan;
mod process;
mod python;
mod rotel;
mod runs;
mod selecting;
mod server;
mod service;
mod spans;
mod store;
mod stored;
mod suite;
mod table;
mod tracers;
mod traces_file;
mod verdict;
mod work;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Parser as _;
use tempfile::TempDir;

use args::Args;
use backends::{Backends, Name};
use checks::Checks;
use environment::Environment;
use process::Processes;
use store::Store;
use suite::Suite;
use verdict::{Done, Verdict};

fn main() -> ExitCode {
    let args = Args::parse();
    let mut checks = Checks::default();
    if let Err(error) = run(&args, &mut checks) {
        checks.fail(format!("{error:#}"));
    }
    checks.print()
}

fn run(args: &Args, checks: &mut Checks) -> Result<()> {
    let mut home = TempDir::with_prefix("spanmux-backends-")?;
    let outcome = run_in(&home, args, checks);
    if args.keep || outcome.is_err() || checks.failed() {
        home.disable_cleanup(true);
        println!(
            "\nwhat the backends stored and logged is in {}",
            home.path().display()
        );
    }
    outcome
}

fn run_in(home: &TempDir, args: &Args, checks: &mut Checks) -> Result<()> {
    let processes = Processes::default();
    processes.end_on_signals(home.path())?;
    let environment = Environment::new(&args.env, home)?;
    let clock = Clock::default();
    let mut backends = Backends::start(&environment, &processes)?;
    clock.print("the backends are ready");
    let suite = Suite::new(&args.selectors, &mut backends)?;

    let done = answer_all(&suite)?;
    clock.print("the runs are answered");
    let store = Store::holding(&backends, &expected(&done))?;
    clock.print("the backends were read back");
    report_runs(args, checks, &done, &store)?;
    checks.undisturbed(&outage::losses(&done, &store, &suite.delivered()));

    for (turn, away) in (1..).zip([Name::Mlflow, Name::Phoenix]) {
        let outage = outage::run(&suite, &mut backends, away, turn * done.len())?;
        clock.print(&format!("{away} was away and is back"));
        report_outage(checks, &outage);
    }
    suite.end();
    python::run(&environment, &mut backends, checks)?;
    clock.print("the spans of a Python program were read back");
    Ok(())
}

fn answer_all(suite: &Suite) -> Result<Vec<Done>> {
    let mut done = Vec::new();
    for batch in runs::batches(&suite.sets, 0)? {
        done.extend(suite.play(batch)?);
    }
    Ok(done)
}

/// Returns the spans that must be in a backend.
fn expected(done: &[Done]) -> BTreeSet<String> {
    let placed = done.iter().filter(|done| done.place().is_some());
    placed.flat_map(|done| done.sent.iter().cloned()).collect()
}

fn report_runs(args: &Args, checks: &mut Checks, done: &[Done], store: &Store) -> Result<()> {
    let verdicts: Vec<_> = done.iter().map(|done| Verdict::of(done, store)).collect();
    table::write_runs(&args.out, &verdicts)?;
    let tables = [
        (
            "Where the traces of each tracer were found",
            table::by_tracer(&verdicts),
        ),
        (
            "The runs by selectors and concurrency",
            table::by_selectors(&verdicts),
        ),
        (
            "What the backends say the spans were",
            table::by_kind(&verdicts),
        ),
        (
            "What the backends add to them",
            table::by_attributes(&verdicts),
        ),
    ];
    for (title, table) in tables {
        println!("\n{title}\n{table}");
    }
    println!("\neach run is a line of {}", args.out.display());
    checks.runs(&verdicts, store);
    Ok(())
}

fn report_outage(checks: &mut Checks, outage: &outage::Outage) {
    println!(
        "\nWhat was lost while {} was away\n{}",
        outage.away,
        table::losses(&outage.losses)
    );
    checks.outage(outage);
}

/// Prints the duration of each part.
struct Clock(Instant);

impl Default for Clock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock {
    fn print(&self, what: &str) {
        println!("{:6.1} s  {what}", self.0.elapsed().as_secs_f64());
    }
}
