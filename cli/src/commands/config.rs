//! `spanmux config`: checks and summarizes a configuration, and prints the schema.

use anyhow::Result;
use serde_json::{Value, json};
use spanmux::config::{Config, ConfigBuildError, ConfigError, LoadedSelectors, Problem};
use spanmux::config::{ExporterSummary, TracerSummary};

use super::{allowed, lists, short, warn};
use crate::Verdict;
use crate::args::{CacheArgs, ConfigArgs, ConfigCheckArgs, ConfigCommand};
use crate::configured::with_stand_ins;
use crate::printer::Printer;

/// Runs a subcommand of `spanmux config`.
pub(crate) fn run(args: &ConfigArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    match &args.command {
        ConfigCommand::Check(args) => check(args, cache, printer),
        ConfigCommand::Schema => {
            printer.block(Config::schema().trim_end());
            Ok(Verdict::Yes)
        }
    }
}

/// Checks one file. Returns [`Verdict::No`] if the file has mistakes or a selector fails to
/// load.
fn check(args: &ConfigCheckArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let config = match Config::from_file(&args.file) {
        Ok(config) => config,
        Err(ConfigError::Invalid(problems)) => return Ok(wrong(args, &problems, printer)),
        Err(error) => return Err(error.into()),
    };
    let warnings = config.warnings().to_vec();
    let summary = Summary {
        tracers: config.tracers(),
        default: config.default_tracer().map(str::to_owned),
        fallback: config.fallback_tracer().map(str::to_owned),
        natives: config.native_selectors().to_vec(),
    };
    let builder = with_stand_ins(config, cache);
    let selectors = match builder.load_selectors() {
        Ok(selectors) => selectors,
        Err(ConfigBuildError::Invalid(problems)) => return Ok(wrong(args, &problems, printer)),
        Err(error) => return Err(error.into()),
    };
    let rows = summary.selectors(&selectors);
    let files = selectors.report.as_ref();
    let all_loaded = files.is_none_or(|report| report.failed().next().is_none());
    for file in files.map_or(&[][..], |report| report.files()) {
        warn(file, printer);
    }
    match builder.check_with(selectors) {
        Err(ConfigBuildError::Invalid(problems)) => return Ok(wrong(args, &problems, printer)),
        checked => checked?,
    }

    if args.json {
        printer.json(&json!({
            "file": args.file,
            "valid": true,
            "tracers": summary.tracers.iter().map(|tracer| summary.json(tracer)).collect::<Vec<_>>(),
            "selectors": rows.iter().map(SelectorRow::json).collect::<Vec<_>>(),
            "warnings": warnings.iter().map(problem).collect::<Vec<_>>(),
        }));
        return Ok(all_loaded.into());
    }
    warnings.iter().for_each(|warning| printer.warning(warning));
    summary.print(&rows, printer);
    Ok(all_loaded.into())
}

/// Prints the problems.
fn wrong(args: &ConfigCheckArgs, problems: &[Problem], printer: &Printer) -> Verdict {
    if args.json {
        let problems: Vec<Value> = problems.iter().map(problem).collect();
        printer.json(&json!({"file": args.file, "valid": false, "problems": problems}));
    } else {
        problems.iter().for_each(|problem| printer.line(problem));
    }
    Verdict::No
}

fn problem(problem: &Problem) -> Value {
    json!({
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "key": problem.key,
        "message": problem.message,
    })
}

fn owned(lists: Vec<Vec<&str>>) -> Vec<Vec<String>> {
    let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
    lists.into_iter().map(owned).collect()
}

/// A summary of a configuration.
struct Summary {
    tracers: Vec<TracerSummary>,
    default: Option<String>,
    fallback: Option<String>,
    natives: Vec<String>,
}

/// A selector and its position in the chain.
struct SelectorRow {
    name: String,
    digest: Option<String>,
    state: &'static str,
    /// The allow-lists as text and as patterns.
    allowed: String,
    lists: Option<Vec<Vec<String>>>,
}

