//! The shape of `[tracers.NAME.exporter]`.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::delivery::FilterTable;
use super::kind::ExporterKind;
use crate::config::values::{Hidden, Period, Url};

/// Where spans go.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub(in crate::config) struct ExporterTable {
    /// Which spans this exporter does not receive.
    pub(in crate::config) filter: Option<FilterTable>,
    /// Headers that are sent with each request to a backend. They are never shown.
    #[serde(default)]
    pub(in crate::config) headers: BTreeMap<String, Hidden>,
    /// Whether requests to a backend are compressed. False, unless it is said.
    pub(in crate::config) gzip: Option<bool>,
    /// How long one attempt to send to a backend may take.
    pub(in crate::config) timeout: Option<Period>,
    /// The HTTP proxy by which a backend is sent to, as "http://proxy:3128".
    pub(in crate::config) proxy: Option<Hidden>,
    /// Another host that is sent to by the same path: a gateway before the backend.
    pub(in crate::config) origin: Option<Url>,
    /// A file of certificates of authorities, as PEM, by which a backend is trusted, and
    /// by no others: for a server of your own. Its path is seen from the configuration.
    #[schemars(example = &"authorities.pem")]
    pub(in crate::config) ca_certificates: Option<PathBuf>,
    /// Where spans are kept while a backend is down.
    pub(in crate::config) spill: Option<SpillTable>,
    /// Which kind it is, and what that needs.
    #[serde(flatten)]
    pub(in crate::config) kind: ExporterKind,
}

/// Spans that are kept on disk while a backend is down, and sent when it is back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct SpillTable {
    /// A directory of this exporter alone. Its path is seen from the file.
    pub(in crate::config) directory: PathBuf,
    /// Bytes of all files; beyond that the oldest go.
    pub(in crate::config) max_bytes: Option<NonZeroU64>,
    /// How many files there are, one for each batch.
    pub(in crate::config) max_files: Option<NonZeroUsize>,
    /// How long a file is kept.
    pub(in crate::config) max_age: Option<Period>,
}
