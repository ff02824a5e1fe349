//! Finds out which tools of a project are missing, and runs its commands.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use serde::Deserialize;

/// A tool that must be installed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tool {
    /// A command that succeeds if the tool is installed.
    pub(crate) run: Vec<String>,
    /// Installation instructions.
    pub(crate) install: String,
}

impl Tool {
    /// Returns the name of its program.
    pub(crate) fn name(&self) -> &str {
        self.run.first().map_or("", String::as_str)
    }

    /// Returns `true` if the tool is a file of the project, which exists only after running the
    /// language's install command there.
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

/// Returns the tools that do not work in this folder.
pub(crate) fn missing<'a>(
    tools: impl IntoIterator<Item = &'a Tool>,
    folder: &Path,
) -> Vec<&'a Tool> {
    let tools = tools.into_iter();
    tools.filter(|tool| !tool.works(folder)).collect()
}

/// Checks that all tools are installed.
///
/// # Errors
/// Returns an error with the names and installation instructions of the missing tools.
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
        "a selector in {language} requires {}, which cannot be run here. Install the missing \
         tools:\n\n    {}",
        names.join(" and "),
        remedies.join("\n    ")
    );
}

/// Returns a command that runs in a folder. A program path that contains a slash is relative to
/// that folder.
pub(crate) fn program(folder: &Path, command: &[String]) -> Option<Command> {
    let (name, arguments) = command.split_first()?;
    let program = if name.contains('/') {
        // Absolute, because the resolution of a relative program path depends on the system.
        std::path::absolute(folder.join(name)).ok()?
    } else {
        PathBuf::from(name)
    };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    Some(command)
}
