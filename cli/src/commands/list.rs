//! `spanmux list`: lists the selectors of a directory in evaluation order.

use anyhow::Result;
use serde_json::json;
use spanmux::Selector as _;

use super::{allowed, kilobytes, lists, load_directory, short};
use crate::Verdict;
use crate::args::{CacheArgs, ListArgs};
use crate::printer::Printer;

/// Lists a directory. Returns [`Verdict::No`] if a file could not be loaded.
pub(crate) fn run(args: &ListArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let report = load_directory(&args.selectors, args.lock.file(), cache, printer)?;
    let all_loaded = report.failed().next().is_none();
    if args.json {
        for file in report.files() {
            let selector = file.outcome.as_ref().ok();
            printer.json(&json!({
                "file": file.path,
                "name": file.name(),
                "digest": selector.and_then(|selector| selector.digest()),
                "bytes": selector.map(|selector| selector.file_bytes()),
                "imports": selector.map(|selector| selector.imports()),
                "tracers": lists(file.allowed_tracers()),
                "error": file.outcome.as_ref().err().map(ToString::to_string),
            }));
        }
        return Ok(all_loaded.into());
    }
    let restricts = report
        .files()
        .iter()
        .any(|file| file.allowed_tracers().next().is_some());
    let rows = report.files().iter().zip(1..).map(|(file, place)| {
        let selector = file.outcome.as_ref().ok();
        let mut row = vec![
            place.to_string(),
            file.name(),
            selector.map_or("-".to_owned(), |selector| kilobytes(selector.file_bytes())),
            short(selector.and_then(|selector| selector.digest())),
            selector.map_or("unavailable", |_| "live").to_owned(),
        ];
        row.extend(restricts.then(|| allowed(file.allowed_tracers())));
        row
    });
    let mut columns = vec!["order", "selector", "size", "digest", "state"];
    columns.extend(restricts.then_some("may choose"));
    printer.table(&columns, rows);
    Ok(all_loaded.into())
}
