//! `spanmux new`: creates a selector project from a template.

use std::path::Path;

use anyhow::Result;

use crate::Verdict;
use crate::args::NewArgs;
use crate::printer::Printer;
use crate::project::{self, Template, Tool, languages, missing};

/// Creates a project, or lists the languages.
pub(crate) fn run(args: &NewArgs, printer: &Printer) -> Result<Verdict> {
    match (&args.lang, &args.name) {
        (Some(language), Some(folder)) => create(language, folder, printer)?,
        _ => list(printer)?,
    }
    Ok(Verdict::Yes)
}

fn create(language: &str, folder: &Path, printer: &Printer) -> Result<()> {
    let template = Template::find(language)?;
    let name = project::create(&template, folder)?;
    let project = template.project(&name)?;
    printer.line(format_args!(
        "created {}, a selector in {}",
        folder.display(),
        project.selector.language
    ));
    for line in [
        format!("cd {}", folder.display()),
        "spanmux build".to_owned(),
        "spanmux test".to_owned(),
    ] {
        printer.line(format_args!("  {line}"));
    }
    for tool in missing(&project.tools, folder) {
        printer.progress(format_args!("needs `{}`: {}", tool.name(), tool.install));
    }
    Ok(())
}

fn list(printer: &Printer) -> Result<()> {
    let row = |template: &Template| -> Result<Vec<String>> {
        let project = template.project("name")?;
        let installed = |tool: &&Tool| !tool.is_the_projects();
        let tools: Vec<&Tool> = project.tools.iter().filter(installed).collect();
        let here = match missing(tools.iter().copied(), Path::new(".")).as_slice() {
            [] => "installed".to_owned(),
            some => format!("missing: {}", names(some)),
        };
        let mut install: Vec<&str> = tools.iter().map(|tool| tool.install.as_str()).collect();
        install.dedup();
        Ok(vec![
            template.language.clone(),
            project.selector.language,
            here,
            install.join("\n"),
        ])
    };
    let rows: Result<Vec<_>> = languages().iter().map(row).collect();
    printer.table(&["--lang", "language", "tools", "installation"], rows?);
    Ok(())
}

fn names(tools: &[&Tool]) -> String {
    let names: Vec<&str> = tools.iter().map(|tool| tool.name()).collect();
    names.join(", ")
}
