//! The command line arguments and their help texts.

mod author;
mod fleet;

pub(crate) use author::{BuildArgs, CheckArgs, NewArgs, TestArgs};
pub(crate) use fleet::{DiffArgs, DiffFormat};

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use spanmux::AllowedTracers;

/// Route each trace to the right tracer with WebAssembly selectors.
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
  spanmux diff selectors/ candidate/
  spanmux new --lang rust by-environment
  spanmux build by-environment/
  spanmux test by-environment/cases.toml
  spanmux check selectors/50-environment.wasm
  spanmux init --exporter langfuse,console && spanmux config check

Exit codes:
  0  success
  1  negative result, such as an invalid selector, a failed test case or a different decision
  2  the command could not run, such as a wrong argument or a missing file, or its output could
     not be written"
)]
pub(crate) struct Args {
    /// Increase verbosity (-v: events, -vv: details)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// The compile cache
    #[command(flatten)]
    pub cache: CacheArgs,

    /// The command to run
    #[command(subcommand)]
    pub command: Command,
}

/// Arguments of all commands that load selectors.
#[derive(Debug, clap::Args)]
pub(crate) struct CacheArgs {
    /// Directory for compiled selectors, so that the next start takes milliseconds [default: the
    /// user's cache directory, or none for commands that change nothing]. Its contents are
    /// executed; do not use a directory that others can write to
    #[arg(long, global = true, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Compile every selector without reading or writing the cache
    #[arg(long, global = true, conflicts_with = "cache_dir")]
    pub no_cache: bool,
}

impl CacheArgs {
    /// Returns the cache for a command. A command that only looks writes nothing, so it uses a
    /// cache only if one is named.
    pub(crate) fn of(&self, command: &Command) -> Self {
        let unnamed = self.cache_dir.is_none() && command.only_looks();
        Self {
            cache_dir: self.cache_dir.clone(),
            no_cache: self.no_cache || unnamed,
        }
    }
}

/// Arguments of all commands that load a directory as a service does.
#[derive(Debug, clap::Args)]
pub(crate) struct LockArgs {
    /// Lock file; only listed files with matching digests are loaded
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
}

impl LockArgs {
    pub(crate) fn file(&self) -> Option<&Path> {
        self.lock.as_deref()
    }
}

/// Arguments of the commands that run one selector, or several, as a service does.
#[derive(Debug, clap::Args)]
pub(crate) struct AllowArgs {
    /// The tracers that the selector may choose, comma-separated; * stands for any characters
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    pub allow: Vec<String>,
}

impl AllowArgs {
    /// Returns the allow-list, or `None` if there is none.
    pub(crate) fn list(&self) -> anyhow::Result<Option<AllowedTracers>> {
        if self.allow.is_empty() {
            return Ok(None);
        }
        let patterns = self.allow.iter().map(|pattern| pattern.trim());
        let list = AllowedTracers::new(patterns);
        list.map(Some).context("--allow is not valid")
    }
}

/// The commands, each implemented in its own file in `commands/`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a small AI service and show which tracer received each trace and why
    Demo(DemoArgs),
    /// Select the tracer for one or more runtime contexts
    Route(RouteArgs),
    /// Show the observed rules of a selector
    Explain(ExplainArgs),
    /// Compare two policies: which traces get another tracer
    Diff(DiffArgs),
    /// Check that a file is a selector, stays within the limits, and measure its cost
    Check(CheckArgs),
    /// List the selectors of a directory in evaluation order
    List(ListArgs),
    /// Pin the selectors of a directory in a lock file, or verify them
    Lock(LockCommandArgs),
    /// Watch a selectors directory and print each change
    Watch(WatchArgs),
    /// Create a selector project
    New(NewArgs),
    /// Build selector projects
    Build(BuildArgs),
    /// Run test cases against selectors
    Test(TestArgs),
    /// Print the traces in the files of a file exporter
    Traces(TracesArgs),
    /// Write a starter configuration
    Init(InitArgs),
    /// Check a configuration file, or print its JSON schema
    Config(ConfigArgs),
}

impl Command {
    /// Returns `true` for a command that shows something and changes nothing.
    fn only_looks(&self) -> bool {
        match self {
            Self::Route(_) | Self::Explain(_) | Self::Check(_) | Self::List(_) => true,
            Self::Diff(_) | Self::Traces(_) | Self::Config(_) => true,
            Self::Lock(args) => args.check,
            Self::Demo(_) | Self::Watch(_) | Self::New(_) => false,
            Self::Build(_) | Self::Test(_) | Self::Init(_) => false,
        }
    }
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
    /// Number of runs of the service
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub runs: u32,
    /// Folder for the trace files; replaces the files of an earlier demo
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
    /// The lock file of the directory
    #[command(flatten)]
    pub lock: LockArgs,
    /// Use the selectors and tracers of this configuration file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["selectors", "lock", "tracers", "fallback"])]
    pub config: Option<PathBuf>,
    /// One entry of the runtime context: KEY=TEXT for a string, KEY:=JSON for any other type
    #[arg(
        short,
        long = "context",
        value_name = "KEY=VALUE",
        conflicts_with = "contexts"
    )]
    pub context: Vec<String>,
    /// File with one runtime context per line, as a JSON object; - for standard input
    #[arg(long, value_name = "FILE.jsonl")]
    pub contexts: Option<PathBuf>,
    /// The available tracers, comma-separated; the first is the default
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_values_t = ["langfuse".to_owned(), "datadog".to_owned(), "console".to_owned()])]
    pub tracers: Vec<String>,
    /// Tracer for failed decisions [default: the default tracer]
    #[arg(long, value_name = "NAME")]
    pub fallback: Option<String>,
    /// Show the questions, answers and decision of each selector, and why the chain ended
    #[arg(long, conflicts_with = "config")]
    pub explain: bool,
    /// Print each decision as a JSON object on its own line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `spanmux explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The selector runs on a set of contexts. Its questions, the answers and its decisions are shown as
