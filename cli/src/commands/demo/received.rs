//! Reads the traces that a tracer received from its output, so that the demo reports actual
//! results rather than intended ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use spanmux::exporters::TraceTree;
use spanmux::otel::attributes;

/// The traces that one tracer received.
pub(crate) struct Received {
    pub name: &'static str,
    pub traces: BTreeMap<String, Trace>,
    pub file: Option<PathBuf>,
    /// The first trace, formatted as a tree.
    pub sample: Option<String>,
}

/// The part of a trace that one tracer received.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    spans: u64,
    /// The attributes of the root span that explain the selection.
    reason: BTreeMap<String, String>,
}

impl Trace {
    /// Returns the selector that decided and the reason.
    pub(crate) fn reason(&self) -> (String, String) {
        let said = |key| self.reason.get(key).cloned();
        (
            said(attributes::SELECTOR).unwrap_or_else(|| "(none)".to_owned()),
            said(attributes::FALLBACK_REASON).unwrap_or_else(|| "chosen".to_owned()),
        )
    }

    fn note(&mut self, key: &str, value: &str) {
        if key.starts_with("spanmux.") {
            self.reason.insert(key.to_owned(), value.to_owned());
        }
    }
}

impl From<&TraceTree> for Trace {
    fn from(tree: &TraceTree) -> Self {
        let mut trace = Self {
            spans: tree.spans() as u64,
            ..Self::default()
        };
        for key in [attributes::SELECTOR, attributes::FALLBACK_REASON] {
            if let Some(value) = tree.root_attribute(key) {
                trace.note(key, value);
            }
        }
        trace
    }
}

impl Received {
    fn new(name: &'static str, file: Option<PathBuf>) -> Self {
        Self {
            name,
            traces: BTreeMap::new(),
            file,
            sample: None,
        }
    }

    /// Returns the number of spans.
    pub(crate) fn spans(&self) -> u64 {
        self.traces.values().map(|trace| trace.spans).sum()
    }

    /// Reads a file of OTLP JSON lines.
    pub(crate) fn from_otlp_lines(name: &'static str, file: &Path) -> Result<Self> {
        let mut received = Self::new(name, Some(file.to_owned()));
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let trees = TraceTree::read_otlp_lines(&text)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        for tree in &trees {
            received
                .traces
                .insert(tree.trace_id().to_owned(), tree.into());
        }
        received.sample = trees
            .into_iter()
            .next()
            .map(|tree| tree.outline().to_string());
        Ok(received)
    }

    /// Reads the trees of the console tracer: a heading with the trace id and the number of spans,
    /// followed by attributes.
    pub(crate) fn from_console(name: &'static str, file: &Path) -> Result<Self> {
        let mut received = Self::new(name, Some(file.to_owned()));
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut trace = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [_, "trace", id, spans, ..] = words[..] {
                let found: &mut Trace = received.traces.entry(id.to_owned()).or_default();
                found.spans += spans.parse::<u64>().unwrap_or_default();
                trace = Some(found);
            } else if let (Some(trace), Some((key, value))) = (&mut trace, line.split_once(" = ")) {
                trace.note(key.trim_start_matches([' ', '│']), value);
            }
        }
        received.sample = first_tree(&text);
        Ok(received)
    }
}

/// Returns the first tree: its heading and the indented lines below it.
fn first_tree(text: &str) -> Option<String> {
    let heading = text.lines().next()?;
    let below = text.lines().skip(1);
    let tree = below.take_while(|line| line.starts_with([' ', '│', '├', '└']));
    Some(
        std::iter::once(heading)
            .chain(tree)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// An exporter that drops spans and counts them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Discarded {
    traces: Arc<Mutex<BTreeMap<String, Trace>>>,
}

impl Discarded {
    /// Returns the dropped traces.
    pub(crate) fn received(&self, name: &'static str) -> Received {
        let mut traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        Received {
            traces: std::mem::take(&mut *traces),
            ..Received::new(name, None)
        }
    }
}

impl SpanExporter for Discarded {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        for span in batch {
            let id = span.span_context.trace_id().to_string();
            let trace = traces.entry(id).or_default();
            trace.spans += 1;
            for attribute in &span.attributes {
                trace.note(attribute.key.as_str(), &attribute.value.as_str());
            }
        }
        Ok(())
    }
}
