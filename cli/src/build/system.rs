//! A WASI preview 1 implementation for toolchains that require it. It exposes no resources and
//! lets nothing leave the component.

use anyhow::{Context as _, Result};
use wasmparser::{Parser, Payload};

/// The system interface that older toolchains build against.
pub(super) const SYSTEM: &str = "wasi_snapshot_preview1";

/// Returns the adapter that implements the system interface, or `None` if the module does not
/// import it.
pub(super) fn adapter(module: &[u8]) -> Result<Option<Vec<u8>>> {
    let wanted = imports_system(module)?;
    let parsed = || wat::parse_str(include_str!("preview1.wat")).context("preview1.wat");
    wanted.then(parsed).transpose()
}

fn imports_system(module: &[u8]) -> Result<bool> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            let mut imports = imports.into_imports().flatten();
            return Ok(imports.any(|import| import.module == SYSTEM));
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
