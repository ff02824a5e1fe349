//! Shortens values and spans to a number of bytes.
//!
//! The largest values are shortened first, all to the same length, so that the small ones stay
//! whole. JSON stays valid JSON, and a list of messages stays a list of messages.

mod json;
mod messages;
mod span;

pub(crate) use span::span;

use crate::redaction::kept_and_omitted;

/// The most bytes of the mark at the end of a shortened text, `…[+1234567890]`.
const MARK: usize = 16;

/// The length to which a text can always be cut. Shorter ones, such as roles, types and ids,
/// stay whole.
const SHORTEST: usize = 64;

pub(crate) use json::shortened as json;

/// Shortens a text to at most `most` bytes, or to the shortest form that is still valid.
pub(crate) fn text(text: &str, most: usize) -> String {
    json::shortened(text, most).unwrap_or_else(|| plain(text, most))
}

/// Cuts a text and adds the number of characters that are left out.
fn plain(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let (kept, omitted) = kept_and_omitted(text, most.saturating_sub(MARK));
    format!("{kept}…[+{omitted}]")
}

/// Returns the length to which all longer texts must be cut to remove `excess` bytes, at least
/// [`SHORTEST`].
fn level(mut lengths: Vec<usize>, excess: usize) -> usize {
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    let mut longer = 0;
    for (number, length) in lengths.iter().enumerate() {
        let next = lengths.get(number + 1).copied().unwrap_or(0);
        longer += length;
        let count = number + 1;
        if longer - count * next >= excess {
            return ((longer - excess) / count).max(SHORTEST);
        }
    }
    SHORTEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_texts_are_cut_to_the_same_length() {
        for (lengths, excess, expected) in [
            (vec![100, 1_000], 100, 900),
            (vec![1_000, 1_000, 10], 200, 900),
            (vec![1_000, 900], 300, 800),
            (vec![100, 90], 1_000, SHORTEST),
            (vec![], 1, SHORTEST),
        ] {
            assert_eq!(level(lengths, excess), expected);
        }
    }

    #[test]
    fn plain_text_is_cut_at_a_character_and_marked() {
        assert_eq!(text("short", 5), "short");
        let long = "ä".repeat(100);
        let short = text(&long, 51);
        assert_eq!(short, format!("{}…[+83]", "ä".repeat(17)));
        // Something that only looks like JSON is a text.
        assert_eq!(
            text(&format!("[{long}"), 50),
            format!("[{}…[+84]", "ä".repeat(16))
        );
    }
}
