//! `spanmux lock`: writes or verifies a lock file with the digests of a directory's selectors.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use spanmux::config::Config;
use spanmux::{AllowedTracers, LoadError, LoadReport, LoadedFile, SelectorsLock};

use super::{allowed, directory, load_directory, short, warn};
use crate::Verdict;
use crate::args::{CacheArgs, LockCommandArgs};
use crate::printer::Printer;

/// Writes a lock file, or verifies one. Returns [`Verdict::No`] if a selector cannot be loaded,
/// in which case nothing is written, or if the directory differs from the lock file.
pub(crate) fn run(args: &LockCommandArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let lock = match &args.out {
        Some(lock) => lock.clone(),
        None => beside(&args.selectors)?,
    };
    if args.check {
        check(args, &lock, cache, printer)
    } else {
        write(args, &lock, cache, printer)
    }
}

/// Returns the default lock file of a directory, such as `selectors.lock` for `selectors`.
fn beside(selectors: &Path) -> Result<PathBuf> {
    let real = || fs::canonicalize(selectors);
    let named = selectors.file_name().map(|_| selectors.to_owned());
    let path = named.map_or_else(real, Ok);
    let path = path.with_context(|| format!("{} cannot be read", selectors.display()))?;
    Ok(path.with_added_extension("lock"))
}

fn write(
    args: &LockCommandArgs,
    lock: &Path,
    cache: &CacheArgs,
    printer: &Printer,
) -> Result<Verdict> {
    directory(&args.selectors, Some(lock), cache, printer)?.check_lock()?;
    let report = load_directory(&args.selectors, None, cache, printer)?;
    if report.failed().next().is_some() {
        printer.warning(format_args!(
            "{} was not written; fix or remove the selectors that cannot be loaded",
            lock.display()
        ));
        return Ok(Verdict::No);
    }
    let listed = with_lists(SelectorsLock::of(&report), args, lock, printer)?;
    if let Some(file) = report.files().iter().find(|file| !is_listed(&listed, file)) {
        bail!(
            "the name of {} is not UTF-8, so a lock file cannot list it; rename the file",
            file.place()
        );
    }
    listed.write(lock)?;
    printer.line(format_args!(
        "wrote {}: {} selectors",
        lock.display(),
        listed.entries().count()
    ));
    Ok(Verdict::Yes)
}

/// Adds the allow-lists of the configuration, or those of the lock file that is replaced.
fn with_lists(
    mut listed: SelectorsLock,
    args: &LockCommandArgs,
    lock: &Path,
    printer: &Printer,
) -> Result<SelectorsLock> {
    if let Some(path) = &args.config {
        let config = Config::from_file(path)?;
        for (file, allowed) in config.allowed_tracers() {
            if listed.digest(file).is_none() {
                bail!(
                    "{} restricts {file:?}, which is not in {}; correct the name or remove its table",
                    path.display(),
                    args.selectors.display()
                );
            }
            listed = listed.with_allowed_tracers(file, allowed);
        }
        return Ok(listed);
    }
    if !lock.exists() {
        return Ok(listed);
    }
    // A lock file without the allow-lists would leave their selectors unrestricted.
    let before = SelectorsLock::from_file(lock).context(
        "its allow-lists cannot be kept; repair the lock file, delete it, or pass --config",
    )?;
    for (file, _) in before.entries() {
        match before.allowed_tracers(file) {
            Some(_) if listed.digest(file).is_none() => printer.warning(format_args!(
                "the allow-list of {file} is dropped, because the directory no longer has that file"
            )),
            Some(allowed) => listed = listed.with_allowed_tracers(file, allowed),
            None => {}
        }
    }
    Ok(listed)
}

/// Prints each selector whose allow-list in the lock file is not that of the configuration. Returns
/// `true` if there is none.
fn same_lists(config: &Path, lock: &Path, printer: &Printer) -> Result<bool> {
    let config = Config::from_file(config)?;
    let lock = SelectorsLock::from_file(lock)?;
    let wanted: BTreeMap<&str, &AllowedTracers> = config.allowed_tracers().collect();
    let mut same = true;
    for (file, _) in lock.entries() {
        let (found, wanted) = (lock.allowed_tracers(file), wanted.get(file).copied());
        if found != wanted {
            same = false;
            let name = file.strip_suffix(".wasm").unwrap_or(file);
            printer.line(format_args!(
                "restricted {name} ({} to {})",
                allowed(found),
                allowed(wanted)
            ));
        }
    }
    for file in wanted.keys().filter(|file| lock.digest(file).is_none()) {
        same = false;
        printer.line(format_args!("restricted but not listed {file}"));
    }
    Ok(same)
}

fn is_listed(lock: &SelectorsLock, file: &LoadedFile) -> bool {
    let name = file.path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| lock.digest(name).is_some())
}

fn check(
    args: &LockCommandArgs,
    lock: &Path,
    cache: &CacheArgs,
    printer: &Printer,
) -> Result<Verdict> {
    let directory = directory(&args.selectors, Some(lock), cache, printer)?;
    let report: LoadReport = directory.load()?;
    for file in report.files() {
        match file.outcome.as_ref().err() {
            None => {}
            Some(error) => match difference(error) {
                Some(difference) => printer.line(format_args!("{difference} {}", file.name())),
                None => warn(file, printer),
            },
        }
    }
    let same = match &args.config {
        Some(config) => same_lists(config, lock, printer)?,
        None => true,
    };
    Ok((same && report.failed().next().is_none()).into())
}

/// Describes the difference from the lock file, or returns `None` if the file matches but cannot
/// be loaded.
fn difference(error: &LoadError) -> Option<String> {
    match error {
        LoadError::DigestMismatch {
            found,
            wanted: Some(wanted),
            ..
        } => Some(format!(
            "changed ({} to {})",
            short(Some(wanted)),
            short(Some(found))
        )),
        LoadError::DigestMismatch { found, .. } => Some(format!("added ({})", short(Some(found)))),
        LoadError::Missing { .. } => Some("missing".to_owned()),
        _ => None,
    }
}
