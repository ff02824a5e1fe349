//! From the folder of a selector to the component that a host loads.
//!
//! Of a Rust crate the same sources give the same bytes: whatever folder they lie in,
//! whatever the machine is called, whoever's registry cache the dependencies came from.
//! So a component can be rebuilt by anybody and compared. In other languages that is as
//! good as their tools.

mod cargo;
mod component;
mod steps;
mod system;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use cargo::{Package, Toolchain};

use crate::project::{Project, require};

/// The target of a selector unless another is asked for: no system interface is
/// linked, so the component imports the runtime context and nothing else.
pub(crate) const DEFAULT_TARGET: &str = "wasm32-unknown-unknown";

/// How to build a selector.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildOptions {
    /// Where to write the component. Without it the package says so in
    /// `package.metadata.spanmux.output`, relative to its folder; else it is
    /// `<package>.wasm` in that folder.
    pub(crate) output: Option<PathBuf>,
    /// A target other than [`DEFAULT_TARGET`]. `wasm32-wasip2` gives a component
    /// already, which is written as it comes.
    pub(crate) target: Option<String>,
    /// More arguments for `cargo build`.
    pub(crate) cargo_args: Vec<String>,
}

/// What was built.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The name of the selector.
    pub(crate) name: String,
    /// Where the component was written.
    pub(crate) output: PathBuf,
    /// Its size in bytes.
    pub(crate) bytes: usize,
    /// Whether the file held other bytes before, or was not there.
    pub(crate) changed: bool,
}

/// A component that is not written yet.
struct Made {
    name: String,
    component: Vec<u8>,
    /// Where the project says that it belongs, relative to its folder.
    output: Option<PathBuf>,
}

/// Builds the selector in `folder` and writes its component.
///
/// The messages of the tools go to standard error.
///
/// # Errors
///
/// If the folder is no project, a tool is missing, it does not build, or what it
/// builds is no selector. Each message says what to do.
pub(crate) fn build(folder: &Path, options: &BuildOptions) -> Result<Built> {
    let project = Project::read(folder)?;
    if let Some(project) = &project {
        require(&project.tools, &project.selector.language, folder)?;
    }
    let made = match project {
        Some(Project {
            selector,
            build: Some(build),
            ..
        }) => {
            if options.target.is_some() || !options.cargo_args.is_empty() {
                bail!(
                    "--target and arguments for cargo are for Rust crates, and this is a project \
                     in {}; its selector.toml says how it is built",
                    selector.language
                );
            }
            steps::build(folder, &selector.name, &build)?
        }
        _ => build_crate(folder, options)?,
    };
    let output = match (&options.output, &made.output) {
        (Some(output), _) => output.clone(),
        (None, Some(output)) => folder.join(output),
        (None, None) => folder.join(&made.name).with_extension("wasm"),
    };
    let output = tidy(&output);
    let changed = fs::read(&output).ok().as_deref() != Some(&made.component);
    if changed {
        write_whole(&output, &made.component)?;
    }
    Ok(Built {
        name: made.name,
        output,
        bytes: made.component.len(),
        changed,
    })
}

fn build_crate(folder: &Path, options: &BuildOptions) -> Result<Made> {
    let target = options.target.as_deref().unwrap_or(DEFAULT_TARGET);
    let package = Package::read(folder, target, &options.cargo_args)?;
    let toolchain = Toolchain::read(folder)?;
    let builds_std = |arg: &String| arg.contains("build-std");
    if !options.cargo_args.iter().any(builds_std) {
        toolchain.require(target)?;
    }
    let module = cargo::build(&package, &toolchain, target, &options.cargo_args)?;
    let bytes = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    let component = component::from_build(&bytes, None)
        .with_context(|| format!("`{}` was built, but is no selector", package.name))?;
    Ok(Made {
        name: package.name,
        component,
        output: package.output,
    })
}

/// Writes beside the file and renames, so that a host that watches the folder
/// never reads half a component.
fn write_whole(output: &Path, bytes: &[u8]) -> Result<()> {
    let Some(name) = output.file_name() else {
        bail!("{} is not the name of a file", output.display());
    };
    // With a leading dot, because a host ignores such files.
    let unfinished = output.with_file_name(format!(
        ".{}.{}",
        name.to_string_lossy(),
        std::process::id()
    ));
    fs::write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, output))
        .inspect_err(|_| {
            // What is left of it is of no use; that it cannot be removed is of no
            // more interest than the error that is on its way.
            let _ = fs::remove_file(&unfinished);
        })
        .with_context(|| format!("cannot write {}", output.display()))
}

/// The path without `folder/..` in it, for messages.
fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        let last = tidied.components().next_back();
        match (part, last) {
            (std::path::Component::ParentDir, Some(std::path::Component::Normal(_))) => {
                tidied.pop();
            }
            (std::path::Component::CurDir, _) => {}
            _ => tidied.push(part),
        }
    }
    tidied
}
