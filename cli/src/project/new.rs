//! A new project from a template.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::Template;

/// How long a name may be, in bytes: file systems and tracers take more.
const LONGEST: usize = 64;

/// Writes a project into a folder that is not there yet, and returns its name, which
/// is that of the folder.
///
/// # Errors
/// If the name is none, the folder exists, or a file cannot be written.
pub(crate) fn create(template: &Template, folder: &Path) -> Result<String> {
    let name = name(folder)?;
    if folder.exists() {
        bail!(
            "{} exists already; name a folder that does not, or remove it",
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

/// A name that every language takes for a package.
fn name(folder: &Path) -> Result<String> {
    let name = folder.file_name().map(|name| name.to_string_lossy());
    let name = name.unwrap_or_default().into_owned();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    ensure!(
        begins && !name.ends_with('-') && name.chars().all(fits) && name.len() <= LONGEST,
        "`{name}` is no name for a selector; take small letters, digits and hyphens, a letter \
         first, as in `by-environment` (a number for its place in the chain comes before the name \
         of the live file: 50-by-environment.wasm)"
    );
    Ok(name)
}
