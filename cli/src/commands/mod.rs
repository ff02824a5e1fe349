//! The commands, one file for each.

pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod new;
pub(crate) mod route;
pub(crate) mod test;
pub(crate) mod traces;
pub(crate) mod watch;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use spanmux::{
    AllowedTracers, CacheState, Chain, CompileCache, ComponentSelector, Limits, LoadError,
    LoadReport, LoadedFile, SelectorHost, SelectorsDirectory,
};

use crate::args::CacheArgs;
use crate::printer::Printer;
use crate::untrusted::one_line;

/// Creates a host with the default limits and, if enabled, a compile cache.
fn host(cache: &CacheArgs, printer: &Printer) -> Result<SelectorHost> {
    let host = quiet_host(cache)?;
    // A failure of the default cache is only logged (`-v`).
    if let (Some(_), CacheState::Unusable { directory, reason }) =
        (&cache.cache_dir, host.compile_status().cache)
    {
        let directory = directory.display();
        printer.warning(format_args!(
            "the compile cache in {directory} is not used: {reason}"
        ));
    }
    Ok(host)
}

/// Creates the same host without a warning about the cache.
fn quiet_host(cache: &CacheArgs) -> Result<SelectorHost> {
    let limits = Limits::default()
        // One engine is enough: the commands decide on one thread, or from the decision cache.
        .engines(1);
    SelectorHost::builder()
        .limits(limits)
        .cache(compile_cache(cache))
        .build()
        .context("this machine cannot run selectors")
}

/// Returns the compile cache from the arguments, by default in the user's cache directory. Returns
/// `None` if the cache is disabled or the user has no cache directory.
pub(crate) fn compile_cache(args: &CacheArgs) -> Option<CompileCache> {
    let named = || args.cache_dir.clone();
    let directory = named().or_else(|| Some(dirs::cache_dir()?.join("spanmux")));
    let directory = directory.filter(|_| !args.no_cache)?;
    Some(CompileCache::in_directory(directory))
}

/// Opens a directory as a service does.
fn directory(
    path: &Path,
    lock: Option<&Path>,
    cache: &CacheArgs,
    printer: &Printer,
) -> Result<SelectorsDirectory> {
    let directory = SelectorsDirectory::new(path, host(cache, printer)?);
    Ok(match lock {
        Some(lock) => directory.with_lock(lock),
        None => directory,
    })
}

/// Loads a directory and reports files that could not be loaded on standard error.
fn load_directory(
    path: &Path,
    lock: Option<&Path>,
    cache: &CacheArgs,
    printer: &Printer,
) -> Result<LoadReport> {
    let directory = directory(path, lock, cache, printer)?;
    let report = printer.patiently(compiling(path), || directory.load())?;
    if report.files().is_empty() {
        bail!(
            "the selectors directory {} contains no *.wasm file; add one, or build one with \
             `spanmux build`",
            path.display()
        );
    }
    report.files().iter().for_each(|file| warn(file, printer));
    Ok(report)
}

/// A directory of selectors, or one file as a chain of one.
enum Loaded {
    Directory(LoadReport),
    File(LoadedFile),
}

impl Loaded {
    /// Loads a directory or a file and reports files that could not be loaded on standard error.
    fn from_path(
        path: &Path,
        lock: Option<&Path>,
        cache: &CacheArgs,
        printer: &Printer,
    ) -> Result<Self> {
        if path.is_dir() {
            let report = load_directory(path, lock, cache, printer)?;
            return Ok(Self::Directory(report));
        }
        if let Some(lock) = lock {
            bail!(
                "the lock file {} applies to a directory, but {} is not one; pass the directory, \
                 or omit --lock",
                lock.display(),
                path.display()
            );
        }
        let outcome = load_file(&host(cache, printer)?, path, printer);
        let file = LoadedFile::new(path, outcome);
        if let Err(LoadError::Read(error)) = file.outcome {
            return Err(error).with_context(|| {
                format!(
                    "{} cannot be read; pass a selector or a directory of selectors",
                    path.display()
                )
            });
        }
        warn(&file, printer);
        Ok(Self::File(file))
    }

    /// Returns the files in evaluation order.
    fn files(&self) -> &[LoadedFile] {
        match self {
            Self::Directory(report) => report.files(),
            Self::File(file) => std::slice::from_ref(file),
        }
    }

    fn chain(&self) -> Chain {
        self.files().iter().map(LoadedFile::selector).collect()
    }

    fn all_loaded(&self) -> bool {
        self.files().iter().all(|file| file.outcome.is_ok())
    }
}

fn load_file(
    host: &SelectorHost,
    path: &Path,
    printer: &Printer,
) -> Result<ComponentSelector, LoadError> {
    printer.patiently(compiling(path), || host.load_file(path))
}

fn compiling(path: &Path) -> String {
    let path = path.display();
    format!("compiling {path}; large selectors take several seconds the first time")
}

fn warn(file: &LoadedFile, printer: &Printer) {
    if let Err(error) = &file.outcome {
        let cause = std::error::Error::source(error);
        let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
        printer.warning(format_args!("{}: {error}{cause}", file.place()));
    }
}

/// Returns the command that started this program. Cargo sets `CARGO` for programs that it runs.
fn program() -> &'static str {
    match std::env::var_os("CARGO") {
        Some(_) => "cargo run --",
        None => "spanmux",
    }
}

/// Returns the first 12 digits of a digest, or `-` if there is none.
fn short(digest: Option<&str>) -> String {
    digest
        .and_then(|digest| digest.get(..12))
        .unwrap_or("-")
        .to_owned()
}

/// Returns the allow-lists of a selector for JSON output, or `None` if it may choose any tracer.
fn lists<'a>(lists: impl IntoIterator<Item = &'a AllowedTracers>) -> Option<Vec<Vec<&'a str>>> {
    let lists = lists.into_iter().map(|list| list.patterns().collect());
    Some(lists.collect()).filter(|lists: &Vec<_>| !lists.is_empty())
}

/// Formats the allow-lists of a selector. There are two if a lock file has one as well.
fn allowed<'a>(lists: impl IntoIterator<Item = &'a AllowedTracers>) -> String {
    let lists: Vec<String> = lists.into_iter().map(ToString::to_string).collect();
    match lists.as_slice() {
        [] => "any".to_owned(),
        lists => lists.join("\nand "),
    }
}

fn kilobytes(bytes: usize) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}

/// Formats a context as command line entries.
fn entries(json: &serde_json::Value) -> String {
    let Some(object) = json.as_object() else {
        return json.to_string();
    };
    if object.is_empty() {
        return "(empty)".to_owned();
    }
    let entry = |(key, value): (&String, &serde_json::Value)| match value.as_str() {
        Some(text) => one_line(format_args!("{key}={text}")),
        None => one_line(format_args!("{key}:={value}")),
    };
    object.iter().map(entry).collect::<Vec<_>>().join(" ")
}
