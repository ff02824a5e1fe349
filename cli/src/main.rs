//! The `spanmux` command: see trace routing at work, ask selectors for decisions,
//! write, build, test and check them.
//!
//! Data goes to standard output and messages to standard error. Exit codes: 0, it
//! worked; 1, it worked and the answer is no (a file is no selector, one could not
//! be loaded); 2, it could not be done (a wrong argument, a missing file).

mod args;
mod build;
mod cases;
mod commands;
mod configured;
mod contexts;
mod coverage;
mod explore;
mod nearest;
mod printer;
mod project;
mod starter;
mod transcript;
mod walk;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};
use printer::Printer;

fn main() -> ExitCode {
    let args = Args::parse();
    log_events(args.verbose);
    let printer = Printer;
    let cache = &args.cache;
    let outcome = match &args.command {
        Command::Demo(args) => commands::demo::run(args, cache, &printer),
        Command::Route(args) => commands::route::run(args, cache, &printer),
        Command::Explain(args) => commands::explain::run(args, cache, &printer),
        Command::Check(args) => commands::check::run(args, cache, &printer),
        Command::List(args) => commands::list::run(args, cache, &printer),
        Command::Lock(args) => commands::lock::run(args, cache, &printer),
        Command::New(args) => commands::new::run(args, &printer),
        Command::Build(args) => commands::build::run(args, &printer),
        Command::Test(args) => commands::test::run(args, cache, &printer),
        Command::Watch(args) => commands::watch::run(args, cache, &printer),
        Command::Traces(args) => commands::traces::run(args, &printer),
        Command::Init(args) => commands::init::run(args, &printer),
        Command::Config(args) => commands::config::run(args, cache, &printer),
    };
    match outcome {
        Ok(Verdict::Yes) => ExitCode::SUCCESS,
        Ok(Verdict::No) => ExitCode::from(1),
        Err(error) => {
            printer.error(&error);
            ExitCode::from(2)
        }
    }
}

/// What a command that worked says by its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Yes,
    No,
}

impl From<bool> for Verdict {
    fn from(yes: bool) -> Self {
        if yes { Verdict::Yes } else { Verdict::No }
    }
}

/// The library's events, on standard error. Without `-v` the commands say
/// themselves what matters.
fn log_events(verbose: u8) {
    let level = match verbose {
        0 => tracing::Level::ERROR,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .with_target(false)
        .without_time()
        .init();
}
