//! How wide text is, without the font: by average advances. A viewer may have
//! another font, so every text has some room to spare.

use crate::words::{columns_of, width};

/// The advance of a fixed-width font, in parts of its size.
const FIXED: f64 = 0.605;

/// The width of text in a fixed-width font.
pub(super) fn fixed(text: &str, size: f64) -> f64 {
    width(text) as f64 * FIXED * size
}

/// The width of text in the fonts without serifs that systems use.
pub(super) fn proportional(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

fn advance(character: char) -> f64 {
    match character {
        ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | 'i' | 'j' | 'l' | 'I' => 0.29,
        '(' | ')' | '[' | ']' | '{' | '}' | '-' | '`' | '"' | 'f' | 'r' | 't' | '/' | '\\' => 0.37,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.88,
        'A'..='Z' | '&' | '+' | '=' | '<' | '>' => 0.68,
        'a'..='z' | '0'..='9' | '_' => 0.57,
        other => match columns_of(other) {
            0 => 0.0,
            1 => 0.62,
            _ => 1.05,
        },
    }
}
