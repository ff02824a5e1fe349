//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::measure::Effort;

/// Measures Spanmux beside the engines that a user could pick instead.
///
/// Prints Markdown and draws its plots to files. `benches/run` builds everything
/// that a full run needs, and starts this.
#[derive(Debug, Parser)]
#[command(name = "spanmux-benches", max_term_width = 90)]
pub struct Args {
    /// Fewer rounds, shorter streams, a smaller flood: some minutes
    #[arg(long, conflicts_with = "smoke")]
    pub quick: bool,

    /// Every engine is held to the right answers and runs a few rounds: for CI
    #[arg(long)]
    pub smoke: bool,

    /// Only these groups
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub only: Vec<Group>,

    /// Only this row, as long as it takes to look at it with a profiler: 10 seconds
    #[arg(long, value_name = "ENGINE: ROUTE", hide = true)]
    pub spin: Option<String>,

    /// Where the plots go
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/out"))]
    pub out: PathBuf,

    /// Where `benches/run` built what this program cannot build in itself: the
    /// Extism runner, and selectors in other languages
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/extras"))]
    pub extras: PathBuf,
}

/// One part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Two questions through every engine
    Peers,
    /// Growth with the context, the tracers, the chain, the component
    Growth,
    /// Selectors in other languages
    Languages,
    /// Root and child spans through OpenTelemetry
    Otel,
    /// From bytes or source to the first answer
    Startup,
    /// Resident memory per selector and per learned node
    Memory,
    /// Distinct contexts: growth, hit rate, flood
    Contexts,
    /// Hits while a component of ten megabytes is loaded
    Reload,
}

impl Group {
    pub const ALL: [Group; 8] = [
        Group::Peers,
        Group::Growth,
        Group::Languages,
        Group::Otel,
        Group::Startup,
        Group::Memory,
        Group::Contexts,
        Group::Reload,
    ];
}

impl Args {
    pub fn wants(&self, group: Group) -> bool {
        self.only.is_empty() || self.only.contains(&group)
    }

    pub fn effort(&self) -> Effort {
        match (self.smoke, self.quick) {
            (true, _) => Effort::SMOKE,
            (_, true) => Effort::QUICK,
            _ => Effort::FULL,
        }
    }

    /// One of three sizes: for a full run, a quick one, and a smoke test.
    pub fn size<T>(&self, full: T, quick: T, smoke: T) -> T {
        match (self.smoke, self.quick) {
            (true, _) => smoke,
            (_, true) => quick,
            _ => full,
        }
    }
}
