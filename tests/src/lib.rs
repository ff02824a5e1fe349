//! What the suites share.

use std::path::PathBuf;

/// Where the files of a folder of this crate are.
pub fn folder_of(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)
}
