//! A selector project: the folder in which an author works.
//!
//! Its `selector.toml` describes the project and defines the build as ordinary commands, so this
//! module contains no language-specific code. A Rust crate does not need the file.

mod new;
mod templates;
#[cfg(test)]
mod tests;
mod tools;

pub(crate) use new::create;
pub(crate) use templates::{Template, languages};
pub(crate) use tools::{Tool, missing, program, require};

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// The name of the project file.
pub(crate) const FILE: &str = "selector.toml";

/// The contents of `selector.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Project {
    pub(crate) selector: About,
    /// The tools that must be installed.
    #[serde(default, rename = "tool")]
    pub(crate) tools: Vec<Tool>,
    /// The build, or `None` for a Rust crate, which is built by cargo.
    pub(crate) build: Option<Steps>,
}

/// The `[selector]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    pub(crate) name: String,
    /// The display name of the programming language.
    pub(crate) language: String,
}

/// The `[build]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Steps {
    /// Commands, run one after the other in the project's folder.
    pub(crate) steps: Vec<Vec<String>>,
    /// The file that they write: a component or a core module.
    pub(crate) module: PathBuf,
    /// The adapter for a core module that imports `wasi_snapshot_preview1`.
    pub(crate) adapter: Option<PathBuf>,
    /// The output path of the selector. Defaults to `NAME.wasm`.
    pub(crate) output: Option<PathBuf>,
}

impl Project {
    /// Reads the `selector.toml` of a folder. Returns `None` if the folder has none.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is invalid.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let file = folder.join(FILE);
        if !file.is_file() {
            return Ok(None);
        }
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let project =
            Self::parse(&text).with_context(|| format!("{} is invalid", file.display()))?;
        Ok(Some(project))
    }

    fn parse(text: &str) -> Result<Self> {
        let project: Self = toml::from_str(text)?;
        let steps = project.build.iter().flat_map(|build| &build.steps);
        let tools = project.tools.iter().map(|tool| &tool.run);
        if steps.chain(tools).any(Vec::is_empty) {
            bail!("a command is empty; write the program and its arguments, as in [\"make\"]");
        }
        Ok(project)
    }
}
