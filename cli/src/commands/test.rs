//! `spanmux test`: runs test cases against selectors on the production engine.

mod junit;
mod report;
mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use spanmux::{ContextView, LoadedFile, Origin, TracerNames, TracerRegistry};

use super::Loaded;
use crate::Verdict;
use crate::args::{CacheArgs, TestArgs};
use crate::cases::{Case, Cases, Difference, Got};
use crate::coverage::Coverage;
use crate::printer::Printer;
use crate::transcript::{Asked, ask};

/// Runs all cases. Returns [`Verdict::No`] if one fails.
pub(crate) fn run(args: &TestArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    if args.watch {
        watch::run(args, printer, || once(args, cache, printer))
    } else {
        once(args, cache, printer)
    }
}

fn once(args: &TestArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let cases = Cases::read(&args.cases)?;
    let runs = subjects(args).into_iter();
    let runs = runs.map(|path| {
        let loaded = Loaded::from_path(&path, None, cache, printer)?;
        run_cases(&path, loaded.files(), loaded.chain(), &cases)
    });
    let runs: Vec<Run<'_>> = runs.collect::<Result<_>>()?;
    for run in &runs {
        if args.json {
            printer.json(&report::json(run))
        } else {
            report::print(run, &args.cases, printer)
        }
    }
    if let Some(file) = &args.junit {
        junit::write(file, &args.cases, &runs)?;
    }
    Ok(runs.iter().all(|run| run.failed() == 0).into())
}

/// Returns the selectors to test, by default the directory of the cases.
fn subjects(args: &TestArgs) -> Vec<PathBuf> {
    if !args.selectors.is_empty() {
        return args.selectors.clone();
    }
    let folder = args
        .cases
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    vec![folder.unwrap_or(Path::new(".")).to_owned()]
}

/// The results of all cases for one selector or directory.
struct Run<'a> {
    path: PathBuf,
    /// The tested file, or the directory if it contains several.
    title: PathBuf,
    results: Vec<CaseRun<'a>>,
    coverage: Vec<Coverage>,
    /// The tracers of the case file that no case chose.
    unchosen: Vec<&'a str>,
}

impl Run<'_> {
    fn failed(&self) -> usize {
        let results = self.results.iter();
        results
            .filter(|result| !result.differences.is_empty())
            .count()
    }
}

/// The result of one case.
struct CaseRun<'a> {
    case: &'a Case,
    got: Got,
    /// Empty if the case passed.
    differences: Vec<Difference>,
    asked: Vec<Asked>,
    /// The available tracers.
    tracers: TracerNames,
    fuel: Option<u64>,
    took: Duration,
}

fn run_cases<'a>(
    path: &Path,
    files: &[LoadedFile],
    chain: spanmux::Chain,
    cases: &'a Cases,
) -> Result<Run<'a>> {
    let registry = registry(&cases.tracers, cases)?;
    registry.set_selectors(chain.clone());
    let mut results = Vec::new();
    for case in &cases.cases {
        results.push(match &case.tracers {
            Some(tracers) => {
                let registry = self::registry(tracers, cases)?;
                registry.set_selectors(chain.clone());
                run_case(case, files, &registry, tracers)
            }
            None => run_case(case, files, &registry, &cases.tracers),
        });
    }
    let chosen = |name: &&str| {
        results
            .iter()
            .any(|result| result.got.cause.is_none() && result.got.tracer.as_deref() == Some(*name))
    };
    let names = cases.tracers.iter().map(String::as_str);
    Ok(Run {
        path: path.to_owned(),
        title: match files {
            [file] => file.path.clone(),
            _ => path.to_owned(),
        },
        unchosen: names.filter(|name| !chosen(name)).collect(),
        coverage: coverage(
            files,
            &results,
            &TracerNames::new(cases.tracers.iter().cloned()),
        )?,
        results,
    })
}

fn registry(tracers: &[String], cases: &Cases) -> Result<TracerRegistry<()>> {
    let registry = TracerRegistry::new();
    for name in tracers {
        registry.register(name, ()).context("in `tracers`")?;
    }
    let fallback = cases.fallback.as_deref();
    let there = fallback.filter(|name| tracers.iter().any(|tracer| tracer == name));
    registry.set_fallback(there).context("in `fallback`")?;
    Ok(registry)
}

fn run_case<'a>(
    case: &'a Case,
    files: &[LoadedFile],
    registry: &TracerRegistry<()>,
    tracers: &[String],
) -> CaseRun<'a> {
    let view = case.context.view();
    let selection = registry.select(&view);
    let got = Got::of(&selection);
    let (fuel, took) = match selection.origin() {
        Origin::Run(cost) => (Some(cost.fuel), cost.took),
        _ => (None, Duration::ZERO),
    };
    let tracers = TracerNames::new(tracers.iter().cloned());
    CaseRun {
        differences: case.expected.differences(&got),
        asked: ask(files, &view, &tracers),
        case,
        got,
        tracers,
        fuel,
        took,
    }
}

/// Computes the coverage of each selector by the cases that reached it.
fn coverage(
    files: &[LoadedFile],
    results: &[CaseRun<'_>],
    tracers: &TracerNames,
) -> Result<Vec<Coverage>> {
    let words = words(results.iter().map(|result| &result.case.json));
    let mut coverage = Vec::new();
    for (place, file) in files.iter().enumerate() {
        let Ok(selector) = &file.outcome else {
            continue;
        };
        let came = |result: &&CaseRun<'_>| result.asked.iter().any(|asked| asked.place == place);
        let views = results
            .iter()
            .filter(came)
            .map(|result| result.case.context.view());
        let views: Vec<ContextView<'_>> = views.collect();
        coverage.push(Coverage::of(selector, file, &views, &words, tracers)?);
    }
    Ok(coverage)
}

/// Returns the distinct strings in these values.
fn words<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let mut words = BTreeSet::new();
    let mut left: Vec<&Value> = values.collect();
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) => drop(words.insert(text.clone())),
            Value::Array(array) => left.extend(array),
            Value::Object(object) => left.extend(object.values()),
            _ => {}
        }
    }
    words.into_iter().collect()
}
