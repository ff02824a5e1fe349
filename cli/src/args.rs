//! The command line: what may be asked, and the help that teaches it.

mod author;

pub(crate) use author::{BuildArgs, CheckArgs, NewArgs, TestArgs};

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

/// Decide, trace by trace, which tracer receives a trace.
#[derive(Debug, Parser)]
#[command(
    name = "spanmux",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  spanmux demo
  spanmux route selectors/ -c environment=production -c tenant=acme
  spanmux explain selectors/20-tenant.wasm
  spanmux new --lang rust by-environment
  spanmux build by-environment/
  spanmux test by-environment/cases.toml
  spanmux check selectors/50-environment.wasm
  spanmux init --exporter langfuse,console && spanmux config check

Exit codes: 0 it worked, 1 it worked and the answer is no, 2 it could not be done."
)]
pub(crate) struct Args {
    /// Say more on standard error: once for events, twice for details
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Where compiled selectors are kept
    #[command(flatten)]
    pub cache: CacheArgs,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// Arguments of every command that loads selectors.
#[derive(Debug, clap::Args)]
pub(crate) struct CacheArgs {
    /// Where compiled selectors are kept, so that the next start takes milliseconds; without
    /// it in the user's cache directory. What is found there is run: name none that others may
    /// write to
    #[arg(long, global = true, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Compile each selector anew and keep nothing
    #[arg(long, global = true, conflicts_with = "cache_dir")]
    pub no_cache: bool,
}

/// Arguments of every command that takes a directory as a service would.
#[derive(Debug, clap::Args)]
pub(crate) struct LockArgs {
    /// A lock: only the files that it lists go live, with the digests that it lists
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
}

impl LockArgs {
    pub(crate) fn file(&self) -> Option<&Path> {
        self.lock.as_deref()
    }
}

/// One file in `commands/` for each.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play a small AI service and show where each of its traces went, and why
    Demo(DemoArgs),
    /// Ask selectors which tracer receives a trace
    Route(RouteArgs),
    /// Show what a selector does, as the rules that it was seen to follow
    Explain(ExplainArgs),
    /// Check one file: is it a selector, does it fit the limits, what does it cost
    Check(CheckArgs),
    /// List the selectors of a directory in the order in which they are asked
    List(ListArgs),
    /// Write down which selectors may go live, by their digests
    Lock(LockCommandArgs),
    /// Watch a directory, and say what becomes of its selectors
    Watch(WatchArgs),
    /// Begin a selector: a project that builds, tests and routes
    New(NewArgs),
    /// Build the selector in a project's folder
    Build(BuildArgs),
    /// Hold selectors to cases: contexts, and what must be decided
    Test(TestArgs),
    /// Show the traces in files that a file exporter wrote
    Traces(TracesArgs),
    /// Write a configuration to begin with
    Init(InitArgs),
    /// Check a configuration, or print what one may hold
    Config(ConfigArgs),
}

/// Arguments of `spanmux demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  spanmux demo
  spanmux demo --runs 500 --out /tmp/traces
  spanmux demo --selectors my-selectors/ --json")]
