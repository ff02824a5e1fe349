//! `spanmux init`: a configuration to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use anyhow::{Context as _, Result, bail};

use crate::Verdict;
use crate::args::InitArgs;
use crate::printer::Printer;
use crate::starter::starter;

/// Writes the file, and does not replace one unless it is told to.
pub(crate) fn run(args: &InitArgs, printer: &Printer) -> Result<Verdict> {
    let file = args.file.display();
    let text = starter(&args.exporter)?;
    let mut options = OpenOptions::new();
    match args.force {
        true => options.write(true).create(true).truncate(true),
        false => options.write(true).create_new(true),
    };
    match options.open(&args.file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{file} is there already; name another file, or replace it with --force")
        }
        opened => opened
            .and_then(|mut opened| opened.write_all(text.as_bytes()))
            .with_context(|| format!("{file} cannot be written"))?,
    }
    printer.line(format_args!("wrote {file}"));
    printer.progress(format_args!(
        "look into it, then: spanmux config check {file}"
    ));
    Ok(Verdict::Yes)
}
