//! `spanmux traces`: prints the traces in the files of a file exporter as trees.

use std::fs;
use std::io::{Read as _, stdin};
use std::path::Path;

use anyhow::{Context as _, Result};
use spanmux::exporters::{OtlpTraces, ReadError, TraceTree};

use crate::Verdict;
use crate::args::TracesArgs;
use crate::printer::Printer;

/// The maximum number of reported lines of one file.
const MAX_REPORTED: usize = 5;

/// Prints each trace of each file, and reports the lines that are not OTLP trace requests. Returns
/// [`Verdict::No`] if there are no traces.
pub(crate) fn run(args: &TracesArgs, printer: &Printer) -> Result<Verdict> {
    let mut shown = 0;
    for file in &args.files {
        let OtlpTraces { trees, refused, .. } = TraceTree::read_otlp(&read(file)?);
        if args.files.len() > 1 && !trees.is_empty() {
            printer.heading(file.display());
        }
        let limit = args.limit.unwrap_or(usize::MAX);
        for tree in trees.into_iter().take(limit) {
            let tree = if args.outline { tree.outline() } else { tree };
            printer.block(tree.to_string().trim_end());
            shown += 1;
        }
        report(file, &refused, printer);
    }
    if shown == 0 {
        printer.progress("no traces found");
    }
    Ok((shown > 0).into())
}

/// Reports the skipped lines of a file.
fn report(file: &Path, refused: &[ReadError], printer: &Printer) {
    let file = file.display();
    for error in refused.iter().take(MAX_REPORTED) {
        printer.warning(format_args!("{file}: {error}; skipped"));
    }
    if refused.len() > MAX_REPORTED {
        let more = refused.len() - MAX_REPORTED;
        printer.warning(format_args!("{file}: {more} more lines skipped"));
    }
}

/// Reads a file. Bytes that are not UTF-8 text, such as those of a torn line, are replaced.
fn read(file: &Path) -> Result<String> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        let read = stdin().read_to_end(&mut bytes);
        read.context("standard input cannot be read")?;
        bytes
    } else {
        fs::read(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
