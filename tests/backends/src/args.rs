//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Runs an AI service against real tracing backends and prints what they stored.
#[derive(Parser)]
#[command(version, about)]
pub struct Args {
    /// Where the backends are installed, by `tests/backends/install`
    #[arg(
        long,
        env = "SPANMUX_BACKENDS_ENV",
        default_value = "target/backends/env"
    )]
    pub env: PathBuf,

    /// The directory of the live selectors
    #[arg(long, default_value = "selectors")]
    pub selectors: PathBuf,

    /// Where the table of all runs is written
    #[arg(long, default_value = "target/backends/runs.tsv")]
    pub out: PathBuf,

    /// Keep what the backends stored and logged
    #[arg(long)]
    pub keep: bool,
}
