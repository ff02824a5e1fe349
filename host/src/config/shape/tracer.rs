//! The shape of `[tracers.NAME]`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::exporter::ExporterTable;
use crate::config::values::{Period, Plain};

/// A tracer: what it is called, what it records, and where its spans go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct TracerTable {
    /// "provided" if code registers a provider under this name; the file gives it its
    /// place, and has no other key for it.
    #[serde(rename = "type")]
    pub(in crate::config) kind: Option<TracerKind>,
    /// The service name, in place of the one at the top of the file.
    #[schemars(length(min = 1))]
    pub(in crate::config) service: Option<String>,
    /// Where its spans go.
    pub(in crate::config) exporter: Option<ExporterTable>,
    /// Where its spans go, if that is several places. One that fails keeps nothing
    /// from the others.
    #[serde(default)]
    pub(in crate::config) exporters: Vec<ExporterTable>,
    /// Which traces are recorded. "always", unless it is said.
    pub(in crate::config) sampling: Option<SamplingName>,
    /// Attributes that all of its spans have in common.
    #[serde(default)]
    pub(in crate::config) resource: BTreeMap<String, Plain>,
    /// How spans are gathered before they are sent.
    pub(in crate::config) batch: Option<BatchTable>,
    /// Which values are taken out of its spans.
    pub(in crate::config) redaction: Option<RedactionTable>,
    /// Which spans none of its exporters receives.
    pub(in crate::config) filter: Option<FilterTable>,
    /// How large attributes may be.
    pub(in crate::config) limits: Option<AttributeLimitsTable>,
}

/// Where a tracer comes from, if not from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum TracerKind {
    /// Code registers a provider under this name.
    Provided,
}

/// Which traces are recorded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum SamplingName {
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

/// How spans are gathered before they are sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct BatchTable {
    /// How many spans wait at most; what ends beyond that is dropped and counted.
    pub(in crate::config) queue: Option<NonZeroUsize>,
    /// How many spans are sent at once at most.
    pub(in crate::config) size: Option<NonZeroUsize>,
    /// How long a span waits for others at most.
    pub(in crate::config) every: Option<Period>,
    /// How long sending one batch may take, with all of its attempts.
    pub(in crate::config) timeout: Option<Period>,
}

/// Which values are taken out of spans.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RedactionTable {
    /// Whether the values of keys that usually hold secrets are taken out. True,
    /// unless it is said.
    pub(in crate::config) defaults: Option<bool>,
    /// Keys whose values are taken out too, wherever they stand.
    #[serde(default)]
    pub(in crate::config) keys: Vec<String>,
}

/// Which spans are left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct FilterTable {
    /// Names of spans. One that ends in "*" stands for all that begin with what is
    /// before it.
    #[serde(default)]
    pub(in crate::config) drop_names: Vec<String>,
}

/// How large attributes may be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct AttributeLimitsTable {
    /// Characters of a text.
    pub(in crate::config) length: Option<NonZeroUsize>,
    /// Levels of JSON text.
    pub(in crate::config) depth: Option<NonZeroUsize>,
}
