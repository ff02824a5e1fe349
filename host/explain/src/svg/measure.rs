//! Estimates the width of text by average advances, without the font. A viewer may use
//! another font, so the layout adds some space to every text.

use crate::words::{columns_of, width};

/// The advance in a fixed-width font, relative to the font size.
const FIXED: f64 = 0.605;

/// Returns the width of text in a fixed-width font.
pub(super) fn fixed(text: &str, size: f64) -> f64 {
    width(text) as f64 * FIXED * size
}

/// Returns the width of text in common sans-serif system fonts.
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
