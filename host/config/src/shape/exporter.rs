//! The shape of `[tracers.NAME.exporter]`.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::delivery::FilterTable;
use super::kind::ExporterKind;
use crate::values::{Hidden, Period, Url};

/// The destination of spans.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub(crate) struct ExporterTable {
    /// Spans that this exporter does not receive.
    pub(crate) filter: Option<FilterTable>,
    /// Headers of each request to a backend. They are never shown.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Hidden>,
    /// Whether requests to a backend are compressed. Defaults to false.
    pub(crate) gzip: Option<bool>,
    /// The timeout of one attempt to send to a backend.
    pub(crate) timeout: Option<Period>,
    /// The HTTP proxy for requests to a backend, for example "http://proxy:3128".
    pub(crate) proxy: Option<Hidden>,
    /// Another host that receives requests at the same path: a gateway in front of the backend.
    pub(crate) origin: Option<Url>,
    /// A PEM file with the only authorities that are trusted for the backend, for a server of your
    /// own. The path is relative to the configuration.
    #[schemars(example = &"authorities.pem")]
    pub(crate) ca_certificates: Option<PathBuf>,
    /// The disk buffer for spans while a backend is down.
    pub(crate) spill: Option<SpillTable>,
    /// The kind of exporter and its settings.
    #[serde(flatten)]
    pub(crate) kind: ExporterKind,
}

/// Spans that are buffered on disk while a backend is down, and sent when it is available again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpillTable {
    /// A directory of this exporter alone. The path is relative to the configuration.
    pub(crate) directory: PathBuf,
    /// Maximum size of all files in bytes. The oldest are deleted beyond it.
    pub(crate) max_bytes: Option<NonZeroU64>,
    /// Maximum number of files, one per batch.
    pub(crate) max_files: Option<NonZeroUsize>,
    /// Maximum age of a file.
    pub(crate) max_age: Option<Period>,
}
