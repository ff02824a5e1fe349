//! `spanmux init`: writes a starter configuration.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use anyhow::{Context as _, Result, bail};

use crate::Verdict;
use crate::args::InitArgs;
use crate::printer::Printer;
use crate::starter::starter;

/// Writes the file. Overwrites an existing one only with `--force`.
pub(crate) fn run(args: &InitArgs, printer: &Printer) -> Result<Verdict> {
    let file = args.file.display();
    let text = starter(&args.exporter)?;
    let mut options = OpenOptions::new();
    if args.force {
        options.write(true).create(true).truncate(true)
    } else {
        options.write(true).create_new(true)
    };
    match options.open(&args.file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{file} already exists; choose another file or overwrite it with --force")
        }
        opened => opened
            .and_then(|mut opened| opened.write_all(text.as_bytes()))
            .with_context(|| format!("failed to write {file}"))?,
    }
    printer.line(format_args!("wrote {file}"));
    printer.progress(format_args!(
        "edit it, then run: spanmux config check {file}"
    ));
    Ok(Verdict::Yes)
}
