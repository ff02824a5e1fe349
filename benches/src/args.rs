//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::measure::Effort;

/// Compare Spanmux with alternative engines
///
/// Prints Markdown and writes plots to files. `benches/run` builds everything that a full run needs
/// and starts this program.
#[derive(Debug, Parser)]
#[command(name = "spanmux-benches", max_term_width = 90)]
pub struct Args {
    /// Use fewer rounds, shorter streams and a smaller flood: takes some minutes
    #[arg(long, conflicts_with = "smoke")]
    pub quick: bool,

    /// Check the answers of every engine and run a few rounds: for CI
    #[arg(long)]
    pub smoke: bool,

    /// Run only these groups
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub only: Vec<Group>,

    /// Run only this row for 10 seconds, for use with a profiler
    #[arg(long, value_name = "ENGINE: ROUTE", hide = true)]
    pub spin: Option<String>,

    /// Output directory of the plots
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/out"))]
    pub out: PathBuf,

    /// Directory of the parts that `benches/run` builds separately: the Extism runner and selectors
    /// in other languages
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/extras"))]
    pub extras: PathBuf,
}

/// One part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Two questions in every engine
    Peers,
    /// Effect of the sizes of the context, the tracer list, the chain and the component
    Growth,
    /// Selectors in other languages
    Languages,
    /// Root and child spans through OpenTelemetry
    Otel,
    /// Time from bytes or source to the first answer
    Startup,
    /// Resident memory per selector and per cached node
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

    /// Selects the size for a full run, a quick run or a smoke test.
    pub fn size<T>(&self, full: T, quick: T, smoke: T) -> T {
        match (self.smoke, self.quick) {
            (true, _) => smoke,
            (_, true) => quick,
            _ => full,
        }
    }
}
