//! The shape of `[tracers.NAME.exporter]`.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::delivery::FilterTable;
use super::kind::ExporterKind;
use crate::values::{Hidden, Period, Url};

/// Where spans go.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub(crate) struct ExporterTable {
    /// Which spans this exporter does not receive.
    pub(crate) filter: Option<FilterTable>,
    /// Headers that are sent with each request to a backend. They are never shown.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Hidden>,
    /// Whether requests to a backend are compressed. False, unless it is said.
    pub(crate) gzip: Option<bool>,
    /// How long one attempt to send to a backend may take.
    pub(crate) timeout: Option<Period>,
    /// The HTTP proxy by which a backend is sent to, as "http://proxy:3128".
    pub(crate) proxy: Option<Hidden>,
    /// Another host that is sent to by the same path: a gateway before the backend.
    pub(crate) origin: Option<Url>,
    /// A file of certificates of authorities, as PEM, by which a backend is trusted, and
    /// by no others: for a server of your own. Its path is seen from the configuration.
    #[schemars(example = &"authorities.pem")]
    pub(crate) ca_certificates: Option<PathBuf>,
    /// Where spans are kept while a backend is down.
    pub(crate) spill: Option<SpillTable>,
    /// Which kind it is, and what that needs.
    #[serde(flatten)]
    pub(crate) kind: ExporterKind,
}

/// Spans that are kept on disk while a backend is down, and sent when it is back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpillTable {
    /// A directory of this exporter alone. Its path is seen from the file.
    pub(crate) directory: PathBuf,
    /// Bytes of all files; beyond that the oldest go.
    pub(crate) max_bytes: Option<NonZeroU64>,
    /// How many files there are, one for each batch.
    pub(crate) max_files: Option<NonZeroUsize>,
    /// How long a file is kept.
    pub(crate) max_age: Option<Period>,
}
