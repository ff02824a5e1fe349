//! Which of a project's tools are there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use serde::Deserialize;

/// One tool that must be installed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tool {
    /// A command that works if it is there.
    pub(crate) run: Vec<String>,
    /// How to get it.
    pub(crate) install: String,
}

impl Tool {
    /// The name of its program.
    pub(crate) fn name(&self) -> &str {
        self.run.first().map_or("", String::as_str)
    }

    /// Whether it is a file of the project, which there is only after an install
    /// command of the language ran in it.
    pub(crate) fn is_the_projects(&self) -> bool {
        self.name().contains('/')
    }

    fn works(&self, folder: &Path) -> bool {
        let command = program(folder, &self.run).map(|mut command| {
            let silent = command.stdin(Stdio::null()).stdout(Stdio::null());
            silent.stderr(Stdio::null()).status()
        });
        matches!(command, Some(Ok(status)) if status.success())
    }
}

/// Those of the tools that do not work in this folder.
pub(crate) fn missing<'a>(
    tools: impl IntoIterator<Item = &'a Tool>,
    folder: &Path,
) -> Vec<&'a Tool> {
    let tools = tools.into_iter();
    tools.filter(|tool| !tool.works(folder)).collect()
}

/// That none is missing.
///
/// # Errors
/// Names each that is, with how to get it.
pub(crate) fn require(tools: &[Tool], language: &str, folder: &Path) -> Result<()> {
    let missing = missing(tools, folder);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = missing
        .iter()
        .map(|tool| format!("`{}`", tool.name()))
        .collect();
    let mut remedies: Vec<&str> = missing.iter().map(|tool| tool.install.as_str()).collect();
    remedies.dedup();
    bail!(
        "a selector in {language} is built with {}, which cannot be run here. To get what is \
         missing:\n\n    {}",
        names.join(" and "),
        remedies.join("\n    ")
    );
}

/// A command to be run in a folder: a program with a slash is the folder's own.
pub(crate) fn program(folder: &Path, command: &[String]) -> Option<Command> {
    let (name, arguments) = command.split_first()?;
    let program = match name.contains('/') {
        // Made whole, because where a relative one is looked for depends on the system.
        true => std::path::absolute(folder.join(name)).ok()?,
        false => PathBuf::from(name),
    };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    Some(command)
}
