//! Words of a guest or of its file, made fit to be shown.

use std::path::Path;

/// On one line, with nothing that could move a terminal's cursor.
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

/// The name of a file's selector: the file's, without the ending. Whoever drops a file
/// names it.
pub(crate) fn selector_name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    printable(stem.to_string_lossy().chars())
}

/// Where a file is.
pub(crate) fn place(file: &Path) -> String {
    printable(file.to_string_lossy().chars())
}
