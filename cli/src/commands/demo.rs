//! `spanmux demo`: routes the traces of a small service end to end. It embeds the library as a
//! service does, runs that service, and reports the traces that the tracers received.

mod received;
mod service;

use std::collections::BTreeMap;
use std::fs;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;
use spanmux::Chain;
use spanmux::otel::{RoutingTracerProvider, TracerConfig};

use super::load_directory;
use crate::Verdict;
use crate::args::{CacheArgs, DemoArgs};
use crate::printer::Printer;
use received::{Discarded, Received};
use service::Service;

/// The tracers that write OTLP JSON lines, in registration order. The first is the default. The
/// demo also registers `console` and `discard`.
const FILES: [&str; 7] = [
    "langfuse",
    "langfuse-eu",
    "datadog",
    "tenant-acme",
    "tenant-umbrella",
    "candidate",
    "quarantine",
];
const CONSOLE: &str = "console";
const DISCARD: &str = "discard";
/// The tracer for failed decisions. Separate from the default tracer, which everyone reads.
const FALLBACK: &str = "quarantine";

/// Number of requests between flushes. A batch queue holds 2,048 spans, and the demo must not
/// lose any.
const REQUESTS_PER_FLUSH: usize = 100;

/// Runs the service. Returns [`Verdict::No`] if a trace was split between tracers or a span was
/// lost.
pub(crate) fn run(args: &DemoArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let report = load_directory(&args.selectors, None, cache, printer)?;
    make_empty(&args.out)?;
    let discarded = Discarded::default();
    let provider = provider(&args.out, report.chain(), discarded.clone())?;

    let service = Service::new(provider.tracer("shop-assistant"));
    let mut runs = service::runs(args.runs)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .build()
        .context("cannot start the threads of the service")?;
    let mut answered = 0;
    while !runs.is_empty() {
        let rest = runs.split_off(runs.len().min(REQUESTS_PER_FLUSH));
        let batch = std::mem::replace(&mut runs, rest);
        answered += batch.len();
        runtime.block_on(service.answer_all(batch))?;
        let flushed = provider.force_flush();
        ensure!(
            flushed.failed.is_empty(),
            "tracers failed to write: {:?}",
            flushed.failed
        );
        if !runs.is_empty() {
            printer.progress(format_args!("{answered} of {} runs", args.runs));
        }
    }
    let counts = provider.registry().counts();
    let shut_down = provider.shutdown();
    ensure!(
        shut_down.failed.is_empty(),
        "tracers failed to shut down: {:?}",
        shut_down.failed
    );

    let received = received(&args.out, &discarded)?;
    let summary = Summary::of(&received, service.spans_started(), counts.cached);
    if args.json {
        printer.json(&summary.json(&received));
    } else {
        summary.print(args, &received, printer);
    }
    let whole = summary.torn == 0 && summary.spans == summary.started;
    Ok((whole && summary.traces == args.runs as usize).into())
}

/// Builds the provider as an embedding service does, with named tracers, selectors and a fallback
/// tracer.
fn provider(out: &Path, chain: Chain, discarded: Discarded) -> Result<RoutingTracerProvider> {
    let mut provider = RoutingTracerProvider::builder().service_name("shop");
    for name in FILES {
        let config = TracerConfig::file(out.join(name).with_extension("jsonl"));
        provider = provider.tracer(name, config);
    }
    let console = fs::File::create(out.join(CONSOLE).with_extension("txt"))
        .with_context(|| format!("cannot write to {}", out.display()))?;
    let discard = SdkTracerProvider::builder().with_simple_exporter(discarded);
    Ok(provider
        .tracer(CONSOLE, TracerConfig::console_to(BufWriter::new(console)))
        .tracer(DISCARD, discard)
        .selectors(chain)
        .fallback(FALLBACK)
        .build()?)
}

/// Creates the folder and removes the trace files of an earlier demo. Other files are kept,
/// because the folder may be in use for other purposes.
fn make_empty(out: &Path) -> Result<()> {
    fs::create_dir_all(out)
        .with_context(|| format!("cannot create the folder {}", out.display()))?;
    for name in FILES {
        let file = out.join(name).with_extension("jsonl");
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("cannot replace {}", file.display()))?;
        }
    }
    Ok(())
}

