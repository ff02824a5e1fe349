//! The shape of a file: its keys, their meanings and their values. The comments are the
//! descriptions in the JSON schema.

mod ai;
mod context;
mod delivery;
mod exporter;
mod kind;
mod limits;
mod selectors;
mod tracer;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use ai::AiTable;
pub(super) use context::ContextTable;
pub(super) use delivery::{
    AttributeLimitsTable, BatchTable, FilterTable, KindName, MaskName, RedactionTable,
};
pub(super) use exporter::{ExporterTable, SpillTable};
pub(super) use kind::{
    BraintrustParentName, ExporterKind, LangSmithRegionName, LangfuseRegionName, Protocol, Region,
};
pub(super) use selectors::{SelectorsTable, Unavailable};
pub(super) use tracer::{SamplingName, TracerTable};

/// The tracers, and the rules that choose one for each trace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "spanmux.toml")]
pub(super) struct File {
    /// The location of this schema, for editors.
    #[serde(rename = "$schema")]
    #[allow(dead_code)]
    pub(super) schema: Option<String>,
    /// The service name of tracers without one of their own.
    #[schemars(length(min = 1))]
    pub(super) service: Option<String>,
    /// The tracer of traces for which all selectors abstain. Defaults to the first tracer.
    pub(super) default: Option<String>,
    /// The tracer that receives failed decisions. Defaults to the default tracer.
    pub(super) fallback: Option<String>,
    /// The selectors. Without them, all traces go to the default tracer.
    #[serde(default)]
    pub(super) selectors: SelectorsTable,
    /// Propagation between processes, and keys that are copied onto spans.
    #[serde(default)]
    pub(super) context: ContextTable,
    /// Settings of AI spans.
    #[serde(default)]
    pub(super) ai: AiTable,
    /// The tracers by name, at least one. Selectors see them in the order of the file, and the
    /// first is the default.
    #[schemars(extend("minProperties" = 1))]
    pub(super) tracers: BTreeMap<String, TracerTable>,
}
