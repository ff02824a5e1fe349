//! `spanmux build`: builds a project into a file for a selectors directory.

use anyhow::{Context as _, Result, ensure};

use super::kilobytes;
use crate::Verdict;
use crate::args::BuildArgs;
use crate::build::{BuildOptions, build};
use crate::printer::Printer;

/// Builds each folder and prints the path of the selector.
pub(crate) fn run(args: &BuildArgs, printer: &Printer) -> Result<Verdict> {
    ensure!(
        args.output.is_none() || args.folders.len() == 1,
        "--output names one file, but {} folders were given; build them one by one, or set \
         `output` in each project",
        args.folders.len()
    );
    let options = BuildOptions {
        output: args.output.clone(),
        target: args.target.clone(),
        cargo_args: args.cargo.clone(),
    };
    for folder in &args.folders {
        // Shows the name of the folder if it was given as `.`.
        let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        printer.progress(format_args!("building {}", whole.display()));
        let built = build(folder, &options)
            .with_context(|| format!("failed to build {}", whole.display()))?;
        let state = if built.changed { "" } else { ", unchanged" };
        printer.line(format_args!(
            "{}: {} ({}{state})",
            built.name,
            built.output.display(),
            kilobytes(built.bytes)
        ));
        printer.progress(
            "next: run `spanmux test` and `spanmux check`, or copy it into a selectors directory",
        );
    }
    Ok(Verdict::Yes)
}
