//! Formatting of text from a guest or its file.

use std::path::Path;

use spanmux_core::internal;

/// Formats text on one line without characters that control a terminal.
pub(super) fn printable(words: impl Iterator<Item = char>) -> String {
    internal::printable(&words.collect::<String>())
}

/// Returns the name of a file's selector: the file name without its extension. The name is
/// untrusted.
pub(crate) fn selector_name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    printable(stem.to_string_lossy().chars())
}

/// Formats a path on one line.
pub(crate) fn place(file: &Path) -> String {
    printable(file.to_string_lossy().chars())
}
