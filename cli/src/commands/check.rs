//! `spanmux check`: checks that a file is a selector and stays within the limits, and measures
//! its cost.

mod cost;
mod facts;

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use spanmux::{
    AllowedTracers, ComponentSelector, LoadError, RuntimeContext, Selector as _, TracerNames,
};

use super::{allowed, host, kilobytes, lists, load_file, short};
use crate::Verdict;
use crate::args::{CacheArgs, CheckArgs};
use crate::cases::Cases;
use crate::printer::Printer;
use crate::transcript::answer;
use cost::{Cost, cost};
use facts::Facts;

/// The available tracers when deciding for the empty context.
const TRACERS: [&str; 3] = ["langfuse", "datadog", "console"];

/// Checks one file. Returns [`Verdict::No`] if it is not a selector, or if the decision for the
/// empty context or for a case exceeded a limit.
pub(crate) fn run(args: &CheckArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let cases = args.cases.as_deref().map(Cases::read).transpose()?;
    let allowed = args.allow.list()?;
    match load(args, cache, printer)? {
        Ok((selector, load)) => {
            let bytes = fs::read(&args.file)
                .with_context(|| format!("{} cannot be read", args.file.display()))?;
            let findings = Findings::of(
                selector,
                load,
                Facts::read(&bytes)?,
                cases.as_ref(),
                allowed,
            );
            if args.json {
                printer.json(&findings.json(args))
            } else {
                findings.print(args, printer)
            }
            Ok(findings.limits_kept().into())
        }
        Err(error) if args.json => {
            printer
                .json(&json!({"file": args.file, "selector": false, "error": error.to_string()}));
            Ok(Verdict::No)
        }
        Err(error) => {
            printer.line(format_args!("{} is not a selector", args.file.display()));
            printer.block(format_args!("  {error}"));
            Ok(Verdict::No)
        }
    }
}

/// Load times of the file.
struct Load {
    took: Duration,
    /// `true` if the file was found in the compile cache.
    cached: bool,
    /// The time of a second load, if the first load compiled the file and stored it in the cache.
    again: Option<Duration>,
}

type Loaded = Result<(ComponentSelector, Load), LoadError>;

fn load(args: &CheckArgs, cache: &CacheArgs, printer: &Printer) -> Result<Loaded> {
    let first = host(cache, printer)?;
    let began = Instant::now();
    let selector = match load_file(&first, &args.file, printer) {
        Ok(selector) => selector,
        Err(LoadError::Read(error)) => {
            return Err(error).with_context(|| format!("{} cannot be read", args.file.display()));
        }
        Err(error) => return Ok(Err(error)),
    };
    let took = began.elapsed();
    let cached = first.compile_status().found > 0;
    let again = if cached || super::compile_cache(cache).is_none() {
        None
    } else {
        load_again(args, cache)?
    };
    Ok(Ok((
        selector,
        Load {
            took,
            cached,
            again,
        },
    )))
}

/// Loads the file with a second host that shares only the cache with the first. Problems with the
/// cache were already reported by the first host.
fn load_again(args: &CheckArgs, cache: &CacheArgs) -> Result<Option<Duration>> {
    let host = super::quiet_host(cache)?;
    let began = Instant::now();
    let loaded = host.load_file(&args.file).is_ok();
    let took = began.elapsed();
    Ok((loaded && host.compile_status().found > 0).then_some(took))
}

/// All findings about a selector.
struct Findings<'a> {
    selector: ComponentSelector,
    load: Load,
    facts: Facts,
    allowed: Option<AllowedTracers>,
    empty: Cost,
    tracers: TracerNames,
    cases: Vec<CaseCost<'a>>,
}

/// The name, available tracers and cost of a test case.
struct CaseCost<'a> {
    name: &'a str,
    tracers: TracerNames,
    cost: Cost,
}

impl<'a> Findings<'a> {
    fn of(
        selector: ComponentSelector,
        load: Load,
        facts: Facts,
        cases: Option<&'a Cases>,
        allowed: Option<AllowedTracers>,
    ) -> Self {
        let list = allowed.as_ref();
        let tracers = TracerNames::new(TRACERS);
        let costs = cases.iter().flat_map(|cases| {
            cases.cases.iter().map(|case| {
                let names = case.tracers.as_ref().unwrap_or(&cases.tracers);
                let tracers = TracerNames::new(names.iter().cloned());
                let cost = cost(&selector, list, &case.context, &tracers);
                CaseCost {
                    name: &case.name,
                    tracers,
                    cost,
                }
            })
        });
        let cases = costs.collect();
        Self {
            empty: cost(&selector, list, &RuntimeContext::empty(), &tracers),
            allowed,
            selector,
            load,
            facts,
            tracers,
            cases,
        }
    }