a tree. Pass your own contexts with --contexts to see counts and shares; by default, made-up
contexts are used.

Examples:
  spanmux explain selectors/50-environment.wasm
  spanmux explain selectors/ --contexts contexts.jsonl
  spanmux explain 20-tenant.wasm --tracers langfuse,tenant-acme --format mermaid
  spanmux explain 20-tenant.wasm --allow 'tenant-*,quarantine'
  spanmux explain 20-tenant.wasm --output tenant.svg
  spanmux explain selectors/ --contexts contexts.jsonl --format svg --output pictures/")]
pub(crate) struct ExplainArgs {
    /// A selector, or a directory of selectors to explain one by one
    #[arg(value_name = "SELECTORS")]
    pub selectors: PathBuf,
    /// The lock file of the directory
    #[command(flatten)]
    pub lock: LockArgs,
    /// File with one runtime context per line, as a JSON object; - for standard input
    #[arg(long, value_name = "FILE.jsonl")]
    pub contexts: Option<PathBuf>,
    /// The available tracers, comma-separated [default: every name that the selector chooses]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub tracers: Vec<String>,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Output format [default: by the file extension of --output, otherwise text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<ExplainFormat>,
    /// Write to this file instead of standard output; to a folder for a directory of selectors
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
}

/// The output formats of `spanmux explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExplainFormat {
    /// Tree for a terminal
    Text,
    /// One JSON object on one line
    Json,
    /// Mermaid chart for Markdown
    Mermaid,
    /// SVG picture
    Svg,
}

impl ExplainFormat {
    /// Returns the extension of its files.
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
    /// The lock file of the directory
    #[command(flatten)]
    pub lock: LockArgs,
    /// Print each file as a JSON object on its own line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `spanmux lock`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With a lock file, only the listed selectors with matching digests are loaded. Set it as
`lock = \"FILE\"` under `[selectors]` in a configuration, or with --lock. Add new files to the
directory first, then write the lock file.

With --config, the tracers that a selector may choose (`[selectors.\"20-tenant.wasm\"]`) become
part of the lock file and apply wherever it is used. Without it, those of an existing lock file are
kept.

Examples:
  spanmux lock selectors/
  spanmux lock selectors/ --out deploy/selectors.lock
  spanmux lock selectors/ --config spanmux.toml
  spanmux lock selectors/ --check")]
pub(crate) struct LockCommandArgs {
    /// The selectors directory
    #[arg(value_name = "DIR", default_value = "selectors")]
    pub selectors: PathBuf,
    /// The lock file [default: the path of the directory with .lock appended]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The configuration whose allow-lists become part of the lock file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Write nothing; print every difference from the lock file and exit with 1 if there is one
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `spanmux watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints one line for each change, until Ctrl-C or the given limit.

Examples:
  spanmux watch selectors/
  spanmux watch selectors/ --json --until-changes 1")]
pub(crate) struct WatchArgs {
    /// The selectors directory
    #[arg(value_name = "DIR", default_value = "selectors")]
    pub selectors: PathBuf,
    /// The lock file of the directory
    #[command(flatten)]
    pub lock: LockArgs,
    /// Exit after this many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// Exit after this many changes, not counting the initial state
    #[arg(long, value_name = "N")]
    pub until_changes: Option<u64>,
    /// Print each change as a JSON object on its own line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `spanmux traces`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A line that is not a trace request, such as a torn one, is skipped and named on standard error. The
exit code is 1 if no trace was found.

Examples:
  spanmux traces spanmux-demo/langfuse.jsonl
  spanmux traces spanmux-demo/*.jsonl --outline --limit 3")]
pub(crate) struct TracesArgs {
    /// OTLP JSON files of a file exporter, the Collector or another program; - for standard input
    #[arg(value_name = "FILE.jsonl", required = true)]
    pub files: Vec<PathBuf>,
    /// Maximum number of traces to show from each file
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Omit attributes and events
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
    /// The file to write
    #[arg(value_name = "FILE", default_value = "spanmux.toml")]
    pub file: PathBuf,
    /// Exporter kinds, comma-separated; creates one tracer for each
    #[arg(
        long,
        value_name = "KINDS",
        value_delimiter = ',',
        default_value = "console"
    )]
    pub exporter: Vec<String>,
    /// Overwrite an existing file
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `spanmux config`.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    /// The subcommand to run
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// The subcommands of `spanmux config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration file, its selectors and its tracers without sending anything
    Check(ConfigCheckArgs),
    /// Print the JSON schema of configuration files, for use in editors
    Schema,
}

/// Arguments of `spanmux config check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Tracers and selectors that a service provides in code are replaced: tracers drop their spans,
selectors abstain. Nothing is sent, created or changed: the check opens no file of a file exporter
for writing and no disk buffer, so it also works while the service runs.

Examples:
  spanmux config check
  spanmux config check config/spanmux.json --json")]
pub(crate) struct ConfigCheckArgs {
    /// The configuration file, in TOML or JSON
    #[arg(value_name = "FILE", default_value = "spanmux.toml")]
    pub file: PathBuf,
    /// Print the findings as one JSON object
    #[arg(long)]
    pub json: bool,
}
