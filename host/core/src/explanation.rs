//! One-line formats of questions, answers and outcomes. Their texts come from contexts and
//! guests and can contain anything.

use std::fmt;

pub use crate::transcript::Transcript;

/// The cached decisions of a selector for one list of tracers.
///
/// This is a snapshot: the cache continues to grow.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The selector's name.
    pub selector: String,
    /// The SHA-256 of its file, in hex.
    pub digest: Option<String>,
    /// The names of the registered tracers, in the order of registration.
    pub tracers: Vec<String>,
    /// The decision tree. `None` while it is empty.
    pub tree: Option<Step>,
    /// Decisions that the tree answered. The number is an estimate, scaled up from a sample.
    pub hits: u64,
    /// Decisions for which the component ran.
    pub runs: u64,
    /// Number of answers in the tree, over all questions.
    pub edges: usize,
    /// Memory of the tree, in bytes.
    pub bytes: usize,
}

impl Explanation {
    /// Creates an explanation without decisions for these tracers.
    #[doc(hidden)]
    pub fn nothing(tracers: &[String]) -> Self {
        Self {
            selector: String::new(),
            digest: None,
            tracers: tracers.to_vec(),
            tree: None,
            hits: 0,
            runs: 0,
            edges: 0,
            bytes: 0,
        }
    }
}

/// One step on a path through the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The selector asks a question.
    Asks(Question, Vec<Edge>),
    /// The selector has decided.
    Decides(Outcome, Hits),
}

/// Number of decisions that the tree answered: an estimate, scaled up from a sample.
pub type Hits = u64;

/// An answer to a question, and the step that follows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The answer of the context.
    pub answer: Answer,
    /// The selector's next step.
    pub then: Step,
}

/// One of the questions that a selector can ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// `get`: the value of a key.
    Get {
        /// The key.
        key: String,
    },
    /// `has`: tests whether a key has a value.
    Has {
        /// The key.
        key: String,
    },
    /// `keys`: the list of all keys.
    Keys,
    /// `bucket`: the share into which the value of a key falls.
    Bucket {
        /// The key.
        key: String,
        /// The salt of the hash that determines the share.
        salt: String,
        /// The number of shares.
        buckets: u32,
    },
}

/// An answer of the context.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// For `get` and `bucket`: the key is absent.
    Absent,
    /// For `get`: null.
    Null,
    /// For `get`: true or false.
    Boolean(bool),
    /// For `get`: an integer.
    Integer(i64),
    /// For `get`: a float.
    Float(f64),
    /// For `get`: text.
    Text(String),
    /// For `get`: JSON text.
    Json(String),
    /// For `has`: `true` if there is a value.
    Has(bool),
    /// For `keys`: each key once, sorted by bytes.
    Keys(Vec<String>),
    /// For `bucket`: the share.
    Share(u32),
}

/// The outcome of one path through the tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The selector chose this tracer.
    Tracer(String),
    /// The selector abstained.
    Abstains,
    /// The decision failed.
    Fallback {
        /// The cause as a single word, see
        /// [`Cause::as_str`](crate::Cause::as_str).
        cause: String,
        /// The reason in readable form.
        reason: String,
    },
}

impl fmt::Display for Question {
    /// Formats the question without a question mark: `environment`, `has tenant`.
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
    /// Formats the answer like a literal in source code: text in quotes, everything else
    /// bare.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Absent => f.write_str("absent"),
            Answer::Null => f.write_str("null"),
            Answer::Boolean(boolean) => write!(f, "{boolean}"),
            Answer::Integer(integer) => write!(f, "{integer}"),
            // With a decimal point, to distinguish it from an integer.
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
    /// Returns the unregistered tracer name that the selector chose, as it is quoted in the
    /// reason.
    pub fn unknown_tracer(&self) -> Option<&str> {
        match self {
            Outcome::Fallback { cause, reason } if cause == "unknown_tracer" => reason
                .strip_prefix("no tracer is named \"")
                .and_then(|name| name.strip_suffix('"')),
            _ => None,
        }
    }

    /// Returns the name that the selector's allow-list refused, as it is quoted in the reason.
    pub fn forbidden_tracer(&self) -> Option<&str> {
        match self {
            Outcome::Fallback { cause, reason } if cause == "forbidden_tracer" => {
                // Quotes in names are escaped.
                let (_, name) = reason.split_once("\" may not choose the tracer \"")?;
                name.strip_suffix('"')
            }
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    /// Formats the tracer's name, `abstains`, or the reason of the failure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Tracer(name) => f.write_str(&printable(name)),
            Outcome::Abstains => f.write_str("abstains"),
            Outcome::Fallback { cause, reason } => {
                if let Some(name) = self.unknown_tracer() {
                    return write!(f, "no tracer \"{}\"", printable(name));
                }
                if let Some(name) = self.forbidden_tracer() {
                    return write!(f, "tracer \"{}\" is not allowed", printable(name));
                }
                // The heading already names the selector.
                let reason = reason.strip_prefix("the selector ").unwrap_or(reason);
                match reason {
                    "" => f.write_str(&printable(cause)),
                    reason => f.write_str(&printable(reason)),
                }
            }
        }
    }
}

/// Formats a key or a name: bare if it reads as one word, otherwise in quotes.
pub fn name(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("{text:?}")
    }
}

/// Escapes a text for one line: control characters, changes of the writing direction, invisible
/// characters, and characters that XML forbids. Everything that shows text from a context, a
/// selector, a file or a backend to a person uses this function.
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if is_printable(character) {
            line.push(character);
        } else {
            line.extend(character.escape_debug());
        }
    }
    line
}

/// Returns `true` for a character that only shows itself.
pub fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\x7f' => false,
        _ => {
            // After another character, `escape_debug` keeps combining marks, as a person sees them.
            let mut pair = ['x', character].into_iter();
            let mut bytes = [0; 8];
            let mut length = 0;
            for character in &mut pair {
                length += character.encode_utf8(&mut bytes[length..]).len();
            }
            let text = std::str::from_utf8(&bytes[..length]).unwrap_or_default();
            text.escape_debug().count() == 2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_on_one_line() {
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
    fn printable_escapes_each_character_that_does_not_show_itself() {
        for (text, shown) in [
            ("a \"b\" 'c' \\d", "a \"b\" 'c' \\d"),
            ("é e\u{301} हिन्दी 漢字 🦀", "é e\u{301} हिन्दी 漢字 🦀"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("a\r\n\tb\0", "a\\r\\n\\tb\\0"),
            ("\u{7f}\u{8}", "\\u{7f}\\u{8}"),
            (
                "\u{202e}\u{2066}\u{200f}\u{61c}",
                "\\u{202e}\\u{2066}\\u{200f}\\u{61c}",
            ),
            ("\u{200b}\u{feff}\u{ad}", "\\u{200b}\\u{feff}\\u{ad}"),
            ("\u{2028}\u{2029}\u{85}", "\\u{2028}\\u{2029}\\u{85}"),
            (
                "\u{fffe}\u{ffff}\u{10ffff}",
                "\\u{fffe}\\u{ffff}\\u{10ffff}",
            ),
            ("\u{e0041}\u{e000}", "\\u{e0041}\\u{e000}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn outcome_shows_tracer_or_reason() {
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
}
