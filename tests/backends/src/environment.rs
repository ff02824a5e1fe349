//! The installation of the backends, and their data directories.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

/// The Python environment of `install`, and a directory for this run.
#[derive(Clone)]
pub struct Environment {
    installed: PathBuf,
    home: PathBuf,
}

impl Environment {
    /// # Errors
    /// Returns an error if nothing is installed there.
    pub fn new(installed: &Path, home: &TempDir) -> Result<Self> {
        ensure!(
            installed.join("installed").is_file(),
            "no backends are installed in {}; run tests/backends/install",
            installed.display()
        );
        Ok(Self {
            installed: std::path::absolute(installed)?,
            home: home.path().to_owned(),
        })
    }

    /// Returns Python with the packages of the backends, without the caller's OpenTelemetry
    /// settings.
    pub fn python(&self) -> Command {
        self.command(&self.installed.join("bin/python"))
    }

    pub fn rotel(&self) -> Result<Command> {
        let library = self.installed.join("lib");
        let versions = fs::read_dir(&library)
            .with_context(|| format!("{} cannot be listed", library.display()))?;
        let agent = versions
            .flatten()
            .map(|version| version.path().join("site-packages/rotel/rotel-agent"))
            .find(|agent| agent.is_file())
            .context("rotel is not installed; run tests/backends/install")?;
        Ok(self.command(&agent))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.home);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["OTEL_", "PHOENIX_", "MLFLOW_", "ROTEL_"]
                .iter()
                .any(|theirs| name.starts_with(theirs))
            {
                command.env_remove(&*name);
            }
        }
        command
    }

    /// Returns the directory of a backend. Creates it if it does not exist.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.home.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Returns the log file of a backend.
    pub fn log(&self, name: &str) -> PathBuf {
        self.home.join(name).with_extension("log")
    }
}
