//! The shape of a file: its keys, what they mean and what they take. The comments
//! here are the descriptions in the JSON schema.

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

/// Which tracers there are, and how one of them is chosen for each trace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "spanmux.toml")]
pub(super) struct File {
    /// Where this schema lies, for editors.
    #[serde(rename = "$schema")]
    #[allow(dead_code)]
    pub(super) schema: Option<String>,
    /// The service name of all tracers that do not say otherwise.
    #[schemars(length(min = 1))]
    pub(super) service: Option<String>,
    /// The tracer of the traces for which all selectors abstain. The first tracer,
    /// unless this names another.
    pub(super) default: Option<String>,
    /// The tracer to which failed decisions go. The default tracer, unless this names
    /// another.
    pub(super) fallback: Option<String>,
    /// The selectors. Without them, all traces go to the default tracer.
    #[serde(default)]
    pub(super) selectors: SelectorsTable,
    /// What crosses the borders of the process, and what is copied onto spans.
    #[serde(default)]
    pub(super) context: ContextTable,
    /// How AI spans are written.
    #[serde(default)]
    pub(super) ai: AiTable,
    /// The tracers by name, at least one. Their order in the file is the order in
    /// which selectors see them, and the first is the default.
    #[schemars(extend("minProperties" = 1))]
    pub(super) tracers: BTreeMap<String, TracerTable>,
}
