//! WASI in its first form, for modules of toolchains that know no other: one that finds
//! nothing, and that nothing leaves.

use anyhow::{Context as _, Result};
use wasmparser::{Parser, Payload};

/// The interface of the system that older toolchains build against.
pub(super) const SYSTEM: &str = "wasi_snapshot_preview1";

/// What answers a module in the place of a system; none if it asks for nothing.
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
