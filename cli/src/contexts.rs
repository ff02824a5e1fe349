//! Reads runtime contexts from the command line and from files.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, stdin};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use spanmux::{ContextLimits, RuntimeContext};

/// A runtime context and its JSON source.
pub(crate) struct Given {
    /// The context passed to the selectors.
    pub context: RuntimeContext,
    /// The JSON printed with the decision.
    pub json: serde_json::Value,
}

/// Editors on Windows write it at the start of a file.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Builds one context from `KEY=TEXT` and `KEY:=JSON` entries.
pub(crate) fn from_entries(entries: &[String]) -> Result<Given> {
    let mut object = serde_json::Map::new();
    for entry in entries {
        let Some((key, text)) = entry.split_once('=') else {
            bail!("invalid context entry `{entry}`; write KEY=TEXT or KEY:=JSON");
        };
        let (key, value) = match key.strip_suffix(':') {
            Some(key) => {
                let value = serde_json::from_str(text).with_context(|| {
                    format!("the value of `{key}` is not valid JSON; write KEY=TEXT for a string")
                })?;
                (key, value)
            }
            None => (key, serde_json::Value::from(text)),
        };
        object.insert(key.to_owned(), value);
    }
    given(object.into(), || "the runtime context".to_owned())
}

/// Reads the contexts of a file with one JSON object per line. Empty lines are skipped.
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
        // A line is limited to the maximum size of a context.
        let limit = (ContextLimits::BYTES + BYTE_ORDER_MARK.len_utf8()) as u64 + 1;
        let mut line = String::new();
        let read = reader.by_ref().take(limit).read_line(&mut line);
        let place = || format!("{}, line {number}", path.display());
        if read.with_context(place)? == 0 {
            break;
        }
        if number == 1 && line.starts_with(BYTE_ORDER_MARK) {
            line.remove(0);
        }
        if line.trim().is_empty() {
            continue;
        }
        // Parsed as a context first, which checks its limits before general JSON parsing.
        RuntimeContext::from_json(&line).with_context(place)?;
        let json = serde_json::from_str(&line).with_context(place)?;
        contexts.push(given(json, place)?);
    }
    if contexts.is_empty() {
        bail!(
            "{} contains no contexts; write one JSON object per line",
            path.display()
        );
    }
    Ok(contexts)
}

fn given(json: serde_json::Value, place: impl FnOnce() -> String) -> Result<Given> {
    let context = RuntimeContext::from_json(&json.to_string()).with_context(place)?;
    Ok(Given { context, json })
}
