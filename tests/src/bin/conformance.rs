//! Runs the conformance suite on the components of a directory.
//!
//! ```text
//! conformance DIRECTORY            the matrix; its subfolder `templates` too
//! conformance DIRECTORY --table    what each costs, as a table in Markdown
//! conformance DIRECTORY --world    what each sees of the world, a line for each
//! conformance DIRECTORY --answers  each decision of the registry as a line of JSON, which the
//!                                  package of another language compares with its own
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use spanmux::otel::RoutingTracerProvider;
use spanmux::{Chain, CompileCache, ComponentSelector, SelectorHost, TracerRegistry};
use spanmux_tests::conformance::{Case, Matrix, Measured, Subject, Suite, measure, outcome};
use spanmux_tests::{limits, load};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [directory] => matrix(Path::new(directory)),
        [directory, "--table"] => table(Path::new(directory)),
        [directory, "--world"] => world(Path::new(directory)),
        [directory, "--answers"] => answers(Path::new(directory)),
        _ => {
            eprintln!("usage: conformance DIRECTORY [--table | --world | --answers]");
            ExitCode::from(2)
        }
    }
}

/// Returns the components of a directory by name.
fn components(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .collect();
    files.sort();
    let named = |path: PathBuf| {
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        (name, fs::read(path).expect("a component"))
    };
    files.into_iter().map(named).collect()
}

/// Compiled components are cached beside the files: the largest take a minute with an unoptimised
/// compiler.
fn subjects(directory: &Path, cache: &Path) -> Vec<Subject> {
    let host = SelectorHost::builder()
        .limits(limits())
        .cache(CompileCache::in_directory(cache.join("compiled")))
        .build()
        .expect("a host");
    let load = |(name, bytes): (String, Vec<u8>)| {
        eprintln!("loading {name}");
        Subject::load(&host, &name, &bytes)
    };
    components(directory).into_iter().map(load).collect()
}

fn matrix(directory: &Path) -> ExitCode {
    let mut suite = Suite::read();
    let references = Matrix::of(&suite, &subjects(directory, directory));
    println!("{references}\n\n{}", references.failures().join("\n"));

    // A template does not support `op`.
    suite.cases.retain(|case| !case.context.contains("\"op\""));
    let templates = Matrix::of(&suite, &subjects(&directory.join("templates"), directory));
    println!(
        "The templates as they lie\n\n{templates}\n\n{}",
        templates.failures().join("\n")
    );

    let failures = references.failures().len() + templates.failures().len();
    for difference in &suite.differences {
        let languages = difference.languages.join(", ");
        println!(
            "documented: {languages}, {}: {}",
            difference.case, difference.because
        );
    }
    println!("ran: {}", references.languages.join(" "));
    let cells = references.cells() + templates.cells();
    println!("{} passed, {failures} failed, 0 skipped", cells - failures);
    ExitCode::from(u8::from(failures > 0))
}

fn world(directory: &Path) -> ExitCode {
    let suite = Suite::read();
    let asks = |case: &&spanmux_tests::conformance::Case| case.context.contains("\"world\"");
    let case = suite
        .cases
        .iter()
        .find(asks)
        .expect("the case of the world");
    for subject in subjects(directory, directory) {
        println!("{}\t{}", subject.name, outcome(subject.fresh(), case).0);
    }
    ExitCode::SUCCESS
}

fn table(directory: &Path) -> ExitCode {
    println!(
        "| language | size | imports besides the contract | memory | compile | from the cache | a decision | cached |"
    );
    println!("|---|--:|---|--:|--:|--:|--:|--:|");
    for (name, bytes) in components(directory) {
        eprintln!("measuring {name}");
        println!("{}", row(&name, &measure(&name, &bytes)));
    }
    ExitCode::SUCCESS
}

fn row(name: &str, measured: &Measured) -> String {
    let wasi = measured
        .imports
        .iter()
        .filter(|import| import.starts_with("wasi:"));
    let imports = match wasi.count() {
        0 => "none".to_owned(),
        some => format!("{some} of WASI"),
    };
    format!(
        "| {name} | {:.1} kB | {imports} | {} KiB | {:.0} ms | {:.1} ms | {:.1} µs | {} ns |",
        measured.bytes as f64 / 1e3,
        measured.memory_bytes / 1024,
        measured.cold.as_secs_f64() * 1e3,
        measured.warm.as_secs_f64() * 1e3,
        measured.fresh.as_secs_f64() * 1e6,
        measured.hit.as_nanos(),
    )
}

fn answers(directory: &Path) -> ExitCode {
    let suite = Suite::read();
    let host = SelectorHost::new(limits()).expect("a host");
    for (name, bytes) in components(directory) {
        let selector = load(&host, &name, &bytes);
        for case in suite.cases.iter().filter(|case| case.is_for(&name)) {
            println!("{}", answer(&name, &selector, case));
        }
    }
    ExitCode::SUCCESS
}

fn answer(component: &str, selector: &ComponentSelector, case: &Case) -> serde_json::Value {
    let registry = TracerRegistry::new();
    for tracer in &case.tracers {
        registry.register(tracer, ()).expect("a valid name");
    }
    registry.set_selectors(Chain::from(selector.clone()));
    let context = case.runtime_context();
    let selection = registry.select(&context.view());
    let reason = selection.reason();
    let floats = case.floats.iter();
    // JSON has no infinite numbers.
    let floats: BTreeMap<_, _> = floats
        .map(|(key, float)| (key, float.to_string()))
        .collect();
    serde_json::json!({
        "component": component,
        "case": case.name,
        "context": case.context,
        "floats": floats,
        "tracers": case.tracers,
        "tracer": selection.tracer_name(),
        "selector": selection.selector_name(),
        "fallback": selection.fallback().map(|fallback| fallback.cause().as_str()),
        "cause": reason.cause().map(|cause| cause.as_str()),
        "reason": selection.fallback().map_or_else(|| reason.to_string(), ToString::to_string),
        "tracestate": tracestate(selection.tracer_name()),
    })
}

/// Returns the name of a tracer as the propagator writes it, without the numbers behind it.
fn tracestate(tracer: Option<&str>) -> Option<String> {
    let provider = RoutingTracerProvider::builder()
        // A provider that was built elsewhere: its trace ids do not name the tracer.
        .tracer(tracer?, SdkTracerProvider::builder().build())
        .build()
        .expect("a provider");
    let span = provider.tracer("conformance").start("root");
    let context = Context::new().with_span(span);
    let mut headers = HashMap::new();
    provider.propagator().inject_context(&context, &mut headers);
    let state = headers.get("tracestate")?.strip_prefix("spanmux=")?;
    Some(state.split(':').next()?.to_owned())
}
