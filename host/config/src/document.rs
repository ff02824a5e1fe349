//! A parsed file: values with their positions.
//!
//! TOML and JSON share this representation, so every later check knows the position of each
//! value.

use std::collections::BTreeSet;

use super::problem::{ConfigError, Problem};
use super::{json, toml};

/// A value and its position.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The byte offset of the value.
    pub(super) at: usize,
    pub(super) value: Value,
}

/// A TOML or JSON value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Flag(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// The entries, in file order.
    Table(Vec<Entry>),
    /// A value that no key accepts, described with its article.
    Other(&'static str),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// The byte offset of the key.
    pub(super) at: usize,
    pub(super) node: Node,
}

/// A syntax error at a position in the text.
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) message: String,
    /// `true` for a duplicate key.
    pub(super) twice: bool,
}

/// The format of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Toml,
    Json,
}

/// A text and its name in messages.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) format: Format,
}

impl Value {
    /// Returns the type with its article, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Flag(true) => "true",
            Self::Flag(false) => "false",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

impl Node {
    /// Removes the entries at these byte offsets from all tables.
    pub(super) fn remove(&mut self, places: &BTreeSet<usize>) {
        match &mut self.value {
            Value::Table(entries) => {
                entries.retain(|entry| !places.contains(&entry.at));
                let nodes = entries.iter_mut().map(|entry| &mut entry.node);
                nodes.for_each(|node| node.remove(places));
            }
            Value::List(nodes) => nodes.iter_mut().for_each(|node| node.remove(places)),
            _ => {}
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }
}

impl Source {
    /// Names a text. A byte order mark is not a part of it.
    pub(super) fn new(file: String, text: &str, format: Format) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        Self { file, text, format }
    }

    /// Reads the bytes of a file.
    pub(super) fn from_bytes(
        file: String,
        bytes: Vec<u8>,
        format: Format,
    ) -> Result<Self, ConfigError> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(file, &text, format)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes());
                let source = Self::new(file, &text, format);
                let message = "the file is not UTF-8 text; save it as UTF-8";
                Err(source.problem(at, "", message).into())
            }
        }
    }

    /// Parses the text into values.
    pub(super) fn parse(&self) -> Result<Node, ConfigError> {
        if self.text.trim().is_empty() {
            let message = "the file is empty; `spanmux init` writes a starter file";
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

    /// Creates a problem for a key, at a byte offset.
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

/// Creates the mistake for a duplicate key.
pub(super) fn twice(at: usize, key: &str) -> Mistake {
    let message = format!("duplicate key {key:?}; remove or rename one");
    Mistake {
        at,
        message,
        twice: true,
    }
}
