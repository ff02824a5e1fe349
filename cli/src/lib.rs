//! The `spanmux` command: demonstrates trace routing, runs selectors on runtime contexts, and
//! creates, builds, tests and checks selectors.
//!
//! Data goes to standard output and messages go to standard error. Exit codes: 0 for success,
//! 1 for a negative result (a file is not a selector or could not be loaded), and 2 if the
//! command could not run (a wrong argument, a missing file).
//!
//! The command is a function, so that packages for other languages carry it too.

mod args;
mod build;
mod cases;
mod commands;
mod configured;
mod contexts;
mod coverage;
mod printer;
mod project;
mod starter;
mod transcript;
mod untrusted;

use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};

use anyhow::Context as _;
use clap::Parser as _;

use args::{Args, Command};
use printer::Printer;

/// Runs the command and returns its exit code. The first argument is the name of the program.
///
/// Belongs to a process of its own: it prints, and its log is that of the process.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(answer) => return told(&answer),
    };
    log_events(args.verbose);
    let printer = Printer::default();
    let cache = &args.cache.of(&args.command);
    let outcome = match &args.command {
        Command::Demo(args) => commands::demo::run(args, cache, &printer),
        Command::Route(args) => commands::route::run(args, cache, &printer),
        Command::Diff(args) => commands::diff::run(args, cache, &printer),
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
    let written = printer.finish().context("cannot write to standard output");
    match outcome.and_then(|verdict| written.map(|()| verdict)) {
        Ok(Verdict::Yes) => 0,
        Ok(Verdict::No) => 1,
        Err(error) => {
            printer.error(&error);
            2
        }
    }
}

/// Prints the help, the version or a wrong argument, and returns the exit code.
fn told(answer: &clap::Error) -> u8 {
    let printed = answer.print().and_then(|()| std::io::stdout().flush());
    match printed {
        Err(error) if !answer.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            let error = anyhow::Error::from(error).context("cannot write to standard output");
            Printer::default().error(&error);
            2
        }
        _ => u8::try_from(answer.exit_code()).unwrap_or(2),
    }
}

/// The result of a completed command, reported as its exit code.
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

/// Prints the library's events to standard error. Without `-v`, only errors are logged, because
/// the commands report everything relevant themselves.
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
