//! Reads and validates a file of test cases. Errors contain the line and a suggestion.

use std::fmt::Display;
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use serde::Deserialize;
use spanmux::{Cause, RuntimeContext};
use toml::{Spanned, Value};

use super::{Case, Cases, Expected};
use crate::contexts::BYTE_ORDER_MARK;
use spanmux::config::internal::nearest;

/// The file format.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    tracers: Vec<String>,
    fallback: Option<Spanned<String>>,
    #[serde(default, rename = "case")]
    cases: Vec<Spanned<WrittenCase>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCase {
    name: String,
    context: Spanned<Value>,
    tracers: Option<Vec<String>>,
    tracer: Option<Spanned<String>>,
    cause: Option<Spanned<String>>,
    reason: Option<String>,
    selector: Option<String>,
}

/// All keys of a file, for suggestions.
const KEYS: [&str; 9] = [
    "case", "cause", "context", "fallback", "name", "reason", "selector", "tracer", "tracers",
];

/// The text of the file, used to find line numbers for errors.
struct Source<'a> {
    text: &'a str,
    name: &'a str,
}

impl Source<'_> {
    fn line(&self, at: &Range<usize>) -> usize {
        let before = self.text.get(..at.start).unwrap_or_default();
        1 + before.matches('\n').count()
    }

    fn wrong(&self, at: &Range<usize>, what: impl Display) -> anyhow::Error {
        anyhow!("{}, line {}: {what}", self.name, self.line(at))
    }
}

impl Cases {
    /// Reads a file of test cases.
    ///
    /// # Errors
    /// Returns an error with the line if the file cannot be read, is invalid, or contains no
    /// cases.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the cases in {}", path.display()))?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        Self::parse(text, &path.display().to_string())
    }

    /// Parses the text of a file. `name` identifies the file in errors.
    pub(super) fn parse(text: &str, name: &str) -> Result<Self> {
        let source = Source { text, name };
        let written: Written = toml::from_str(text).map_err(|error| {
            source.wrong(&error.span().unwrap_or_default(), meant(error.message()))
        })?;
        if written.cases.is_empty() {
            bail!("{name} contains no cases; add a [[case]] table for each expected decision");
        }
        let fallback = written.fallback.map(|fallback| {
            let at = fallback.span();
            known(fallback.into_inner(), &written.tracers).map_err(|what| source.wrong(&at, what))
        });
        let cases = written.cases.into_iter();
        let cases = cases.map(|case| check(case, &written.tracers, &source));
        Ok(Self {
            cases: cases.collect::<Result<_>>()?,
            fallback: fallback.transpose()?,
            tracers: written.tracers,
        })
    }
}

fn check(case: Spanned<WrittenCase>, tracers: &[String], source: &Source<'_>) -> Result<Case> {
    let begins = case.span();
    let case = case.into_inner();
    if case.tracer.is_none() && case.cause.is_none() {
        let name = &case.name;
        let what = format!("case `{name}` has no expected result; add a `tracer` or a `cause`");
        return Err(source.wrong(&begins, what));
    }
    let tracers = case.tracers.as_deref().unwrap_or(tracers);
    let tracer = case.tracer.map(|tracer| {
        let at = tracer.span();
        known(tracer.into_inner(), tracers).map_err(|what| source.wrong(&at, what))
    });
    let cause = case.cause.map(|cause| {
        let at = cause.span();
        kind(cause.get_ref()).map_err(|what| source.wrong(&at, what))
    });
    let at = case.context.span();
    let json = context(case.context.into_inner()).map_err(|what| source.wrong(&at, what))?;
    let context = RuntimeContext::from_json(&json.to_string())
        .map_err(|error| source.wrong(&at, format!("invalid runtime context: {error}")))?;
    Ok(Case {
        line: source.line(&begins),
        name: case.name,
        context,
        json,
        expected: Expected {
            tracer: tracer.transpose()?,
            cause: cause.transpose()?,
            reason: case.reason,
            selector: case.selector,
        },
        tracers: case.tracers,
    })
}

/// Checks that a tracer of this name exists.
fn known(name: String, tracers: &[String]) -> Result<String, String> {
    if tracers.contains(&name) {
        return Ok(name);
    }
    let names = tracers.iter().map(String::as_str);
    let meant = did_you_mean(&name, names);
    Err(format!(
        "unknown tracer \"{name}\"{meant} Available: {}",
        tracers.join(", ")
    ))
}

fn kind(word: &str) -> Result<Cause, String> {
    let kinds = Cause::ALL;
    let kind = kinds.into_iter().find(|kind| kind.as_str() == word);
    kind.ok_or_else(|| {
        let words = kinds.map(Cause::as_str);
        let meant = did_you_mean(word, words);
        format!(
            "unknown cause `{word}`{meant} Available: {}",
            words.join(", ")
        )
    })
}

/// Returns `; did you mean …?` for the nearest known word, or `.` if there is none.
fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let meant = nearest(word, known).map(|meant| format!("; did you mean `{meant}`?"));
    meant.unwrap_or_else(|| ".".to_owned())
}

/// Returns the parser's message, with a suggestion if it reports an unknown key.
fn meant(message: &str) -> String {
    let unknown = message.strip_prefix("unknown field `");
    let unknown = unknown.and_then(|rest| rest.split_once('`'));
    let meant = unknown.and_then(|(word, _)| nearest(word, KEYS));
    match meant {
        Some(meant) => format!("{message}; did you mean `{meant}`?"),
        None => message.to_owned(),
    }
}

/// Converts a table, or a string that contains JSON, to a context.
fn context(value: Value) -> Result<serde_json::Value, String> {
    let json = match value {
        Value::String(text) => serde_json::from_str(&text)
            .map_err(|error| format!("the context is not valid JSON: {error}"))?,
        table => json(table)?,
    };
    if json.is_object() {
        Ok(json)
    } else {
        Err("the context is not a table; write { key = \"value\" }".to_owned())
    }
}

fn json(value: Value) -> Result<serde_json::Value, String> {
    Ok(match value {
        Value::String(text) => text.into(),
        Value::Integer(integer) => integer.into(),
        Value::Boolean(boolean) => boolean.into(),
        Value::Float(float) => serde_json::Number::from_f64(float)
            .ok_or_else(|| format!("JSON cannot represent {float}"))?
            .into(),
        Value::Datetime(date) => {
            return Err(format!(
                "a runtime context cannot contain dates; write the string \"{date}\""
            ));
        }
        Value::Array(array) => array.into_iter().map(json).collect::<Result<_, _>>()?,
        Value::Table(table) => {
            let members = table
                .into_iter()
                .map(|(key, value)| Ok((key, json(value)?)));
            serde_json::Value::Object(members.collect::<Result<_, String>>()?)
        }
    })
}
