//! The structure of a configuration file: its keys, their meaning and their types. The doc
//! comments here become the descriptions in the JSON schema.

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

pub(super) use ai::{AiTable, DialectName};
pub(super) use context::{ContextTable, InboundName, OutboundName};
pub(super) use delivery::{
    AttributeLimitsTable, BatchTable, FilterTable, KindName, MaskName, RedactionTable,
};
pub(super) use exporter::{ExporterTable, SpillTable};
pub(super) use kind::{
    BraintrustParentName, ExporterKind, LangSmithRegionName, LangfuseRegionName, Protocol, Region,
};
pub(super) use selectors::{FILE_ENDING, SelectorsTable, Unavailable};
pub(super) use tracer::{BackendDialectName, RemoteParentName, SamplingName, TracerTable};

/// The tracers, and the selectors that choose one of them for each trace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "spanmux.toml")]
pub(super) struct File {
    /// The location of this schema, for editors.
    #[serde(rename = "$schema")]
    #[allow(dead_code)]
    pub(super) schema: Option<String>,
    /// The service name of tracers that do not set their own.
    #[schemars(length(min = 1))]
    pub(super) service: Option<String>,
    /// The tracer for traces on which all selectors abstain. Defaults to the first tracer.
    pub(super) default: Option<String>,
    /// The tracer for failed decisions. Defaults to the default tracer.
    pub(super) fallback: Option<String>,
    /// Records nothing and runs no selector while the environment variable OTEL_SDK_DISABLED is
    /// "true". Defaults to `false`.
    #[serde(default)]
    pub(super) honour_sdk_disabled: bool,
    /// The selectors. Without selectors, all traces go to the default tracer.
    #[serde(default)]
    pub(super) selectors: SelectorsTable,
    /// Context propagation between processes, and runtime context keys copied to spans.
    #[serde(default)]
    pub(super) context: ContextTable,
    /// Settings for AI spans.
    #[serde(default)]
    pub(super) ai: AiTable,
    /// The exporters by name. Tracers use them by their names in `exporters`.
    #[serde(default)]
    #[allow(dead_code)] // The tracers have what they use.
    pub(super) exporters: BTreeMap<String, ExporterTable>,
    /// The tracers by name, at least one. Selectors see them in file order, and the first is
    /// the default.
    #[schemars(extend("minProperties" = 1))]
    pub(super) tracers: BTreeMap<String, TracerTable>,
}
