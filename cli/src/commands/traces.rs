//! `spanmux traces`: prints the traces in the files of a file exporter as trees.

use std::fs;
use std::io::{Read as _, stdin};
use std::path::Path;

use anyhow::{Context as _, Result};
use spanmux::exporters::TraceTree;

use crate::Verdict;
use crate::args::TracesArgs;
use crate::printer::Printer;

/// Prints each trace of each file. Returns [`Verdict::No`] if there are none.
pub(crate) fn run(args: &TracesArgs, printer: &Printer) -> Result<Verdict> {
    let mut shown = 0;
    for file in &args.files {
        let trees = TraceTree::read_otlp_lines(&read(file)?)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        if args.files.len() > 1 && !trees.is_empty() {
            printer.heading(file.display());
        }
        let limit = args.limit.unwrap_or(usize::MAX);
        for tree in trees.into_iter().take(limit) {
            let tree = if args.outline { tree.outline() } else { tree };
            printer.line(tree.to_string().trim_end());
            shown += 1;
        }
    }
    if shown == 0 {
        printer.progress("no traces found");
    }
    Ok((shown > 0).into())
}

fn read(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        stdin()
            .read_to_string(&mut text)
            .context("standard input cannot be read")?;
        return Ok(text);
    }
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}
