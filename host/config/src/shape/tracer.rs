//! The shape of `[tracers.NAME]`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::delivery::{AttributeLimitsTable, BatchTable, FilterTable, RedactionTable};
use super::exporter::ExporterTable;
use crate::values::Plain;

/// A tracer: what it is called, what it records, and where its spans go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TracerTable {
    /// "provided" if code registers a provider under this name; the file gives it its
    /// place, and has no other key for it.
    #[serde(rename = "type")]
    pub(crate) kind: Option<TracerKind>,
    /// The service name, in place of the one at the top of the file.
    #[schemars(length(min = 1))]
    pub(crate) service: Option<String>,
    /// Where its spans go.
    pub(crate) exporter: Option<ExporterTable>,
    /// Where its spans go, if that is several places. One that fails keeps nothing
    /// from the others.
    #[serde(default)]
    pub(crate) exporters: Vec<ExporterTable>,
    /// Which traces are recorded. "always", unless it is said.
    pub(crate) sampling: Option<SamplingName>,
    /// Attributes that all of its spans have in common.
    #[serde(default)]
    pub(crate) resource: BTreeMap<String, Plain>,
    /// How spans are gathered before they are sent.
    pub(crate) batch: Option<BatchTable>,
    /// Which values are taken out of its spans.
    pub(crate) redaction: Option<RedactionTable>,
    /// Which spans none of its exporters receives.
    pub(crate) filter: Option<FilterTable>,
    /// How large spans may be.
    pub(crate) limits: Option<AttributeLimitsTable>,
    /// How many spans may be open at once; what starts beyond that does nothing.
    pub(crate) max_open_spans: Option<NonZeroUsize>,
}

/// Where a tracer comes from, if not from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TracerKind {
    /// Code registers a provider under this name.
    Provided,
}

/// Which traces are recorded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SamplingName {
    /// Every trace.
    Always,
    /// No trace.
    Never,
    /// A share of the traces from 0 to 1, told from the trace id, so that services
    /// agree: 0.1 records every tenth.
    Ratio(#[schemars(range(min = 0, max = 1))] f64),
    /// What a function says that code registers under this name.
    Custom(#[schemars(length(min = 1))] String),
}
