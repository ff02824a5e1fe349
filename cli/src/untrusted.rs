//! Text from contexts, selectors, files and backends, which must not control a terminal.

use std::fmt::{Display, Write as _};

use spanmux::explanation::{is_printable, printable};

/// Formats a text on one line. Characters that do not show themselves are escaped.
pub(crate) fn one_line(text: impl Display) -> String {
    printable(&text.to_string())
}

/// Formats a text of several lines. Its line breaks stay, and all other characters that do not
/// show themselves are escaped.
pub(crate) fn several_lines(text: impl Display) -> String {
    let text = text.to_string();
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    lines.join("\n")
}

/// Escapes the characters of JSON text that do not show themselves. The value stays the same.
pub(crate) fn json(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if is_printable(character) {
            line.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(line, "\\u{unit:04x}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[2J\u{9b}m\u{202e}\u{fffe}\u{7f}\u{e0041}\r\nb";

    #[test]
    fn text_contains_only_printable_characters_and_its_own_lines() {
        assert!(one_line(HOSTILE).chars().all(is_printable));
        let lines = several_lines(HOSTILE);
        assert_eq!(lines.lines().count(), 2);
        assert!(
            lines.chars().all(|c| c == '\n' || is_printable(c)),
            "{lines}"
        );
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ HOSTILE: [HOSTILE, "é🦀"] });
        let line = json(&value.to_string());
        assert!(line.chars().all(is_printable), "{line}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&line).ok(),
            Some(value)
        );
    }
}
