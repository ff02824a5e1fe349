//! Runs the tests again after every change of the cases or a selector.

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

/// The time without changes before a new run, because a build writes files more than once.
const STILL: Duration = Duration::from_millis(200);

enum Event {
    /// An event in a watched folder.
    Happened,
    /// Ctrl-C was pressed.
    End,
}

/// Runs until Ctrl-C. Returns the verdict of the last run.
pub(super) fn run(
    args: &TestArgs,
    printer: &Printer,
    once: impl Fn() -> Result<Verdict>,
) -> Result<Verdict> {
    let (send, events) = channel();
    let end = send.clone();
    // If the receiver is gone, the command is already exiting.
    ctrlc::set_handler(move || drop(end.send(Event::End))).context("cannot listen for Ctrl-C")?;
    let mut watcher = new_debouncer(STILL, move |_| drop(send.send(Event::Happened)))
        .context("cannot start a file watcher")?;
    for folder in folders(args) {
        watcher
            .watcher()
            .watch(&folder, RecursiveMode::NonRecursive)
            .with_context(|| format!("cannot watch {}", folder.display()))?;
    }
    loop {
        // Read before the run, so that changes during the run are noticed.
        let before = state(args);
        let outcome = once();
        if let Err(error) = &outcome {
            printer.error(error);
        }
        if printer.has_failed() {
            return outcome;
        }
        printer.progress("waiting for changes; press Ctrl-C to exit");
        // Reading a file causes an event too, so the state of the files is compared.
        let again = events.iter().find_map(|event| match event {
            Event::End => Some(false),
            Event::Happened => (state(args) != before).then_some(true),
        });
        match (again, outcome) {
            (Some(true), _) => {}
            (_, Ok(verdict)) => return Ok(verdict),
            (_, Err(_)) => bail!("the last run did not complete"),
        }
    }
}

/// Returns the folders of the files. The files themselves are not watched, because editors and
/// builds replace them.
fn folders(args: &TestArgs) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = subjects(args)
        .into_iter()
        .chain([args.cases.clone()])
        .map(|path| {
            if path.is_dir() {
                path
            } else {
                parent(&path).to_owned()
            }
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

/// Returns the modification time and size of each case and selector file.
fn state(args: &TestArgs) -> BTreeMap<PathBuf, Option<(SystemTime, u64)>> {
    let files = subjects(args).into_iter().flat_map(|path| {
        if path.is_dir() {
            selectors_in(&path)
        } else {
            vec![path]
        }
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
