//! The structure of `[tracers.NAME.exporter]`.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::delivery::{FilterTable, RedactionTable};
use super::kind::ExporterKind;
use crate::values::{Hidden, Period, Url};

/// The destination of spans.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub(crate) struct ExporterTable {
    /// The name in counts and reports. Defaults to the name in `exporters`, or else to the type.
    #[schemars(length(min = 1))]
    pub(crate) name: Option<String>,
    /// Sends prompts, messages, tool arguments, results and other content of AI spans to this
    /// exporter. Defaults to `true`.
    pub(crate) content: Option<bool>,
    /// The values to redact for this exporter. Replaces the redaction of the tracer.
    pub(crate) redaction: Option<RedactionTable>,
    /// The share of all traces that this exporter receives, from 0 to 1. It is derived from the trace
    /// ID, so that a trace is sent as a whole or not at all. Defaults to 1.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) sampling: Option<f64>,
    /// The spans that this exporter drops.
    pub(crate) filter: Option<FilterTable>,
    /// Headers sent with each request to a backend. Their values are never displayed.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Hidden>,
    /// Compresses requests to a backend. Defaults to `false`.
    pub(crate) gzip: Option<bool>,
    /// Maximum time for one attempt to send to a backend.
    pub(crate) timeout: Option<Period>,
    /// Maximum size of one request to a backend in bytes, before compression. A larger batch
    /// becomes several requests. Defaults to the limit of the backend if it is known, otherwise
    /// to 20 MiB over HTTP and 4 MiB over gRPC.
    pub(crate) max_request_bytes: Option<NonZeroUsize>,
    /// Maximum size of one span in bytes. The largest values of a larger span are shortened.
    /// Defaults to the limit of the backend if it is known.
    pub(crate) max_span_bytes: Option<NonZeroUsize>,
    /// The HTTP proxy for requests to a backend, such as "http://proxy:3128".
    pub(crate) proxy: Option<Hidden>,
    /// The hosts that are reached without the proxy: "localhost", or ".internal" for every host
    /// below it.
    #[serde(default)]
    #[schemars(example = &["localhost", ".internal"])]
    pub(crate) no_proxy: Vec<String>,
    /// The origin of a gateway in front of the backend. Requests keep their path.
    pub(crate) origin: Option<Url>,
    /// A PEM file with the only certificate authorities to trust for a backend, for a
    /// self-hosted server. Its path is relative to the configuration file.
    #[schemars(example = &"authorities.pem")]
    pub(crate) ca_certificates: Option<PathBuf>,
    /// Trusts the certificate authorities of the operating system, in addition to
    /// `ca_certificates` and instead of those of Mozilla. Defaults to `false`.
    pub(crate) system_certificates: Option<bool>,
    /// The disk buffer for spans while a backend is down.
    pub(crate) spill: Option<SpillTable>,
    /// The exporter type and its settings.
    #[serde(flatten)]
    pub(crate) kind: ExporterKind,
}

/// A disk buffer for spans while a backend is down. They are sent when it recovers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpillTable {
    /// A directory for this exporter only, relative to the configuration file.
    #[schemars(length(min = 1))]
    pub(crate) directory: PathBuf,
    /// Maximum size of all files in bytes. Beyond it, the oldest files are removed.
    pub(crate) max_bytes: Option<NonZeroU64>,
    /// Maximum number of files, one per batch.
    #[schemars(range(max = 10_000_000))]
    pub(crate) max_files: Option<NonZeroUsize>,
    /// Maximum age of a file.
    pub(crate) max_age: Option<Period>,
}
