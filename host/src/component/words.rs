//! Words of a guest or of its file, made fit to be shown.

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
