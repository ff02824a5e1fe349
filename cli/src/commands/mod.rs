//! One file for each command.

pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod list;
pub(crate) mod route;
pub(crate) mod traces;
pub(crate) mod watch;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use spanway::{
    CacheState, CompileCache, Limits, LoadReport, LoadedFile, SelectorHost, SelectorsDirectory,
};

use crate::args::CacheArgs;
use crate::printer::Printer;

/// A host with the limits that a service would have, and a compile cache unless it is switched off.
fn host(cache: &CacheArgs, printer: &Printer) -> Result<SelectorHost> {
    let limits = Limits {
        // What is decided here is decided on one thread, or learned at once.
        engines: 1,
        ..Limits::default()
    };
    let host = SelectorHost::builder()
        .limits(limits)
        .cache(compile_cache(cache))
        .build()
        .context("this machine cannot run selectors")?;
    // One that nobody asked for may fail in silence; `-v` tells.
    if let (Some(_), CacheState::Unusable { directory, reason }) =
        (&cache.cache_dir, host.compile_status().cache)
    {
        let directory = directory.display();
        printer.warning(format_args!("no compile cache in {directory}: {reason}"));
    }
    Ok(host)
}

/// Where the arguments say, or else in the user's cache directory. A user without
/// one has no cache.
fn compile_cache(args: &CacheArgs) -> Option<CompileCache> {
    let named = || args.cache_dir.clone();
    let directory = named().or_else(|| Some(dirs::cache_dir()?.join("spanway")));
    let directory = directory.filter(|_| !args.no_cache)?;
    Some(CompileCache::in_directory(directory))
}

/// Loads a directory, and says on standard error what could not be loaded.
fn load_directory(path: &Path, cache: &CacheArgs, printer: &Printer) -> Result<LoadReport> {
    let report = SelectorsDirectory::new(path, host(cache, printer)?).load()?;
    if report.files().is_empty() {
        bail!(
            "the selectors directory {} holds no *.wasm file; drop one in, or build one with \
             `spanway build`",
            path.display()
        );
    }
    report.files().iter().for_each(|file| warn(file, printer));
    Ok(report)
}

fn warn(file: &LoadedFile, printer: &Printer) {
    if let Err(error) = &file.outcome {
        let cause = std::error::Error::source(error);
        let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
        printer.warning(format_args!("{}: {error}{cause}", file.path.display()));
    }
}

/// How this program was called: cargo sets its own path for what it runs.
fn program() -> &'static str {
    match std::env::var_os("CARGO") {
        Some(_) => "cargo run --",
        None => "spanway",
    }
}

/// The first digits of a digest, as people quote them.
fn short(digest: Option<&str>) -> String {
    digest
        .and_then(|digest| digest.get(..12))
        .unwrap_or("-")
        .to_owned()
}

fn kilobytes(bytes: usize) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}