impl SelectorRow {
    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "digest": self.digest,
            "state": self.state,
            "tracers": self.lists,
        })
    }
}

impl Summary {
    fn selectors(&self, selectors: &LoadedSelectors) -> Vec<SelectorRow> {
        let row = |selector: &std::sync::Arc<dyn spanmux::Selector>| {
            let name = selector.name().to_owned();
            let state = match (self.natives.contains(&name), selector.digest()) {
                (true, _) => "native",
                (false, Some(_)) => "live",
                (false, None) => "unavailable",
            };
            SelectorRow {
                digest: selector.digest().map(str::to_owned),
                name,
                state,
                allowed: allowed(selector.allowed_tracers()),
                lists: lists(selector.allowed_tracers()).map(owned),
            }
        };
        selectors.chain.selectors().map(row).collect()
    }

    fn json(&self, tracer: &TracerSummary) -> Value {
        let exporter = |exporter: &ExporterSummary| {
            json!({
                "name": exporter.name,
                "kind": exporter.kind,
                "target": exporter.target,
                "content": exporter.content,
                "sampling": exporter.share,
            })
        };
        json!({
            "name": tracer.name,
            "service": tracer.service,
            "provided": tracer.is_provided(),
            "exporters": tracer.exporters.iter().map(exporter).collect::<Vec<_>>(),
            "sampling": tracer.sampling,
            "default": self.default.as_ref() == Some(&tracer.name),
            "fallback": self.fallback.as_ref() == Some(&tracer.name),
        })
    }

    fn print(&self, selectors: &[SelectorRow], printer: &Printer) {
        let rows = self.tracers.iter().map(|tracer| self.row(tracer));
        printer.table(
            &["tracer", "service", "exporter", "endpoint", "sampling", ""],
            rows,
        );
        if !selectors.is_empty() {
            let restricts = selectors.iter().any(|row| row.lists.is_some());
            let rows = selectors.iter().zip(1..).map(|(row, place)| {
                let digest = short(row.digest.as_deref());
                let mut cells = vec![
                    place.to_string(),
                    row.name.clone(),
                    digest,
                    row.state.to_owned(),
                ];
                cells.extend(restricts.then(|| row.allowed.clone()));
                cells
            });
            let mut columns = vec!["order", "selector", "digest", "state"];
            columns.extend(restricts.then_some("may choose"));
            printer.table(&columns, rows);
        }
    }

    fn row(&self, tracer: &TracerSummary) -> Vec<String> {
        let column = |of: fn(&ExporterSummary) -> String| {
            let lines: Vec<String> = tracer.exporters.iter().map(of).collect();
            lines.join("\n")
        };
        let is = |named: &Option<String>| named.as_ref() == Some(&tracer.name);
        let roles = [
            ("default", is(&self.default)),
            ("fallback", is(&self.fallback)),
        ];
        let roles = roles.iter().filter(|(_, is)| *is).map(|(role, _)| *role);
        let nothing = || "-".to_owned();
        vec![
            tracer.name.clone(),
            tracer.service.clone().unwrap_or_else(nothing),
            if tracer.is_provided() {
                "provided by code".to_owned()
            } else {
                column(destination)
            },
            column(|exporter| exporter.target.clone().unwrap_or_else(|| "-".to_owned())),
            tracer.sampling.clone().unwrap_or_else(nothing),
            roles.collect::<Vec<_>>().join(", "),
        ]
    }
}

/// Formats the name and the type of an exporter, and its settings unless they are the defaults.
fn destination(exporter: &ExporterSummary) -> String {
    let mut text = match &exporter.name {
        Some(name) => format!("{name} ({})", exporter.kind),
        None => exporter.kind.to_owned(),
    };
    if !exporter.content {
        text.push_str(", no content");
    }
    if exporter.share < 1.0 {
        text.push_str(&format!(", ratio {}", exporter.share));
    }
    text
}
