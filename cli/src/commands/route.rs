//! `spanway route`: decisions for given contexts, with their reasons.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use spanway::config::Config;
use spanway::{Chain, LoadError, LoadedFile, Origin, Selection, TracerRegistry};

use super::{host, load_directory, warn};
use crate::Verdict;
use crate::args::{CacheArgs, RouteArgs};
use crate::configured::with_stand_ins;
use crate::contexts::{self, Given};
use crate::printer::Printer;

/// Routes each context. The verdict is no if a selector could not be loaded.
pub(crate) fn run(args: &RouteArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let given = match &args.contexts {
        Some(file) => contexts::from_file(file)?,
        None => vec![contexts::from_entries(&args.context)?],
    };
    let (registry, all_loaded) = registry(args, cache, printer)?;

    if args.json {
        for given in &given {
            let selection = registry.select(&given.context.view());
            printer.json(&Line::of(&selection, given));
        }
    } else {
        let rows = given.iter().map(|given| {
            let selection = registry.select(&given.context.view());
            row(&selection, given)
        });
        printer.table(&["context", "tracer", "decided by", "why", "cost"], rows);
    }
    Ok(all_loaded.into())
}

/// Tracers and selectors, from a configuration or from the arguments, and whether all
/// selectors could be loaded.
fn registry(
    args: &RouteArgs,
    cache: &CacheArgs,
    printer: &Printer,
) -> Result<(TracerRegistry<()>, bool)> {
    match (&args.config, &args.selectors) {
        (Some(file), _) => configured(file, cache, printer),
        (None, Some(path)) => {
            let registry = named(args)?;
            let (chain, all_loaded) = chain(path, cache, printer)?;
            registry.set_selectors(chain);
            Ok((registry, all_loaded))
        }
        (None, None) => bail!("name selectors, or a configuration with --config"),
    }
}

fn configured(
    file: &Path,
    cache: &CacheArgs,
    printer: &Printer,
) -> Result<(TracerRegistry<()>, bool)> {
    let config = Config::from_file(file)?;
    for name in config.native_selectors() {
        printer.warning(format_args!("{name} is native and abstains here"));
    }
    let registry = TracerRegistry::new();
    let default = config.default_tracer().map(str::to_owned);
    let fallback = config.fallback_tracer().map(str::to_owned);
    for tracer in config.tracers() {
        match default.as_ref() == Some(&tracer.name) {
            true => registry.register_default(tracer.name, ()),
            false => registry.register(tracer.name, ()),
        }?;
    }
    registry.set_fallback(fallback.as_deref())?;
    let selectors = with_stand_ins(config, cache).load_selectors()?;
    let files = selectors
        .report
        .as_ref()
        .map_or(&[][..], |report| report.files());
    files.iter().for_each(|file| warn(file, printer));
    registry.set_selectors(selectors.chain);
    Ok((registry, files.iter().all(|file| file.outcome.is_ok())))
}

fn named(args: &RouteArgs) -> Result<TracerRegistry<()>> {
    let registry = TracerRegistry::new();
    for name in &args.tracers {
        registry.register(name.trim(), ()).context("in --tracers")?;
    }
    registry
        .set_fallback(args.fallback.as_deref())
        .context("in --fallback")?;
    Ok(registry)
}

/// The chain of a directory, or of one file.
fn chain(path: &Path, cache: &CacheArgs, printer: &Printer) -> Result<(Chain, bool)> {
    if path.is_dir() {
        let report = load_directory(path, cache, printer)?;
        return Ok((report.chain(), report.failed().next().is_none()));
    }
    let file = LoadedFile {
        path: path.to_owned(),
        outcome: host(cache, printer)?.load_file(path),
    };
    if let Err(LoadError::Read(error)) = file.outcome {
        return Err(error).with_context(|| {
            format!(
                "{} cannot be read; name a selector or a directory of selectors",
                path.display()
            )
        });
    }
    warn(&file, printer);
    Ok((Chain::new([file.selector()]), file.outcome.is_ok()))
}

fn row(selection: &Selection<()>, given: &Given) -> Vec<String> {
    let cost = match selection.origin() {
        Origin::Run(cost) => {
            format!(
                "{:.0} µs, {} fuel",
                cost.took.as_secs_f64() * 1e6,
                cost.fuel
            )
        }
        Origin::Learned => "learned".to_owned(),
        _ => "-".to_owned(),
    };
    let why = selection
        .fallback()
        .map_or("chosen".to_owned(), ToString::to_string);
    vec![
        entries(&given.json),
        selection.tracer_name().unwrap_or("-").to_owned(),
        selection.selector_name().unwrap_or("-").to_owned(),
        why,
        cost,
    ]
}

/// A context as it would be typed.
fn entries(json: &serde_json::Value) -> String {
    let Some(object) = json.as_object() else {
        return json.to_string();
    };
    if object.is_empty() {
        return "(empty)".to_owned();
    }
    let entry = |(key, value): (&String, &serde_json::Value)| match value.as_str() {
        Some(text) => format!("{key}={text}"),
        None => format!("{key}:={value}"),
    };
    object.iter().map(entry).collect::<Vec<_>>().join(" ")
}

/// One decision as a program reads it: the shape of a line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    /// The tracer that receives the trace.
    tracer: Option<&'a str>,
    /// The selector that decided; none if all abstained.
    selector: Option<&'a str>,
    digest: Option<&'a str>,
    /// Why it was not chosen, in one word; none if it was.
    fallback: Option<&'static str>,
    /// The same for a person.
    reason: Option<String>,
    /// Whether it was known from the decisions before, so that no selector ran.
    learned: bool,
    /// What running the selectors took.
    took_us: Option<f64>,
    fuel: Option<u64>,
    /// The context as it was given.
    context: &'a serde_json::Value,
}

impl<'a> Line<'a> {
    fn of(selection: &'a Selection<()>, given: &'a Given) -> Self {
        let cost = match selection.origin() {
            Origin::Run(cost) => Some(cost),
            _ => None,
        };
        Self {
            tracer: selection.tracer_name(),
            selector: selection.selector_name(),
            digest: selection.selector().and_then(|selector| selector.digest()),
            fallback: selection.fallback().map(|why| why.kind().as_str()),
            reason: selection.fallback().map(ToString::to_string),
            learned: selection.origin() == Origin::Learned,
            took_us: cost.map(|cost| cost.took.as_secs_f64() * 1e6),
            fuel: cost.map(|cost| cost.fuel),
            context: &given.json,
        }
    }
}
