//! The shape of `[tracers.NAME]`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::delivery::{AttributeLimitsTable, BatchTable, FilterTable, RedactionTable};
use super::exporter::ExporterTable;
use crate::values::Plain;

/// A tracer: its name, its sampling and its destinations.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TracerTable {
    /// "provided" if code registers a provider under this name. The file determines its position
    /// and has no other key for it.
    #[serde(rename = "type")]
    pub(crate) kind: Option<TracerKind>,
    /// The service name, in place of the one at the top of the file.
    #[schemars(length(min = 1))]
    pub(crate) service: Option<String>,
    /// The destination of its spans.
    pub(crate) exporter: Option<ExporterTable>,
    /// The destinations of its spans, if there are several. A failure of one does not affect the
    /// others.
    #[serde(default)]
    pub(crate) exporters: Vec<ExporterTable>,
    /// The traces that are recorded. Defaults to "always".
    pub(crate) sampling: Option<SamplingName>,
    /// Attributes of all of its spans.
    #[serde(default)]
    pub(crate) resource: BTreeMap<String, Plain>,
    /// Batching of spans before they are sent.
    pub(crate) batch: Option<BatchTable>,
    /// Values that are removed from its spans.
    pub(crate) redaction: Option<RedactionTable>,
    /// Spans that none of its exporters receives.
    pub(crate) filter: Option<FilterTable>,
    /// Maximum sizes of spans.
    pub(crate) limits: Option<AttributeLimitsTable>,
    /// Maximum number of open spans. Further spans do nothing.
    pub(crate) max_open_spans: Option<NonZeroUsize>,
}

/// The source of a tracer, if not the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TracerKind {
    /// Code registers a provider under this name.
    Provided,
}

/// The traces that are recorded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SamplingName {
    /// Every trace.
    Always,
    /// No trace.
    Never,
    /// A share of the traces from 0 to 1, derived from the trace id, so that services agree: 0.1
    /// records every tenth.
    Ratio(#[schemars(range(min = 0, max = 1))] f64),
    /// The sampling that code registers under this name.
    Custom(#[schemars(length(min = 1))] String),
}
