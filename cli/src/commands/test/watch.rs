//! Running again whenever the cases or a selector change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use notify_debouncer_mini::new_debouncer;
use notify_debouncer_mini::notify::RecursiveMode;

use super::subjects;
use crate::Verdict;
use crate::args::TestArgs;
use crate::printer::Printer;

/// How long files must lie still: a build writes more than once.
const STILL: Duration = Duration::from_millis(200);

enum Event {
    /// Something happened in a folder that is watched.
    Happened,
    /// Ctrl-C.
    End,
}

/// Runs until Ctrl-C. The verdict is that of the last run.
pub(super) fn run(
    args: &TestArgs,
    printer: &Printer,
    once: impl Fn() -> Result<Verdict>,
) -> Result<Verdict> {
    let (send, events) = channel();
    let end = send.clone();
    // Who listens no more is ending already.
    ctrlc::set_handler(move || drop(end.send(Event::End))).context("cannot listen for Ctrl-C")?;
    let mut watcher = new_debouncer(STILL, move |_| drop(send.send(Event::Happened)))
        .context("this machine cannot watch files")?;
    for folder in folders(args) {
        watcher
            .watcher()
            .watch(&folder, RecursiveMode::NonRecursive)
            .with_context(|| format!("cannot watch {}", folder.display()))?;
    }
    loop {
        // Before the run, so that what changes meanwhile is seen.
        let before = state(args);
        let outcome = once();
        if let Err(error) = &outcome {
            printer.error(error);
        }
        printer.progress("waiting for a change; Ctrl-C ends");
        // To read a file is an event too, so the files are looked at.
        let again = events.iter().find_map(|event| match event {
            Event::End => Some(false),
            Event::Happened => (state(args) != before).then_some(true),
        });
        match (again, outcome) {
            (Some(true), _) => {}
            (_, Ok(verdict)) => return Ok(verdict),
            (_, Err(_)) => bail!("the last run could not be done"),
        }
    }
}

/// The folders that the files lie in. Not the files: an editor, as a build, puts a new
/// one in the place of the old.
fn folders(args: &TestArgs) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = subjects(args)
        .into_iter()
        .chain([args.cases.clone()])
        .map(|path| match path.is_dir() {
            true => path,
            false => parent(&path).to_owned(),
        })
        .collect();
    folders.sort_unstable();
    folders.dedup();
    folders
}

fn parent(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// When each file that counts was written, and how large it is.
fn state(args: &TestArgs) -> BTreeMap<PathBuf, Option<(SystemTime, u64)>> {
    let files = subjects(args)
        .into_iter()
        .flat_map(|path| match path.is_dir() {
            true => selectors_in(&path),
            false => vec![path],
        });
    let stamp = |path: &PathBuf| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    let files = files.chain([args.cases.clone()]);
    files.map(|path| (path.clone(), stamp(&path))).collect()
}

fn selectors_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "wasm"))
        .collect()
}
