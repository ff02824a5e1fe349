//! Arguments of the commands for authors of selectors.

use std::path::PathBuf;

/// Arguments of `spanmux check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Fuel, sizes and answers are the same on every machine. Times are those of this machine, now.

Examples:
  spanmux check selectors/50-environment.wasm
  spanmux check by-environment.wasm --cases cases.toml
  spanmux check target/wasm32-wasip2/release/mine.wasm --json")]
pub(crate) struct CheckArgs {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    pub file: PathBuf,
    /// Decide these cases too, and say what each costs; see `spanmux test --help`
    #[arg(long, value_name = "CASES.toml")]
    pub cases: Option<PathBuf>,
    /// Print the findings as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `spanmux new`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The project builds with its language's own tools, has a test, and routes when its .wasm file is
dropped into a selectors directory. `--list` shows the languages, what each needs, and whether
that is installed here.

Examples:
  spanmux new --list
  spanmux new --lang rust by-environment
  cd by-environment && spanmux build && spanmux test")]
pub(crate) struct NewArgs {
    /// The language to write in
    #[arg(short, long, value_name = "LANG", required_unless_present = "list")]
    pub lang: Option<String>,
    /// The selector's name: a folder of this name is made
    #[arg(value_name = "NAME", required_unless_present = "list")]
    pub name: Option<PathBuf>,
    /// List the languages, with what each needs installed
    #[arg(long, conflicts_with_all = ["lang", "name"])]
    pub list: bool,
}

/// Arguments of `spanmux build`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is run stands in the project's selector.toml, as ordinary commands; a Rust crate needs none.
What they leave is made a component, if it is not one yet. Like make, this runs what the project
says, so build none that you would not run.

The selector is written to --output, or where the project says (`output` under [build] in its
selector.toml, or under [package.metadata.spanmux] in its Cargo.toml), or into its folder.

Examples:
  spanmux build
  spanmux build my-selector/ --output selectors/30-mine.wasm
  spanmux build selectors/*/
  spanmux build my-selector/ -- --locked")]
pub(crate) struct BuildArgs {
    /// Folders of selector projects
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub folders: Vec<PathBuf>,
    /// Where to write the selector; for one folder
    #[arg(short, long, value_name = "FILE.wasm")]
    pub output: Option<PathBuf>,
    /// The target to build a Rust crate for: wasm32-unknown-unknown or wasm32-wasip2
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Arguments for `cargo build`, after --
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    pub cargo: Vec<String>,
}

/// Arguments of `spanmux test`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Cases are TOML. A case names the tracer that must be chosen, or the cause for which none is
(abstained, failed, unknown_tracer, trapped, out_of_budget), or both: where the trace ends then.

  tracers = [\"langfuse\", \"console\"]    # the default first
  fallback = \"console\"                 # where failed decisions go; else the default

  [[case]]
  name = \"a paying user goes to langfuse\"
  context = { user.tier = \"pro\", \"span.name\" = \"chat\" }
  tracer = \"langfuse\"

  [[case]]
  name = \"an empty tier is an error\"
  context = '{\"user\": {\"tier\": \"\", \"id\": null}}'   # JSON, for what TOML has not: null
  cause = \"failed\"
  reason = \"is empty\"                   # a part of the reason
  selector = \"40-tier-region\"           # who decided

  [[case]]
  name = \"nobody there knows the tier\"
  context = {}
  cause = \"abstained\"
  tracers = [\"console\"]                # other tracers for this case

Each file is tested by itself, a directory as the chain that it is in production; without either,
the directory that the cases lie in. What no case reached is listed: tracers, and branches that
were found by exploring as `spanmux explain` does.

Examples:
  spanmux test
  spanmux test cases.toml by-environment.wasm --watch
  spanmux test selectors/cases.toml selectors/
  spanmux test cases.toml mine-in-rust.wasm mine-in-python.wasm --junit report.xml")]
pub(crate) struct TestArgs {
    /// The cases
    #[arg(value_name = "CASES", default_value = "cases.toml")]
    pub cases: PathBuf,
    /// Selectors, or directories of selectors
    #[arg(value_name = "SELECTORS")]
    pub selectors: Vec<PathBuf>,
    /// Run again whenever the cases or a selector change, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Write a report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Print one JSON object on a line for each of SELECTORS
    #[arg(long)]
    pub json: bool,
}
