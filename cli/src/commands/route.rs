//! `spanmux route`: selects a tracer for each context and prints the reason.

mod explained;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use spanmux::config::Config;
use spanmux::{Origin, Reason, Selection, TracerNames, TracerRegistry};

use super::{Loaded, entries, warn};
use crate::Verdict;
use crate::args::{CacheArgs, RouteArgs};
use crate::configured::with_stand_ins;
use crate::contexts::{self, Given};
use crate::printer::Printer;
use crate::transcript::ask;

/// Routes each context. Returns [`Verdict::No`] if a selector could not be loaded.
pub(crate) fn run(args: &RouteArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let given = match &args.contexts {
        Some(file) => contexts::from_file(file)?,
        None => vec![contexts::from_entries(&args.context)?],
    };
    let (registry, loaded) = asked_of(args, cache, printer)?;
    let files = loaded.as_ref().map_or(&[][..], Loaded::files);

    let names = TracerNames::new(args.tracers.iter().map(|name| name.trim()));
    let decisions = given.iter().map(|given| {
        let view = given.context.view();
        let selection = registry.select(&view);
        // Runs after the selection, which must see the decision cache unchanged.
        let asked = if args.explain {
            ask(files, &view, &names)
        } else {
            Vec::new()
        };
        (given, selection, asked)
    });
    if args.json {
        for (given, selection, asked) in decisions {
            let asked = args.explain.then(|| explained::json(&asked, &names));
            printer.json(&Line::of(&selection, given, asked));
        }
    } else if args.explain {
        for (given, selection, asked) in decisions {
            printer.heading(entries(&given.json));
            explained::print(&asked, &names, printer);
            explained::print_end(&selection, files, &asked, printer);
        }
    } else {
        let rows = decisions.map(|(given, selection, _)| row(&selection, given));
        printer.table(&["context", "tracer", "selector", "reason", "cost"], rows);
    }
    Ok(files.iter().all(|file| file.outcome.is_ok()).into())
}

/// Returns the tracers with their selectors, from a configuration or from the arguments, and the
/// loaded selector files.
fn asked_of(
    args: &RouteArgs,
    cache: &CacheArgs,
    printer: &Printer,
) -> Result<(TracerRegistry<()>, Option<Loaded>)> {
    match (&args.config, &args.selectors) {
        (Some(file), _) => configured(file, cache, printer),
        (None, Some(path)) => {
            let registry = named(args)?;
            let loaded = Loaded::from_path(path, args.lock.file(), cache, printer)?;
            registry.set_selectors(loaded.chain());
            Ok((registry, Some(loaded)))
        }
        (None, None) => bail!("pass selectors, or a configuration with --config"),
    }
}

fn configured(
    file: &Path,
    cache: &CacheArgs,
    printer: &Printer,
) -> Result<(TracerRegistry<()>, Option<Loaded>)> {
    let config = Config::from_file(file)?;
    for name in config.native_selectors() {
        printer.warning(format_args!(
            "{name} is a native selector and abstains here"
        ));
    }
    let registry = TracerRegistry::new();
    let default = config.default_tracer().map(str::to_owned);
    let fallback = config.fallback_tracer().map(str::to_owned);
    for tracer in config.tracers() {
        if default.as_ref() == Some(&tracer.name) {
            registry.register_default(tracer.name, ())
        } else {
            registry.register(tracer.name, ())
        }?;
    }
    registry.set_fallback(fallback.as_deref())?;
    let selectors = with_stand_ins(config, cache).load_selectors()?;
    let loaded = selectors.report.map(Loaded::Directory);
    let files = loaded.as_ref().map_or(&[][..], Loaded::files);
    files.iter().for_each(|file| warn(file, printer));
    registry.set_selectors(selectors.chain);
    Ok((registry, loaded))
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

fn row(selection: &Selection<()>, given: &Given) -> Vec<String> {
    let cost = match selection.origin() {
        Origin::Run(cost) => {
            format!(
                "{:.0} µs, {} fuel",
                cost.took.as_secs_f64() * 1e6,
                cost.fuel
            )
        }
        Origin::Cached => "cached".to_owned(),
        _ => "-".to_owned(),
    };
    let why = match selection.reason() {
        Reason::Chosen => "chosen".to_owned(),
        reason => reason.to_string(),
    };
    vec![
        entries(&given.json),
        selection.tracer_name().unwrap_or("-").to_owned(),
        selection.selector_name().unwrap_or("-").to_owned(),
        why,
        cost,
    ]
}

/// One decision, as printed on a line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    /// The tracer that receives the trace.
    tracer: Option<&'a str>,
    /// The selector that decided, or `None` if all abstained.
    selector: Option<&'a str>,
    digest: Option<&'a str>,
    /// The fallback cause in one word, or `None` if a selector chose the tracer.
    fallback: Option<&'static str>,
    /// The fallback cause as a sentence.
    reason: Option<String>,
    /// `true` if the decision came from the cache and no selector ran.
    cached: bool,
    /// The run time of the selectors.
    took_us: Option<f64>,
    fuel: Option<u64>,
    /// The context as given by the user.
    context: &'a serde_json::Value,
    /// The questions, answers and decision of each selector.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<serde_json::Value>,
}

impl<'a> Line<'a> {
    fn of(
        selection: &'a Selection<()>,
        given: &'a Given,
        asked: Option<serde_json::Value>,
    ) -> Self {
        let cost = match selection.origin() {
            Origin::Run(cost) => Some(cost),
            _ => None,
        };
        Self {
            tracer: selection.tracer_name(),
            selector: selection.selector_name(),
            digest: selection.selector().and_then(|selector| selector.digest()),
            fallback: selection.reason().cause().map(|cause| cause.as_str()),
            reason: selection
                .reason()
                .cause()
                .map(|_| selection.reason().to_string()),
            cached: selection.origin() == Origin::Cached,
            took_us: cost.map(|cost| cost.took.as_secs_f64() * 1e6),
            fuel: cost.map(|cost| cost.fuel),
            context: &given.json,
            asked,
        }
    }
}
