//! A file as it was written: values, each with the place where it stands.
//!
//! TOML and JSON come to the same here, so that whatever looks at values knows
//! where they are.

use super::problem::{ConfigError, Problem};
use super::{json, toml};

/// A value.
#[derive(Debug)]
pub(super) struct Node {
    /// Bytes before it.
    pub(super) at: usize,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Value {
    Flag(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file.
    Table(Vec<Entry>),
    /// What no key takes, with its article.
    Other(&'static str),
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Bytes before the key.
    pub(super) at: usize,
    pub(super) node: Node,
}

/// What is wrong at a place of the text.
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) message: String,
    /// Whether it is a key that is there twice.
    pub(super) twice: bool,
}

/// Which of the two a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Toml,
    Json,
}

/// A text and what messages call it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) format: Format,
}

impl Value {
    /// What it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Flag(true) => "true",
            Self::Flag(false) => "false",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

impl Node {
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }
}

impl Source {
    /// The text as values.
    pub(super) fn parse(&self) -> Result<Node, ConfigError> {
        if self.text.trim().is_empty() {
            let message = "the file is empty; `spanmux init` writes one to begin with";
            return Err(self.problem(0, "", message).into());
        }
        let parsed = match self.format {
            Format::Toml => toml::parse(&self.text),
            Format::Json => json::parse(&self.text),
        };
        parsed.map_err(|mistakes| {
            let problem = |Mistake { at, message, .. }| self.problem(at, "", message);
            ConfigError::Invalid(mistakes.into_iter().map(problem).collect())
        })
    }

    /// What is wrong with the value at this key.
    pub(super) fn problem(&self, at: usize, key: &str, message: impl Into<String>) -> Problem {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line_begins = before.rfind('\n').map_or(0, |end| end + 1);
        Problem {
            file: self.file.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_begins..].chars().count() + 1,
            key: key.to_owned(),
            message: message.into(),
        }
    }
}

/// A key that stands in a table twice.
pub(super) fn twice(at: usize, key: &str) -> Mistake {
    let message = format!("{key:?} is there twice; remove one, or give it another name");
    Mistake {
        at,
        message,
        twice: true,
    }
}
