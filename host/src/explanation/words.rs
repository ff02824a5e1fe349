//! How questions, answers and outcomes are written on one line, whatever is in
//! them: they come from contexts and from guests.

use std::fmt;

use super::{Answer, Outcome, Question};

impl fmt::Display for Question {
    /// Without a question mark: `environment`, `has tenant`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::Get { key } => f.write_str(&name(key)),
            Question::Has { key } => write!(f, "has {}", name(key)),
            Question::Keys => f.write_str("which keys"),
            Question::Bucket { key, salt, buckets } => {
                write!(
                    f,
                    "bucket of {} ({buckets} shares, salt {salt:?})",
                    name(key)
                )
            }
        }
    }
}

impl fmt::Display for Answer {
    /// As an author would write it: text in quotes, all else bare.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Absent => f.write_str("absent"),
            Answer::Null => f.write_str("null"),
            Answer::Boolean(boolean) => write!(f, "{boolean}"),
            Answer::Integer(integer) => write!(f, "{integer}"),
            // With its point, so that it is not taken for an integer.
            Answer::Float(float) => write!(f, "{float:?}"),
            Answer::Text(text) => write!(f, "{text:?}"),
            Answer::Json(text) => f.write_str(&printable(text)),
            Answer::Has(true) => f.write_str("yes"),
            Answer::Has(false) => f.write_str("no"),
            Answer::Keys(keys) if keys.is_empty() => f.write_str("no keys"),
            Answer::Keys(keys) => {
                let keys: Vec<String> = keys.iter().map(|key| name(key)).collect();
                f.write_str(&keys.join(" + "))
            }
            Answer::Share(share) => write!(f, "{share}"),
        }
    }
}

impl Outcome {
    /// The name that the selector gave and that no tracer has, as it is quoted in
    /// the reason.
    pub fn unknown_tracer(&self) -> Option<&str> {
        match self {
            Outcome::Fallback { cause, reason } if cause == "unknown_tracer" => reason
                .strip_prefix("no tracer is named \"")
                .and_then(|name| name.strip_suffix('"')),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    /// A tracer's name, `abstains`, or why the decision went wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Tracer(name) => f.write_str(&printable(name)),
            Outcome::Abstains => f.write_str("abstains"),
            Outcome::Fallback { cause, reason } => {
                if let Some(name) = self.unknown_tracer() {
                    return write!(f, "no tracer \"{}\"", printable(name));
                }
                // Whose decision it was is said by the picture.
                let reason = reason.strip_prefix("the selector ").unwrap_or(reason);
                match reason {
                    "" => f.write_str(&printable(cause)),
                    reason => f.write_str(&printable(reason)),
                }
            }
        }
    }
}

/// A key or a name: bare if it reads as one word, else in quotes.
pub(super) fn name(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("{text:?}")
    }
}

/// On one line: what would move a cursor, turn the direction of writing or not be
/// seen at all is escaped.
pub(super) fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => line.push(character),
            other => line.extend(other.escape_debug()),
        }
    }
    line
}

/// At most `columns` wide, with an ellipsis where something is missing.
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

/// How many columns of a terminal a line takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Two columns for the scripts that are written in squares, none for what is put
/// on top of the character before. A table of ranges and not of characters: what
/// it gets wrong is a column out of line.
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

/// A number with its thousands apart, and the thing that is counted.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        thousands(number),
        if number == 1 { one } else { many }
    )
}

/// A number with its thousands apart.
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

/// A share in percent. What is there is never shown as nothing, and what is not
/// all is never shown as all.
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
    fn hostile_words_stay_on_their_line() {
        for (answer, shown) in [
            (Answer::Text("a\"b\n".into()), r#""a\"b\n""#),
            (Answer::Text("\u{202e}evil".into()), "\"\\u{202e}evil\""),
            (Answer::Text("\u{1b}[31m".into()), "\"\\u{1b}[31m\""),
            (Answer::Json("[\"\u{7f}\"]".into()), "[\"\\u{7f}\"]"),
            (Answer::Float(1.0), "1.0"),
            (Answer::Keys(vec!["a".into(), "b c".into()]), "a + \"b c\""),
            (Answer::Keys(Vec::new()), "no keys"),
        ] {
            assert_eq!(answer.to_string(), shown);
        }
        let key = |key: &str| Question::Get { key: key.into() }.to_string();
        assert_eq!(key("user.tier"), "user.tier");
        assert_eq!(key(""), "\"\"");
        assert_eq!(key("a\nb"), "\"a\\nb\"");
    }

    #[test]
    fn an_outcome_says_what_happened() {
        let fallback = |cause: &str, reason: &str| {
            Outcome::Fallback {
                cause: cause.into(),
                reason: reason.into(),
            }
            .to_string()
        };
        assert_eq!(
            fallback("failed", "the selector failed: `x` is missing"),
            "failed: `x` is missing"
        );
        assert_eq!(
            fallback("unknown_tracer", "no tracer is named \"x\""),
            "no tracer \"x\""
        );
        assert_eq!(fallback("out_of_budget", ""), "out_of_budget");
    }

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
