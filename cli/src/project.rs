//! A selector's project: the folder that an author works in.
//!
//! What it is and how it is built stands in its `selector.toml`, as ordinary
//! commands, so that nothing here knows a language. A Rust crate needs none.

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

/// The file that says what a project is.
pub(crate) const FILE: &str = "selector.toml";

/// What `selector.toml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Project {
    pub(crate) selector: About,
    /// What must be installed.
    #[serde(default, rename = "tool")]
    pub(crate) tools: Vec<Tool>,
    /// None for a Rust crate: cargo knows how.
    pub(crate) build: Option<Steps>,
}

/// Whose project it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    pub(crate) name: String,
    /// As people write it.
    pub(crate) language: String,
}

/// How a project is built.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Steps {
    /// Commands, run in the project's folder one after the other.
    pub(crate) steps: Vec<Vec<String>>,
    /// What they leave: a component or a core module.
    pub(crate) module: PathBuf,
    /// What answers a core module that imports `wasi_snapshot_preview1`.
    pub(crate) adapter: Option<PathBuf>,
    /// Where the selector is written; without it `NAME.wasm`.
    pub(crate) output: Option<PathBuf>,
}

impl Project {
    /// What the folder says of itself; none if it does not.
    ///
    /// # Errors
    /// If its `selector.toml` cannot be read or understood.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let file = folder.join(FILE);
        if !file.is_file() {
            return Ok(None);
        }
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let project = Self::parse(&text).with_context(|| format!("{} is wrong", file.display()))?;
        Ok(Some(project))
    }

    fn parse(text: &str) -> Result<Self> {
        let project: Self = toml::from_str(text)?;
        let steps = project.build.iter().flat_map(|build| &build.steps);
        let tools = project.tools.iter().map(|tool| &tool.run);
        if steps.chain(tools).any(Vec::is_empty) {
            bail!("a command is empty; write its program and its arguments, as in [\"make\"]");
        }
        Ok(project)
    }
}
