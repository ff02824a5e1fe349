//! The structure of `[tracers.NAME]`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::delivery::{AttributeLimitsTable, BatchTable, FilterTable, RedactionTable};
use super::exporter::ExporterTable;
use crate::values::Plain;

/// A tracer: its service name, its sampling, and its exporters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TracerTable {
    /// "provided" if code registers a provider under this name. The file then sets only its
    /// position and no other key.
    #[serde(rename = "type")]
    pub(crate) kind: Option<TracerKind>,
    /// The service name. Overrides the one at the top of the file.
    #[schemars(length(min = 1))]
    pub(crate) service: Option<String>,
    /// The destination of its spans: the name of an exporter of `exporters`, or a table.
    pub(crate) exporter: Option<ExporterTable>,
    /// The destinations of its spans, if there are several: names of exporters, uses of them with
    /// settings of their own, or tables. A failing exporter does not affect the others.
    #[serde(default)]
    pub(crate) exporters: Vec<ExporterTable>,
    /// The traces to record. Defaults to "always".
    pub(crate) sampling: Option<SamplingName>,
    /// Resource attributes of all its spans.
    #[serde(default)]
    pub(crate) resource: BTreeMap<String, Plain>,
    /// The queue and the batches in which spans are sent.
    pub(crate) batch: Option<BatchTable>,
    /// The values to redact in its spans.
    pub(crate) redaction: Option<RedactionTable>,
    /// The spans to drop for all of its exporters.
    pub(crate) filter: Option<FilterTable>,
    /// The handling of spans whose parent is in another process. Defaults to "link" for LLM
    /// backends and to "keep" for all others.
    pub(crate) remote_parent: Option<RemoteParentName>,
    /// The attribute names that the backends read. Defaults to the dialect of the backend for LLM
    /// backends. All others receive spans as they were recorded.
    pub(crate) dialect: Option<BackendDialectName>,
    /// The size limits of spans.
    pub(crate) limits: Option<AttributeLimitsTable>,
    /// Maximum number of open spans. Spans started beyond it are no-ops.
    pub(crate) max_open_spans: Option<NonZeroUsize>,
}

/// The handling of spans whose parent is in another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RemoteParentName {
    /// Keeps the parent, which another process sends.
    Keep,
    /// Replaces the parent by a link, so that the span is a root.
    Link,
}

/// The attribute names that a backend reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum BackendDialectName {
    /// The GenAI conventions of OpenTelemetry.
    #[serde(rename = "gen-ai")]
    GenAi,
    /// OpenInference.
    #[serde(rename = "openinference")]
    OpenInference,
    /// The names of Langfuse.
    #[serde(rename = "langfuse")]
    Langfuse,
    /// The names of LangSmith.
    #[serde(rename = "langsmith")]
    LangSmith,
    /// The GenAI conventions and OpenInference.
    #[serde(rename = "both")]
    Both,
}

/// The source of a tracer that the file does not define.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TracerKind {
    /// Code registers a provider under this name.
    Provided,
}

/// The traces to record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SamplingName {
    /// Every trace.
    Always,
    /// No trace.
    Never,
    /// A share of the traces from 0 to 1: 0.1 records one trace in ten. It is derived from the
    /// trace ID, so services agree.
    Ratio(#[schemars(range(min = 0, max = 1))] f64),
    /// The result of a function that code registers under this name.
    Custom(#[schemars(length(min = 1))] String),
}