/// Reads the traces that each tracer received from its output.
fn received(out: &Path, discarded: &Discarded) -> Result<Vec<Received>> {
    let mut received = Vec::new();
    for name in FILES {
        let file = out.join(name).with_extension("jsonl");
        received.push(Received::from_otlp_lines(name, &file)?);
    }
    let console = out.join(CONSOLE).with_extension("txt");
    received.push(Received::from_console(CONSOLE, &console)?);
    received.push(discarded.received(DISCARD));
    Ok(received)
}

/// The results of the demo.
struct Summary {
    traces: usize,
    spans: u64,
    /// The number of spans that the service started.
    started: u64,
    /// The number of traces that were split between several tracers.
    torn: usize,
    /// The number of selections from the decision cache.
    cached: u64,
    /// The number of traces per tracer, by selector and reason.
    reasons: BTreeMap<(String, String), BTreeMap<String, usize>>,
}

impl Summary {
    fn of(received: &[Received], started: u64, cached: u64) -> Self {
        let mut tracers_of: BTreeMap<&str, usize> = BTreeMap::new();
        let mut reasons: BTreeMap<_, BTreeMap<String, usize>> = BTreeMap::new();
        for tracer in received {
            for (id, trace) in &tracer.traces {
                *tracers_of.entry(id).or_default() += 1;
                let to = reasons.entry(trace.reason()).or_default();
                *to.entry(tracer.name.to_owned()).or_default() += 1;
            }
        }
        Self {
            traces: tracers_of.len(),
            spans: received.iter().map(Received::spans).sum(),
            started,
            torn: tracers_of.values().filter(|tracers| **tracers > 1).count(),
            cached,
            reasons,
        }
    }

    fn print(&self, args: &DemoArgs, received: &[Received], printer: &Printer) {
        printer.heading("Traces by tracer");
        printer.table(
            &["tracer", "traces", "spans", "file"],
            received.iter().map(|tracer| {
                vec![
                    tracer.name.to_owned(),
                    tracer.traces.len().to_string(),
                    tracer.spans().to_string(),
                    tracer
                        .file
                        .as_ref()
                        .map_or("-".to_owned(), |file| file.display().to_string()),
                ]
            }),
        );
        printer.heading("Traces by selector and reason");
        printer.table(
            &["selector", "reason", "traces", "tracers"],
            self.reasons.iter().map(|((selector, why), to)| {
                let tracers = to.iter().map(|(name, traces)| format!("{name} {traces}"));
                vec![
                    selector.clone(),
                    why.clone(),
                    to.values().sum::<usize>().to_string(),
                    tracers.collect::<Vec<_>>().join(", "),
                ]
            }),
        );
        printer.heading("The first trace of each tracer");
        for tracer in received {
            if let Some(tree) = &tracer.sample {
                printer.faint(format_args!("{}:", tracer.name));
                printer.block(tree);
            }
        }
        printer.heading(format_args!(
            "{} runs, {} traces, {} of {} spans received, {} split traces",
            args.runs, self.traces, self.spans, self.started, self.torn
        ));
        printer.line(format_args!(
            "{} of {} selections came from the decision cache, without running a selector",
            self.cached, args.runs
        ));
        printer.faint(format_args!(
            "Show all traces with their attributes: {} traces {}/*.jsonl",
            super::program(),
            args.out.display()
        ));
        printer.faint(format_args!(
            "Route your own context: {} route {} -c environment=staging -c 'user:={{\"tier\":\"free\"}}'",
            super::program(),
            args.selectors.display()
        ));
    }

    fn json(&self, received: &[Received]) -> serde_json::Value {
        let tracers = received.iter().map(|tracer| {
            json!({
                "name": tracer.name,
                "traces": tracer.traces.len(),
                "spans": tracer.spans(),
                "file": tracer.file,
            })
        });
        let decided = self
            .reasons
            .iter()
            .map(|((selector, why), to)| json!({"selector": selector, "why": why, "to": to}));
        json!({
            "tracers": tracers.collect::<Vec<_>>(),
            "decided": decided.collect::<Vec<_>>(),
            "traces": self.traces,
            "spans": {"started": self.started, "received": self.spans},
            "torn": self.torn,
            "cached": self.cached,
        })
    }
}
