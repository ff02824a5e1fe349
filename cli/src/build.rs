//! Builds a selector project into the component that a host loads.
//!
//! Builds of Rust crates are reproducible: the same sources give the same bytes, independent of
//! the folder, the machine and the registry cache of the dependencies. Anyone can rebuild a
//! component and compare it. In other languages, reproducibility depends on their tools.

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

/// The default target of a selector. It links no system interface, so the component imports
/// only the runtime context.
pub(crate) const DEFAULT_TARGET: &str = "wasm32-unknown-unknown";

/// Options for building a selector.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildOptions {
    /// The file to write. Defaults to the package's `package.metadata.spanmux.output`, relative
    /// to its folder, or to `<package>.wasm` in that folder.
    pub(crate) output: Option<PathBuf>,
    /// The target. Defaults to [`DEFAULT_TARGET`]. `wasm32-wasip2` produces a component, which is
    /// written unchanged.
    pub(crate) target: Option<String>,
    /// Further arguments for `cargo build`.
    pub(crate) cargo_args: Vec<String>,
}

/// The result of a build.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The name of the selector.
    pub(crate) name: String,
    /// The file that was written.
    pub(crate) output: PathBuf,
    /// Its size in bytes.
    pub(crate) bytes: usize,
    /// `true` if the file had other contents before or did not exist.
    pub(crate) changed: bool,
}

/// A component before it is written.
struct Made {
    name: String,
    component: Vec<u8>,
    /// The output path set in the project, relative to its folder.
    output: Option<PathBuf>,
}

/// Builds the selector in `folder` and writes its component.
///
/// The messages of the tools go to standard error.
///
/// # Errors
///
/// Returns an error if the folder is not a project, a tool is missing, the build fails, or its
/// result is not a selector. Each message names the remedy.
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
                    "--target and cargo arguments apply to Rust crates only; this project is in \
                     {} and its selector.toml defines the build",
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
        .with_context(|| format!("`{}` was built, but is not a selector", package.name))?;
    Ok(Made {
        name: package.name,
        component,
        output: package.output,
    })
}

/// Writes a temporary file and renames it, so that a host that watches the folder never reads a
/// partial component.
fn write_whole(output: &Path, bytes: &[u8]) -> Result<()> {
    let Some(name) = output.file_name() else {
        bail!("{} is not a file name", output.display());
    };
    // The leading dot makes hosts ignore the file.
    let unfinished = output.with_file_name(format!(
        ".{}.{}",
        name.to_string_lossy(),
        std::process::id()
    ));
    fs::write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, output))
        .inspect_err(|_| {
            // The partial file is useless. A failure to remove it is ignored in favour of the
            // error that is being returned.
            let _ = fs::remove_file(&unfinished);
        })
        .with_context(|| format!("cannot write {}", output.display()))
}

/// Removes `folder/..` and `.` from a path, for messages.
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