pub(crate) struct DemoArgs {
    /// The selectors directory
    #[arg(long, value_name = "DIR", default_value = "selectors")]
    pub selectors: PathBuf,
    /// How many runs of the service to play
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub runs: u32,
    /// Where the trace files are written; files of an earlier demo are replaced
    #[arg(long, value_name = "DIR", default_value = "spanmux-demo")]
    pub out: PathBuf,
    /// Print the summary as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `spanmux route`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  spanmux route selectors/ -c environment=production
  spanmux route 20-tenant.wasm -c tenant=acme --tracers console,tenant-acme
  spanmux route selectors/ -c 'user:={\"id\":7,\"tier\":\"free\"}' -c 'span.name=GET /healthz'
  spanmux route selectors/ -c tenant=acme --explain
  spanmux route selectors/ --contexts contexts.jsonl --json
  spanmux route --config spanmux.toml -c tenant=acme")]
pub(crate) struct RouteArgs {
    /// A selector, or a directory of selectors
    #[arg(value_name = "SELECTORS", required_unless_present = "config")]
    pub selectors: Option<PathBuf>,
    /// What the directory is held to
    #[command(flatten)]
    pub lock: LockArgs,
    /// A configuration, whose selectors are asked for its tracers
    #[arg(long, value_name = "FILE", conflicts_with_all = ["selectors", "lock", "tracers", "fallback"])]
    pub config: Option<PathBuf>,
    /// One entry of the runtime context: KEY=TEXT, or KEY:=JSON for any other type
    #[arg(
        short,
        long = "context",
        value_name = "KEY=VALUE",
        conflicts_with = "contexts"
    )]
    pub context: Vec<String>,
    /// A file with one runtime context on each line, as a JSON object; - for standard input
    #[arg(long, value_name = "FILE.jsonl")]
    pub contexts: Option<PathBuf>,
    /// The available tracers, the default first
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_values_t = ["langfuse".to_owned(), "datadog".to_owned(), "console".to_owned()])]
    pub tracers: Vec<String>,
    /// The tracer that failed decisions go to, in place of the default
    #[arg(long, value_name = "NAME")]
    pub fallback: Option<String>,
    /// Show how each decision went: what each selector asked, was told and answered, and why
    /// nobody else was asked
    #[arg(long, conflicts_with = "config")]
    pub explain: bool,
    /// Print one JSON object on a line for each decision
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `spanmux explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A selector is asked about contexts, and what it asked, was answered and decided is drawn as a
tree. Give your own contexts for counts and shares; without them some are made up.

Examples:
  spanmux explain selectors/50-environment.wasm
  spanmux explain selectors/ --contexts contexts.jsonl
  spanmux explain 20-tenant.wasm --tracers langfuse,tenant-acme --format mermaid
  spanmux explain 20-tenant.wasm --output tenant.svg
  spanmux explain selectors/ --contexts contexts.jsonl --format svg --output pictures/")]
pub(crate) struct ExplainArgs {
    /// A selector, or a directory of selectors, each of which is explained by itself
    #[arg(value_name = "SELECTORS")]
    pub selectors: PathBuf,
    /// What the directory is held to
    #[command(flatten)]
    pub lock: LockArgs,
    /// A file with one runtime context on each line, as a JSON object; - for standard input
    #[arg(long, value_name = "FILE.jsonl")]
    pub contexts: Option<PathBuf>,
    /// The available tracers; without them every name that a selector answers is one
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub tracers: Vec<String>,
    /// How to show it [default: what the ending of --output says, else text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<ExplainFormat>,
    /// Where to write it in place of standard output; for a directory of selectors, a folder
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
}

/// How `spanmux explain` shows a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExplainFormat {
    /// A tree for a terminal
    Text,
    /// One JSON object on one line
    Json,
    /// A chart for Markdown
    Mermaid,
    /// A picture
    Svg,
}

impl ExplainFormat {
    /// The ending of its files.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Json => "json",
            Self::Mermaid => "mmd",
            Self::Svg => "svg",
        }
    }
}

/// Arguments of `spanmux list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// The selectors directory
    #[arg(value_name = "DIR", default_value = "selectors")]
    pub selectors: PathBuf,
    /// What the directory is held to
    #[command(flatten)]
    pub lock: LockArgs,
    /// Print one JSON object on a line for each file
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `spanmux lock`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where a lock is named, only what it lists goes live: in `[selectors]` of a configuration as
`lock = \"FILE\"`, or with --lock. Put new files into the directory first and write the lock then.

Examples:
  spanmux lock selectors/
  spanmux lock selectors/ --out deploy/selectors.lock
  spanmux lock selectors/ --check")]
pub(crate) struct LockCommandArgs {
    /// The selectors directory
    #[arg(value_name = "DIR", default_value = "selectors")]
    pub selectors: PathBuf,
    /// The lock [default: beside the directory, under its name with .lock]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write nothing, and say what is not as the lock says
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `spanmux watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
One line for each change, until Ctrl-C or what is asked for here.

Examples:
  spanmux watch selectors/
  spanmux watch selectors/ --json --until-changes 1")]
pub(crate) struct WatchArgs {
    /// The selectors directory
    #[arg(value_name = "DIR", default_value = "selectors")]
    pub selectors: PathBuf,
    /// What the directory is held to
    #[command(flatten)]
    pub lock: LockArgs,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// End after so many changes, what is there at the start not counted
    #[arg(long, value_name = "N")]
    pub until_changes: Option<u64>,
    /// Print one JSON object on a line for each change
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `spanmux traces`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  spanmux traces spanmux-demo/langfuse.jsonl
  spanmux traces spanmux-demo/*.jsonl --outline --limit 3")]
pub(crate) struct TracesArgs {
    /// Files of OTLP JSON lines; - for standard input
    #[arg(value_name = "FILE.jsonl", required = true)]
    pub files: Vec<PathBuf>,
    /// Show at most this many traces of each file
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Leave attributes and events out
    #[arg(long)]
    pub outline: bool,
}

/// Arguments of `spanmux init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  spanmux init
  spanmux init --exporter langfuse,datadog,console
  spanmux init config/spanmux.toml --exporter otlp --force")]
pub(crate) struct InitArgs {
    /// Where to write it
    #[arg(value_name = "FILE", default_value = "spanmux.toml")]
    pub file: PathBuf,
    /// The kinds of exporters, a tracer for each
    #[arg(
        long,
        value_name = "KINDS",
        value_delimiter = ',',
        default_value = "console"
    )]
    pub exporter: Vec<String>,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `spanmux config`.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    /// What to do with it
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What is done with a configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a file: load it and its selectors, make its tracers, send nothing
    Check(ConfigCheckArgs),
    /// Print the JSON schema of a file, for editors
    Schema,
}

/// Arguments of `spanmux config check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What code provides has stand-ins: tracers that drop their spans, selectors that abstain.
Files of file exporters are opened, and made if they are not there.

Examples:
  spanmux config check
  spanmux config check config/spanmux.json --json")]
pub(crate) struct ConfigCheckArgs {
    /// The configuration, TOML or JSON
    #[arg(value_name = "FILE", default_value = "spanmux.toml")]
    pub file: PathBuf,
    /// Print the findings as one JSON object
    #[arg(long)]
    pub json: bool,
}
