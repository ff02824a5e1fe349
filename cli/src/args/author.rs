//! Arguments of the commands for selector authors.

use std::path::PathBuf;

use super::AllowArgs;

/// Arguments of `spanmux check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Fuel, sizes and decisions are the same on every machine. Times are measured on this machine.

Examples:
  spanmux check selectors/50-environment.wasm
  spanmux check by-environment.wasm --cases cases.toml
  spanmux check 20-tenant.wasm --allow 'tenant-*,quarantine'
  spanmux check target/wasm32-wasip2/release/mine.wasm --json")]
pub(crate) struct CheckArgs {
    /// The component to check
    #[arg(value_name = "FILE.wasm")]
    pub file: PathBuf,
    /// Also measure the cost of each of these test cases; see `spanmux test --help`
    #[arg(long, value_name = "CASES.toml")]
    pub cases: Option<PathBuf>,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Print the findings as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `spanmux new`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The project builds with the usual tools of its language and contains a test. Copy its .wasm file
into a selectors directory to deploy it. --list shows the languages, the tools that each one
requires, and whether they are installed.

Examples:
  spanmux new --list
  spanmux new --lang rust by-environment
  cd by-environment && spanmux build && spanmux test")]
pub(crate) struct NewArgs {
    /// The programming language
    #[arg(short, long, value_name = "LANG", required_unless_present = "list")]
    pub lang: Option<String>,
    /// Name of the selector and of the folder to create
    #[arg(value_name = "NAME", required_unless_present = "list")]
    pub name: Option<PathBuf>,
    /// List the languages and the tools that each one requires
    #[arg(long, conflicts_with_all = ["lang", "name"])]
    pub list: bool,
}

/// Arguments of `spanmux build`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The build commands are defined in the project's selector.toml; a Rust crate does not need one.
Their output is converted to a component unless it already is one. Like make, this executes the
commands of the project: do not build projects that you do not trust.

The selector is written to --output, or to the path set in the project (`output` under [build] in
selector.toml, or under [package.metadata.spanmux] in Cargo.toml), or into the project's folder.

Examples:
  spanmux build
  spanmux build my-selector/ --output selectors/30-mine.wasm
  spanmux build selectors/*/
  spanmux build my-selector/ -- --locked")]
pub(crate) struct BuildArgs {
    /// Folders of the selector projects
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub folders: Vec<PathBuf>,
    /// The file to write; requires a single folder
    #[arg(short, long, value_name = "FILE.wasm")]
    pub output: Option<PathBuf>,
    /// Target of a Rust crate: wasm32-unknown-unknown [default] or wasm32-wasip2
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Further arguments for `cargo build`
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    pub cargo: Vec<String>,
}

/// Arguments of `spanmux test`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Test cases are written in TOML. A case sets the expected tracer; or the cause for which no tracer
is chosen (abstained, failed, unknown_tracer, trapped, out_of_budget); or both, to also check
which tracer then receives the trace.

  tracers = [\"langfuse\", \"console\"]    # the first is the default
  fallback = \"console\"                 # tracer for failed decisions

  [[case]]
  name = \"a paying user goes to langfuse\"
  context = { user.tier = \"pro\", \"span.name\" = \"chat\" }
  tracer = \"langfuse\"

  [[case]]
  name = \"an empty tier is an error\"
  context = '{\"user\": {\"tier\": \"\", \"id\": null}}'   # JSON, because TOML has no null
  cause = \"failed\"
  reason = \"is empty\"                   # part of the reason
  selector = \"40-tier-region\"           # the selector that decided

  [[case]]
  name = \"a context without a tier abstains\"
  context = {}
  cause = \"abstained\"
  tracers = [\"console\"]                # other tracers for this case

Each file is tested on its own, and a directory as a chain, as in production. Without SELECTORS,
the directory of the test cases is tested. The report lists tracers and branches that no case
reaches; branches are discovered as in `spanmux explain`.

Examples:
  spanmux test
  spanmux test cases.toml by-environment.wasm --watch
  spanmux test selectors/cases.toml selectors/
  spanmux test cases.toml mine-in-rust.wasm mine-in-python.wasm --junit report.xml")]
pub(crate) struct TestArgs {
    /// File with the test cases
    #[arg(value_name = "CASES", default_value = "cases.toml")]
    pub cases: PathBuf,
    /// Selectors or directories of selectors [default: the directory of CASES]
    #[arg(value_name = "SELECTORS")]
    pub selectors: Vec<PathBuf>,
    /// Run again after every change of the cases or a selector, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Write a JUnit XML report
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Print the result for each of SELECTORS as a JSON object on its own line
    #[arg(long)]
    pub json: bool,
}
