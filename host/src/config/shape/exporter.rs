//! The shape of `[tracers.NAME.exporter]`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::tracer::FilterTable;

/// Where spans go.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub(in crate::config) struct ExporterTable {
    /// Which spans this exporter does not receive.
    pub(in crate::config) filter: Option<FilterTable>,
    /// Which kind it is, and what that needs.
    #[serde(flatten)]
    pub(in crate::config) kind: ExporterKind,
}

/// The kinds of exporters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(in crate::config) enum ExporterKind {
    /// Prints each trace to standard output as a readable tree.
    Console {},
    /// Appends spans to a file as OTLP JSON lines.
    File {
        /// The file. Its path is seen from the configuration; its directory must be
        /// there.
        path: PathBuf,
    },
    /// Drops every span.
    Discard {},
}
