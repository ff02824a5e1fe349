//! Formatting of text from a guest or its file.

use std::path::Path;

/// Formats text on one line without characters that control a terminal.
pub(super) fn printable(words: impl Iterator<Item = char>) -> String {
    let mut line = String::new();
    for character in words {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
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
