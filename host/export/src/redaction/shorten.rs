//! Shortening of texts, for the limits of attributes and for those of AI content.

use super::{Redaction, texts};

/// The number of bytes after the end of a truncated text in which a secret is recognized.
/// More than the longest private key and the longest token.
const AHEAD: usize = 16 * 1024;

/// Splits a text into the part that is kept and the number of characters that are
/// omitted.
pub fn kept_and_omitted(text: &str, end: usize) -> (&str, usize) {
    let (kept, rest) = text.split_at(text.floor_char_boundary(end));
    (kept, rest.chars().count())
}

/// Returns the last place at or before `end` that is not inside a secret.
///
/// A text must be redacted before it is shortened, but AI content is shortened when it is
/// recorded, where the redaction of its exporters is unknown. If no secret is cut, redacting
/// afterwards has the same effect.
pub fn safe_end(text: &str, end: usize) -> usize {
    let end = text.floor_char_boundary(end);
    if end == text.len() {
        return end;
    }
    let near = text.floor_char_boundary(end.saturating_add(AHEAD));
    let redaction = Redaction::default();
    let mut secrets = texts::secrets(&text[..near], &redaction);
    // The character after a secret may be the one by which it is recognized: `:x@`, `>x</`.
    let cut = secrets.find(|secret| secret.end + 1 >= end);
    cut.map_or(end, |secret| secret.start.min(end))
}
