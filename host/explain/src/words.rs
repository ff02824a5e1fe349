//! Text on one line: names, numbers, shares and widths.

pub(super) use spanmux_core::internal::{name, printable};

/// Shortens a text to at most `columns`, with an ellipsis for the missing part.
pub(super) fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut left = columns.saturating_sub(1);
    for character in text.chars() {
        let Some(rest) = left.checked_sub(columns_of(character)) else {
            break;
        };
        left = rest;
        short.push(character);
    }
    short.push('…');
    short
}

/// Returns the number of terminal columns of a line.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Returns the width of a character: two columns for East Asian and emoji characters, zero
/// for combining ones. The table contains ranges, not single characters. An error in it only
/// misaligns a column.
pub(super) fn columns_of(character: char) -> usize {
    match u32::from(character) {
        0x300..=0x36F | 0x200B..=0x200F | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// Formats a number with thousands separators, followed by its noun.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        thousands(number),
        if number == 1 { one } else { many }
    )
}

/// Formats a number with thousands separators.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a percentage. A non-zero part is never shown as 0 %, and an incomplete part never
/// as 100 %.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".to_owned();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    match percent {
        _ if part >= whole => "100 %".to_owned(),
        percent if percent < 1.0 => "<1 %".to_owned(),
        percent if percent > 99.0 => ">99 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(999), "999");
        for (part, whole, shown) in [
            (0, 10, "0 %"),
            (1, 3, "33 %"),
            (1, 1000, "<1 %"),
            (999, 1000, ">99 %"),
            (10, 10, "100 %"),
        ] {
            assert_eq!(percent(part, whole), shown);
        }
    }

    #[test]
    fn a_line_is_cut_by_columns() {
        assert_eq!(shorten("production", 10), "production");
        assert_eq!(shorten("production", 6), "produ…");
        assert_eq!(shorten("日本語日本語", 6), "日本…");
        assert_eq!(shorten("x", 0), "…");
    }
}
