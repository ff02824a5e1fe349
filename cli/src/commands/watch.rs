//! `spanmux watch`: prints the changes of a selectors directory as they happen.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use serde::Serialize;
use spanmux::{WatchStatus, WatchedDirectory, WatchedFile};

use super::{directory, short};
use crate::Verdict;
use crate::args::{CacheArgs, WatchArgs};
use crate::printer::Printer;

/// One line: the change of a file, or of the directory if `file` is `None`.
#[derive(Serialize)]
struct Line {
    time: String,
    file: Option<String>,
    what: &'static str,
    digest: Option<String>,
    reason: Option<String>,
}

/// Watches until the given limit. Returns [`Verdict::No`] if a file is refused at the end or the
/// directory cannot be read.
pub(crate) fn run(args: &WatchArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let directory = directory(&args.selectors, args.lock.file(), cache, printer)?;
    // This command makes no decisions, so it does not use the chain.
    let watched = directory.watch(|_| {})?;
    let mut seen = watched.status();
    show(&WatchStatus::default(), &seen, args, printer);
    let begun = Instant::now();
    let first = seen.changes;
    while !printer.has_failed()
        && args.until_changes.is_none_or(|n| seen.changes - first < n)
        && let Some(next) = next(&watched, &seen, rest(args, begun))
    {
        show(&seen, &next, args, printer);
        seen = next;
    }
    let refused = seen.files.iter().any(|file| file.refused.is_some());
    Ok((!refused && seen.trouble.is_none()).into())
}

fn rest(args: &WatchArgs, begun: Instant) -> Duration {
    let whole = args.seconds.map_or(Duration::MAX, Duration::from_secs);
    whole.saturating_sub(begun.elapsed())
}

/// Returns the status after the next change, or `None` after a timeout.
fn next(watched: &WatchedDirectory, seen: &WatchStatus, rest: Duration) -> Option<WatchStatus> {
    watched.wait_until(rest, |status| status.changes > seen.changes)
}

/// Prints the differences between two statuses.
fn show(before: &WatchStatus, now: &WatchStatus, args: &WatchArgs, printer: &Printer) {
    for line in lines(before, now) {
        if args.json {
            printer.json(&line)
        } else {
            printer.line(line.text())
        }
    }
}

fn lines(before: &WatchStatus, now: &WatchStatus) -> Vec<Line> {
    let mut lines = Vec::new();
    for file in &now.files {
        lines.extend(of_file(before.file(&file.name), file));
    }
    for file in &before.files {
        if now.file(&file.name).is_none() {
            lines.push(Line::new(Some(file), SystemTime::now(), "removed"));
        }
    }
    match (&before.trouble, &now.trouble) {
        (before, Some(trouble)) if before.as_ref() != Some(trouble) => lines.push(Line {
            reason: Some(trouble.reason.clone()),
            ..Line::new(None, trouble.since, "directory unreadable")
        }),
        (Some(_), None) => {
            lines.push(Line::new(None, SystemTime::now(), "directory readable"));
        }
        _ => {}
    }
    lines
}

fn of_file(before: Option<&WatchedFile>, now: &WatchedFile) -> Vec<Line> {
    let mut lines = Vec::new();
    let was_active = before.and_then(|file| file.active.as_ref());
    let was_refused = before.and_then(|file| file.refused.as_ref());
    if let Some(active) = now.active.as_ref().filter(|now| Some(*now) != was_active) {
        lines.push(Line {
            digest: Some(active.digest.clone()),
            ..Line::new(Some(now), active.since, "live")
        });
    }
    match &now.refused {
        Some(refused) if Some(refused) != was_refused => lines.push(Line {
            reason: Some(refused.reason.clone()),
            ..Line::new(Some(now), refused.since, "refused")
        }),
        None if was_refused.is_some() && lines.is_empty() => {
            lines.push(Line::new(Some(now), SystemTime::now(), "restored"));
        }
        _ => {}
    }
    lines
}

impl Line {
    fn new(file: Option<&WatchedFile>, time: SystemTime, what: &'static str) -> Self {
        Self {
            time: humantime::format_rfc3339_millis(time).to_string(),
            file: file.map(|file| file.name.clone()),
            what,
            digest: None,
            reason: None,
        }
    }

    fn text(&self) -> String {
        let digest = self.digest.as_deref().map(|digest| short(Some(digest)));
        let detail = self.reason.clone().or(digest).unwrap_or_default();
        let file = self.file.as_deref().unwrap_or("-");
        let line = format!("{}  {file}  {}  {detail}", self.time, self.what);
        line.trim_end().to_owned()
    }
}
