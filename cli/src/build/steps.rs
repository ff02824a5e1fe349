//! Builds a project with the commands of its `selector.toml`.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use super::{Made, component};
use crate::project::{Steps, program};

/// Runs the steps and converts their output to a component.
pub(super) fn build(folder: &Path, name: &str, build: &Steps) -> Result<Made> {
    let module = folder.join(&build.module);
    if let Some(parent) = module.parent() {
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot create the folder {}", parent.display()))?;
    }
    build.steps.iter().try_for_each(|step| run(folder, step))?;
    let bytes = fs::read(&module).with_context(|| {
        format!(
            "the build steps did not write {}, the `module` in selector.toml",
            module.display()
        )
    })?;
    let bytes = wat::Parser::new()
        .parse_bytes(Some(&module), &bytes)
        .with_context(|| {
            format!(
                "{} is neither binary nor text WebAssembly",
                module.display()
            )
        })?;
    let adapter = build.adapter.as_ref().map(|adapter| {
        let adapter = folder.join(adapter);
        fs::read(&adapter).with_context(|| format!("cannot read {}", adapter.display()))
    });
    let component = component::from_build(&bytes, adapter.transpose()?.as_deref())
        .with_context(|| format!("`{name}` was built, but is not a selector"))?;
    Ok(Made {
        name: name.to_owned(),
        component,
        output: build.output.clone(),
    })
}

/// Runs one command. Its output goes to standard error, because standard output is reserved for
/// the result of the build.
fn run(folder: &Path, step: &[String]) -> Result<()> {
    let shown = step.join(" ");
    let Some(mut command) = program(folder, step) else {
        return Ok(());
    };
    let status = command
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status}); see its messages above");
    }
    Ok(())
}
