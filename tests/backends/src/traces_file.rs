//! A file of OTLP lines from the file exporter, read back.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::otlp_json::attributes;
use crate::plan::Usage;
use crate::stored::{StoredSpan, count, reasoning};

/// Returns the file of a tracer.
pub fn path(folder: &Path, tracer: &str) -> PathBuf {
    folder.join(tracer).with_extension("jsonl")
}

/// Returns every span in the file of this tracer.
pub fn stored(tracer: &str, file: &Path) -> Result<Vec<StoredSpan>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut spans = Vec::new();
    for line in text.lines() {
        let request: Value = serde_json::from_str(line)
            .with_context(|| format!("{} holds a line that is not JSON", file.display()))?;
        for resource in each(&request, "resourceSpans") {
            for scope in each(resource, "scopeSpans") {
                spans.extend(each(scope, "spans").iter().map(|span| read(tracer, span)));
            }
        }
    }
    Ok(spans)
}

fn read(tracer: &str, span: &Value) -> StoredSpan {
    let attributes = attributes(span);
    let text = |value: &Value| {
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let word = |key: &str| attributes.get(key).and_then(text);
    StoredSpan {
        place: format!("file/{tracer}"),
        trace: text(&span["traceId"]).unwrap_or_default(),
        id: text(&span["spanId"]).unwrap_or_default(),
        parent: text(&span["parentSpanId"]),
        kind: word("gen_ai.operation.name").unwrap_or("-".to_owned()),
        model: word("gen_ai.request.model"),
        usage: Usage {
            input: count(&attributes, "gen_ai.usage.input_tokens"),
            output: count(&attributes, "gen_ai.usage.output_tokens"),
            cached: count(&attributes, "gen_ai.usage.cache_read.input_tokens"),
            reasoning: reasoning(&attributes),
        },
        attributes,
    }
}

fn each<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}
