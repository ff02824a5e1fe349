//! A soak test of a whole service: reloads, changes of the registry, the zoo, failing backends and
//! selection at full speed, all at the same time.

use std::num::NonZeroU64;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use spanmux_tests::soak::{Settings, soak};

/// Disturbs a service in every way at full load, and reports which promises it kept. Fails if it
/// broke one.
#[derive(Parser)]
struct Args {
    /// Duration in minutes.
    #[arg(long, default_value = "1", value_name = "N")]
    minutes: NonZeroU64,
    /// Threads that select, and the same number that trace.
    #[arg(long, default_value = "2", value_name = "N")]
    threads: NonZeroU64,
    /// Milliseconds between two changes of the directory and of the registries.
    #[arg(long, default_value = "50", value_name = "MS")]
    every: u64,
    /// Seed of the contexts
    #[arg(long, default_value = "1", value_name = "N")]
    seed: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let settings = Settings {
        time: Duration::from_secs(60 * args.minutes.get()),
        threads: args.threads.get(),
        every: Duration::from_millis(args.every),
        seed: args.seed,
    };
    let verdict = soak(settings, |progress| {
        eprintln!(
            "{:4} s: {} selections, {} chains, {} refusals, {} MiB",
            progress.after.as_secs(),
            progress.selections,
            progress.chains,
            progress.refusals,
            progress.resident >> 20
        );
    });
    print!("{verdict}");
    let kept = verdict
        .promises
        .iter()
        .filter(|promise| promise.kept)
        .count();
    let broken = verdict.promises.len() - kept;
    println!("{kept} passed, {broken} failed, 0 skipped");
    ExitCode::from(u8::from(broken > 0))
}