    fn limits_kept(&self) -> bool {
        let mut cases = self.cases.iter();
        self.empty.limits_kept() && cases.all(|case| case.cost.limits_kept())
    }

    fn json(&self, args: &CheckArgs) -> Value {
        let cases = self.cases.iter().map(|case| {
            let mut object = decision(&case.cost, &case.tracers);
            object["name"] = case.name.into();
            object
        });
        json!({
            "file": args.file,
            "selector": true,
            "name": self.selector.name(),
            "digest": self.selector.digest(),
            "bytes": self.selector.file_bytes(),
            "contract": self.facts.contract,
            "imports": self.selector.imports(),
            "tracers": lists(&self.allowed),
            "memory_bytes": self.facts.memory_bytes,
            "memory_grows": self.facts.grows,
            "load_ms": milliseconds(self.load.took),
            "cached": self.load.cached,
            "from_cache_ms": self.load.again.map(milliseconds),
            "empty_context": decision(&self.empty, &self.tracers),
            "cases": cases.collect::<Vec<_>>(),
        })
    }

    fn print(&self, args: &CheckArgs, printer: &Printer) {
        let imports = match self.selector.imports() {
            [] => "nothing".to_owned(),
            imports => imports.join(", "),
        };
        printer.line(format_args!("{} is a selector", args.file.display()));
        for (what, value) in [
            ("name", self.selector.name().to_owned()),
            ("digest", short(self.selector.digest())),
            ("size", kilobytes(self.selector.file_bytes())),
            ("contract", self.facts.contract.clone().unwrap_or_default()),
            ("imports", imports),
            ("may choose", allowed(&self.allowed)),
            ("memory", self.memory()),
            ("load", self.loading()),
            ("empty context", answer(&self.empty.decision, &self.tracers)),
            ("cost", deciding(&self.empty)),
            ("cached", learning(&self.empty)),
        ] {
            printer.line(format_args!("  {what:<14}{value}"));
        }
        if !self.cases.is_empty() {
            let rows = self.cases.iter().map(|case| {
                vec![
                    case.name.to_owned(),
                    answer(&case.cost.decision, &case.tracers),
                    case.cost.fuel.to_string(),
                    format!("{:.0} µs", microseconds(case.cost.fresh)),
                    case.cost.cached.map_or("no", |_| "yes").to_owned(),
                ]
            });
            printer.table(&["case", "decision", "fuel", "time", "cached"], rows);
        }
        printer.faint("  Times were measured on this machine.");
    }

    fn memory(&self) -> String {
        let kib = self.facts.memory_bytes / 1024;
        if self.facts.grows {
            format!("{kib} KiB initially, may grow up to the limit")
        } else {
            format!("{kib} KiB, fixed")
        }
    }

    fn loading(&self) -> String {
        let ms = milliseconds(self.load.took);
        match (self.load.cached, self.load.again) {
            (true, _) => {
                format!("{ms:.1} ms to load from the cache; use --no-cache to compile again")
            }
            (false, None) => format!("{ms:.1} ms to compile and start"),
            (false, Some(again)) => format!(
                "{ms:.1} ms to compile and start; {:.1} ms from the cache",
                milliseconds(again)
            ),
        }
    }
}

fn decision(cost: &Cost, tracers: &TracerNames) -> Value {
    json!({
        "answer": answer(&cost.decision, tracers),
        "fuel": cost.fuel,
        "took_us": microseconds(cost.fresh),
        "cached": cost.cached.is_some(),
        "learned_us": cost.cached.map(microseconds),
        "inside_limits": cost.limits_kept(),
    })
}

fn deciding(cost: &Cost) -> String {
    let (fuel, fresh) = (cost.fuel, microseconds(cost.fresh));
    format!("{fuel} fuel; {fresh:.0} µs to create, call and drop an instance")
}

fn learning(cost: &Cost) -> String {
    match cost.cached {
        Some(took) => format!("yes: {:.2} µs for a cached decision", microseconds(took)),
        None => "no: every decision runs the selector".to_owned(),
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
