//! `spanmux build`: from a project's folder to a file that can be dropped in.

use anyhow::{Context as _, Result, ensure};

use super::kilobytes;
use crate::Verdict;
use crate::args::BuildArgs;
use crate::build::{BuildOptions, build};
use crate::printer::Printer;

/// Builds each folder and says where the selector is.
pub(crate) fn run(args: &BuildArgs, printer: &Printer) -> Result<Verdict> {
    ensure!(
        args.output.is_none() || args.folders.len() == 1,
        "--output names one file, and {} folders are to be built; build them one by one, or give \
         each project its `output`",
        args.folders.len()
    );
    let options = BuildOptions {
        output: args.output.clone(),
        target: args.target.clone(),
        cargo_args: args.cargo.clone(),
    };
    for folder in &args.folders {
        // Its name, where it was called `.`.
        let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        printer.progress(format_args!("building {}", whole.display()));
        let built = build(folder, &options)
            .with_context(|| format!("{} was not built", whole.display()))?;
        let state = if built.changed { "" } else { ", as it was" };
        printer.line(format_args!(
            "{}: {} ({}{state})",
            built.name,
            built.output.display(),
            kilobytes(built.bytes)
        ));
        printer.progress(
            "try it with `spanmux test` and `spanmux check`, or drop it into a selectors directory",
        );
    }
    Ok(Verdict::Yes)
}
