//! Runtime contexts from the command line and from files.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, stdin};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use spanmux::{ContextLimits, RuntimeContext};

/// A runtime context and the JSON that it was made from.
pub(crate) struct Given {
    /// What the selectors ask.
    pub context: RuntimeContext,
    /// What is printed beside the decision.
    pub json: serde_json::Value,
}

/// One context from `KEY=TEXT` and `KEY:=JSON` entries.
pub(crate) fn from_entries(entries: &[String]) -> Result<Given> {
    let mut object = serde_json::Map::new();
    for entry in entries {
        let Some((key, text)) = entry.split_once('=') else {
            bail!("`{entry}` is no entry of a runtime context; write KEY=TEXT, or KEY:=JSON");
        };
        let (key, value) = match key.strip_suffix(':') {
            Some(key) => {
                let value = serde_json::from_str(text).with_context(|| {
                    format!("the value of `{key}` is not JSON; write KEY=TEXT for text")
                })?;
                (key, value)
            }
            None => (key, serde_json::Value::from(text)),
        };
        object.insert(key.to_owned(), value);
    }
    given(object.into(), || "the runtime context".to_owned())
}

/// The contexts of a file, one JSON object on each line; empty lines are skipped.
pub(crate) fn from_file(path: &Path) -> Result<Vec<Given>> {
    let input: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(stdin()),
        _ => Box::new(
            File::open(path)
                .with_context(|| format!("cannot read contexts from {}", path.display()))?,
        ),
    };
    let mut reader = BufReader::new(input);
    let mut contexts = Vec::new();
    for number in 1.. {
        // A line is bounded like the context that it holds.
        let limit = ContextLimits::BYTES as u64 + 1;
        let mut line = String::new();
        let read = reader.by_ref().take(limit).read_line(&mut line);
        let place = || format!("{}, line {number}", path.display());
        if read.with_context(place)? == 0 {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        // Checked as text first: its own limits come before any parsing.
        RuntimeContext::from_json(&line).with_context(place)?;
        let json = serde_json::from_str(&line).with_context(place)?;
        contexts.push(given(json, place)?);
    }
    if contexts.is_empty() {
        bail!(
            "{} holds no context; write one JSON object on each line",
            path.display()
        );
    }
    Ok(contexts)
}

fn given(json: serde_json::Value, place: impl FnOnce() -> String) -> Result<Given> {
    let context = RuntimeContext::from_json(&json.to_string()).with_context(place)?;
    Ok(Given { context, json })
}
