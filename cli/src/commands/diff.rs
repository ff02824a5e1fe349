//! `spanmux diff`: compares the decisions of two policies.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use spanmux::{Limits, LoadedFile, SelectorHost, SelectorsDirectory};
use spanmux_diff::{Comparison, Constants, Given, Member, Policy, Settings};

use super::{compile_cache, compiling, load_file, warn};
use crate::Verdict;
use crate::args::{CacheArgs, DiffArgs, DiffFormat};
use crate::cases::Cases;
use crate::contexts;
use crate::printer::Printer;

/// The time between two progress messages.
const PROGRESS: Duration = Duration::from_secs(2);

/// Compares two policies. Returns [`Verdict::No`] if a difference was found that is not allowed.
pub(crate) fn run(args: &DiffArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let given = match &args.contexts {
        Some(file) => given(file)?,
        None => Vec::new(),
    };
    let host = host(cache)?;
    let old = policy(&args.old, &host, printer)?;
    let new = policy(&args.new, &host, printer)?;
    let settings = Settings {
        tracers: args
            .tracers
            .iter()
            .map(|name| name.trim().to_owned())
            .collect(),
        budget: args.budget,
        given,
    };
    let mut last = Instant::now();
    let comparison = Comparison::of(&old, &new, &settings, &mut |contexts| {
        if last.elapsed() >= PROGRESS {
            last = Instant::now();
            printer.progress(format_args!(
                "asked both policies about {contexts} contexts"
            ));
        }
    });
    match &args.output {
        Some(path) => {
            let text = page(&comparison, args);
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            printer.progress(format_args!("wrote {}", path.display()));
        }
        None => print(&comparison, args, printer),
    }
    Ok(comparison.is_allowed(&args.allow).into())
}

/// Creates a host without the limits that protect a service from a broken selector: decisions must
/// depend on the context alone.
fn host(cache: &CacheArgs) -> Result<SelectorHost> {
    let limits = Limits::default()
        .engines(1)
        .suspend_after(0)
        // Fuel ends a run first.
        .wall_clock(Duration::from_secs(60))
        .admission_wait(Duration::from_secs(60));
    SelectorHost::builder()
        .limits(limits)
        .cache(compile_cache(cache))
        .build()
        .context("this machine cannot run selectors")
}

fn policy(path: &Path, host: &SelectorHost, printer: &Printer) -> Result<Policy> {
    let lock = is_lock(path).then(|| path.with_extension(""));
    let members = if path.is_dir() || lock.is_some() {
        let directory = lock.as_deref().unwrap_or(path);
        let mut selectors = SelectorsDirectory::new(directory, host.clone());
        if lock.is_some() {
            selectors = selectors.with_lock(path);
        }
        let report = printer.patiently(compiling(directory), || selectors.load())?;
        members(path, report.files(), printer)?
    } else {
        let file = LoadedFile::new(path, load_file(host, path, printer));
        members(path, &[file], printer)?
    };
    if members.is_empty() {
        printer.warning(format_args!(
            "{} contains no selectors, so it sends every trace to the default tracer",
            path.display()
        ));
    }
    Ok(Policy {
        name: path.display().to_string(),
        members,
    })
}

fn members(path: &Path, files: &[LoadedFile], printer: &Printer) -> Result<Vec<Member>> {
    files.iter().for_each(|file| warn(file, printer));
    if files.iter().any(|file| file.outcome.is_err()) {
        bail!(
            "{} contains a selector that could not be loaded; fix or remove it",
            path.display()
        );
    }
    files.iter().map(member).collect()
}

fn is_lock(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("lock")) && path.is_file()
}

fn member(file: &LoadedFile) -> Result<Member> {
    let bytes =
        fs::read(&file.path).with_context(|| format!("cannot read {}", file.path.display()))?;
    Ok(Member {
        name: file.name(),
        selector: file.selector(),
        constants: Constants::of(&bytes),
    })
}

/// Reads contexts from test cases or from JSON lines.
fn given(path: &Path) -> Result<Vec<Given>> {
    if path.extension() == Some(OsStr::new("toml")) {
        let cases = Cases::read(path)?.cases.into_iter();
        let given = cases.map(|case| Given {
            label: format!("{}, line {}: {}", path.display(), case.line, case.name),
            context: case.json,
        });
        return Ok(given.collect());
    }
    let contexts = contexts::from_file(path)?.into_iter().enumerate();
    let given = contexts.map(|(at, given)| Given {
        label: format!("{}, context {}", path.display(), at + 1),
        context: given.json,
    });
    Ok(given.collect())
}

/// Returns the requested format, or the format for the extension of the output file.
fn format(args: &DiffArgs) -> DiffFormat {
    let ending = args.output.as_ref().and_then(|output| output.extension());
    args.format
        .or_else(|| match ending?.to_str()? {
            "json" => Some(DiffFormat::Json),
            "md" | "markdown" => Some(DiffFormat::Markdown),
            "html" | "htm" => Some(DiffFormat::Html),
            _ => None,
        })
        .unwrap_or(DiffFormat::Text)
}

fn page(comparison: &Comparison, args: &DiffArgs) -> String {
    match format(args) {
        DiffFormat::Text => comparison.text(&args.allow).to_string(),
        DiffFormat::Json => format!("{}\n", comparison.to_json(&args.allow)),
        DiffFormat::Markdown => comparison.to_markdown(&args.allow),
        DiffFormat::Html => comparison.to_html(&args.allow),
    }
}

fn print(comparison: &Comparison, args: &DiffArgs, printer: &Printer) {
    match format(args) {
        DiffFormat::Text => printer.rules(&comparison.text(&args.allow)),
        DiffFormat::Json => printer.json(&comparison.to_json(&args.allow)),
        DiffFormat::Markdown | DiffFormat::Html => printer.block(page(comparison, args).trim_end()),
    }
}
