//! `spanway check`: is a file a selector, does it stay inside the limits, and what
//! does it cost.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::json;
use spanway::{
    Choice, ComponentSelector, Decision, LoadError, Origin, RuntimeContext, Selector as _,
    TracerNames,
};

use super::{host, kilobytes, short};
use crate::Verdict;
use crate::args::{CacheArgs, CheckArgs};
use crate::printer::Printer;

/// The names that the empty context is decided among.
const TRACERS: [&str; 3] = ["langfuse", "datadog", "console"];

/// Checks one file. The verdict is no if it is not a selector, or if the decision
/// for an empty context broke a limit.
pub(crate) fn run(args: &CheckArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let host = host(cache, printer)?;
    let began = Instant::now();
    match host.load_file(&args.file) {
        Ok(selector) => {
            let load = Load {
                took: began.elapsed(),
                cached: host.compile_status().found > 0,
            };
            Ok(report(args, &selector, &load, printer))
        }
        Err(LoadError::Read(error)) => {
            Err(error).with_context(|| format!("{} cannot be read", args.file.display()))
        }
        Err(error) if args.json => {
            printer
                .json(&json!({"file": args.file, "selector": false, "error": error.to_string()}));
            Ok(Verdict::No)
        }
        Err(error) => {
            printer.line(format_args!("{} is not a selector", args.file.display()));
            printer.line(format_args!("  {error}"));
            Ok(Verdict::No)
        }
    }
}

/// What loading the file took.
struct Load {
    took: Duration,
    /// Whether it was found in the compile cache.
    cached: bool,
}

fn report(
    args: &CheckArgs,
    selector: &ComponentSelector,
    load: &Load,
    printer: &Printer,
) -> Verdict {
    let tracers = TracerNames::new(TRACERS);
    let context = RuntimeContext::empty();
    let decision = selector.decide(&context.view(), &tracers);
    let answer = answer(&decision, &tracers);
    let (took, fuel) = match decision.origin {
        Origin::Run(cost) => (cost.took, cost.fuel),
        _ => Default::default(),
    };
    let limits_kept = limits_kept(&decision);
    let load_ms = load.took.as_secs_f64() * 1e3;
    if args.json {
        printer.json(&json!({
            "file": args.file,
            "selector": true,
            "name": selector.name(),
            "digest": selector.digest(),
            "bytes": selector.file_bytes(),
            "imports": selector.imports(),
            "load_ms": load_ms,
            "cached": load.cached,
            "empty_context": {
                "answer": answer,
                "fuel": fuel,
                "took_us": took.as_secs_f64() * 1e6,
                "inside_limits": limits_kept,
            },
        }));
        return limits_kept.into();
    }
    let imports = match selector.imports() {
        [] => "nothing".to_owned(),
        imports => imports.join(", "),
    };
    printer.line(format_args!("{} is a selector", args.file.display()));
    for (what, value) in [
        ("name", selector.name().to_owned()),
        ("digest", short(selector.digest())),
        ("size", kilobytes(selector.file_bytes())),
        ("imports", imports),
        (
            "load",
            match load.cached {
                true => format!("{load_ms:.1} ms to start what was compiled before"),
                false => format!("{load_ms:.1} ms to compile and start"),
            },
        ),
        ("empty context", answer),
        (
            "decision",
            format!("{fuel} fuel, {:.0} µs", took.as_secs_f64() * 1e6),
        ),
    ] {
        printer.line(format_args!("  {what:<14}{value}"));
    }
    limits_kept.into()
}

fn answer(decision: &Decision, tracers: &TracerNames) -> String {
    match &decision.choice {
        Choice::Tracer(index) => format!("chooses {}", tracers.name(*index).unwrap_or_default()),
        Choice::Abstain => "abstains".to_owned(),
        Choice::Fallback(fallback) => fallback.to_string(),
    }
}

/// An author's error and an unknown name are answers; a trap or a spent budget for
/// a context that holds nothing is a defect.
fn limits_kept(decision: &Decision) -> bool {
    use spanway::Fallback::{Failed, UnknownTracer};
    match &decision.choice {
        Choice::Fallback(fallback) => matches!(fallback, Failed(_) | UnknownTracer(_)),
        _ => true,
    }
}
