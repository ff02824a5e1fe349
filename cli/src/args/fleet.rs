//! Arguments of the commands for changing the policy of a fleet.

use std::path::PathBuf;

use spanmux_diff::{Allowed, Comparison};

/// Arguments of `spanmux diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
OLD and NEW are selectors, directories of selectors, or lock files. A lock file stands for the
directory beside it: selectors.lock for selectors, of which only the listed files with matching
digests are loaded.

Both policies run on made-up contexts. Answers are made up from the words in the files; the
questions of the selectors show which ones matter. Each reported difference was observed, with the
smallest context that shows it. A rule for a value that is in no file is found only with a context
that contains it: pass --contexts, as JSON lines or as a file of test cases. The report states what
was not explored.

A decision is a tracer, `abstained` (the default tracer receives the trace), or the cause of a
failure, such as `failed` or `trapped` (the fallback tracer receives it). --allow accepts expected
changes; `*` stands for any decision.

Exit codes:
  0  no difference was found, or every difference is allowed
  1  a difference that is not allowed
  2  a policy could not be loaded

Examples:
  spanmux diff selectors/ candidate/
  spanmux diff old/20-tenant.wasm new/20-tenant.wasm --tracers langfuse,tenant-acme
  spanmux diff selectors/ candidate/ --allow 'langfuse -> candidate' --contexts cases.toml
  spanmux diff selectors.lock candidate/ --format markdown --output comment.md")]
pub(crate) struct DiffArgs {
    /// The policy before the change
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The policy after the change
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Also compare the decisions for these contexts: a JSON object per line, or test cases (.toml);
    /// - for JSON lines from standard input
    #[arg(long, value_name = "FILE")]
    pub contexts: Option<PathBuf>,
    /// The available tracers, comma-separated [default: every name that a selector chooses]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub tracers: Vec<String>,
    /// Accept this change of a decision; may be repeated
    #[arg(long, value_name = "FROM -> TO")]
    pub allow: Vec<Allowed>,
    /// Maximum number of made-up contexts for each selector, and again of their combinations
    #[arg(long, value_name = "N", default_value_t = Comparison::BUDGET, value_parser = budget)]
    pub budget: usize,
    /// Output format [default: by the file extension of --output, otherwise text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<DiffFormat>,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The output formats of `spanmux diff`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DiffFormat {
    /// Lines for a terminal
    Text,
    /// One JSON object on one line
    Json,
    /// Markdown for a comment on a pull request
    Markdown,
    /// Self-contained HTML page
    Html,
}

fn budget(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(budget @ 1..=1_000_000) => Ok(budget),
        _ => Err("expected a number from 1 to 1000000".to_owned()),
    }
}
