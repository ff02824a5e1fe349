//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Runs an AI service against real tracing backends and prints what they stored.
#[derive(Parser)]
#[command(version, about)]
pub struct Args {
    /// The directory of the installed backends, as `tests/backends/install` creates it
    #[arg(
        long,
        env = "SPANMUX_BACKENDS_ENV",
        default_value = "target/backends/env"
    )]
    pub env: PathBuf,

    /// The directory of the live selectors
    #[arg(long, default_value = "selectors")]
    pub selectors: PathBuf,

    /// The file for the table of all runs
    #[arg(long, default_value = "target/backends/runs.tsv")]
    pub out: PathBuf,

    /// Keep the stored data and logs of the backends
    #[arg(long)]
    pub keep: bool,
}
