//! Creates a project from a template.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::Template;

/// Maximum length of a name in bytes, less than the limits of file systems and tracers.
const LONGEST: usize = 64;

/// Writes a project into a new folder and returns its name, which is the name of the folder.
///
/// # Errors
/// Returns an error if the name is invalid, the folder exists, or a file cannot be written.
pub(crate) fn create(template: &Template, folder: &Path) -> Result<String> {
    let name = name(folder)?;
    if folder.exists() {
        bail!(
            "{} already exists; choose another name, or remove the folder",
            folder.display()
        );
    }
    for (place, content) in template.files(&name) {
        let file = folder.join(place);
        file.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&file, content))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(name)
}

/// Returns the name of a folder, if it is a valid package name in every language.
fn name(folder: &Path) -> Result<String> {
    let name = folder.file_name().map(|name| name.to_string_lossy());
    let name = name.unwrap_or_default().into_owned();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    ensure!(
        begins && !name.ends_with('-') && name.chars().all(fits) && name.len() <= LONGEST,
        "invalid selector name `{name}`; use lowercase letters, digits and hyphens, starting with \
         a letter, as in `by-environment` (the number for the position in the chain is part of \
         the deployed file name only: 50-by-environment.wasm)"
    );
    Ok(name)
}
