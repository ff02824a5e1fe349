//! Exporters, which send the spans of a tracer.
//!
//! An [`Exporter`] is a value that describes a destination. Building the
//! tracer creates the sender. A tracer with several exporters
//! sends each span to all of them, and a failing exporter does not affect the others.
#![cfg_attr(feature = "otlp", doc = include_str!("backends.md"))]

mod console;
mod file;
mod json_values;
#[cfg(feature = "otlp")]
mod otlp;
mod otlp_lines;
#[cfg(feature = "otlp")]
mod presets;
mod printer;
mod remote_parent;
mod tree;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

pub(crate) use console::Console;
use file::OtlpFile;
pub use file::Rotation;
#[cfg(feature = "otlp")]
pub use otlp::{OtlpError, OtlpExporter, OtlpProblem, Protocol, Secret};
pub use otlp_lines::ReadError;
#[cfg(feature = "otlp")]
pub use presets::*;
pub use remote_parent::RemoteParent;
pub(crate) use remote_parent::shares_its_tracer;
pub use tree::{OtlpTraces, TraceTree};

pub use crate::dialect::Dialect;

use crate::delivery::{DiskBuffer, SdkSink, Sent, Sink};
use crate::places;
use crate::redaction::{Redaction, SpanFilter};

/// A destination for spans, with an optional name, filter, sampling, redaction and disk buffer.
///
/// A tracer with several exporters sends each of its spans to all of them. Each has a queue, counts and
/// settings of its own: one can receive everything and another a tenth of the traces without prompts.
///
/// # Examples
/// ```
/// use spanmux::exporters::Exporter;
/// use spanmux::otel::TracerConfig;
/// use spanmux::redaction::SpanFilter;
///
/// let tracer = TracerConfig::new()
///     .service_name("shop")
///     .exporter(Exporter::console().filter(SpanFilter::new().drop_names(["poll"])))
///     .exporter(Exporter::file(std::env::temp_dir().join("spanmux-doc-tee.jsonl")))
///     .build()?;
/// # drop(tracer);
/// # Ok::<(), spanmux::otel::TracerConfigError>(())
/// ```
#[must_use = "an exporter does nothing until a tracer has it"]
pub struct Exporter {
    pub(crate) kind: Kind,
    #[doc(hidden)]
    pub filter: SpanFilter,
    #[doc(hidden)]
    pub disk_buffer: Option<DiskBuffer>,
    #[doc(hidden)]
    pub settings: DestinationSettings,
}

/// The settings that one exporter has beside those of its tracer.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct DestinationSettings {
    /// The name in counts and reports, in place of the kind.
    pub name: Option<String>,
    /// Removes content.
    pub omits_content: bool,
    /// Replaces the redaction of the tracer.
    pub redaction: Option<Redaction>,
    /// The share of the traces.
    pub share: Option<f64>,
}

/// The kinds of exporters.
pub(crate) enum Kind {
    Console(Box<dyn Write + Send>),
    File(PathBuf, Rotation),
    Discard,
    Custom(Box<dyn Sink>),
    #[cfg(feature = "otlp")]
    Otlp(Box<OtlpExporter>),
}

impl Exporter {
    /// Checks the address of an exporter over OTLP without connecting to it.
    ///
    /// # Errors
    /// [`OtlpError`] if the address is invalid.
    #[cfg(feature = "otlp")]
    #[doc(hidden)]
    pub fn check_endpoint(&self) -> Result<(), OtlpError> {
        match &self.kind {
            Kind::Otlp(otlp) => otlp.endpoint().map(drop),
            _ => Ok(()),
        }
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            filter: SpanFilter::default(),
            disk_buffer: None,
            settings: DestinationSettings::default(),
        }
    }

    /// Prints each trace to standard output as a readable tree when its last span has
    /// ended. Intended for development, not for production.
    pub fn console() -> Self {
        Self::console_to(io::stdout())
    }

    /// Like [`console`](Self::console), with a custom writer, which runs on a thread of its
    /// own. If it blocks, the thread that ends a trace is delayed by 20 ms, and none after it
    /// until the writer has caught up; up to 16,384 spans wait. Spans that the writer starts
    /// are no-ops. If it fails or panics, the trace is lost and counted.
    pub fn console_to(writer: impl Write + Send + 'static) -> Self {
        Self::of(Kind::Console(Box::new(writer)))
    }

    /// Appends spans to a file as JSON lines, one OTLP trace request per batch. The file is
    /// created if it does not exist; its directory must exist. On Unix, only the owner can
    /// read a file that the exporter creates. A relative path is resolved once, when the
    /// tracer is built. The file is
    /// [rotated](Rotation) by size.
    ///
    /// A batch is written in one call and not synced to disk: it survives the end of the
    /// process but not a power failure. If the disk is full, the batch is lost and counted.
    /// The next batch terminates any partial line that it left.
    ///
    /// # Source
    /// <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::file_rotated(path, Rotation::default())
    }

    /// Like [`file`](Self::file), with custom size limits.
    pub fn file_rotated(path: impl Into<PathBuf>, rotation: Rotation) -> Self {
        Self::of(Kind::File(path.into(), rotation))
    }

    /// Drops every span and counts it as delivered. Selectors can choose a tracer that
    /// records nothing like any other tracer.
    pub fn discard() -> Self {
        Self::of(Kind::Discard)
    }

    /// Uses an existing SDK exporter. Its result for each batch is trusted.
    pub fn custom(exporter: impl SpanExporter + 'static) -> Self {
        Self::of(Kind::Custom(Box::new(SdkSink(exporter))))
    }

    /// Sends to a backend over OTLP. Takes a preset or an [`OtlpExporter`].
    #[cfg(feature = "otlp")]
    pub fn otlp(exporter: impl Into<OtlpExporter>) -> Self {
        Self::of(Kind::Otlp(Box::new(exporter.into())))
    }

    /// Returns the URL that requests go to, or the host for OTLP over gRPC. Returns `None`
    /// for other exporters and for an invalid address.
    pub fn endpoint(&self) -> Option<String> {
        match &self.kind {
            #[cfg(feature = "otlp")]
            Kind::Otlp(exporter) => exporter.endpoint().ok(),
            _ => None,
        }
    }

    /// Returns the name of its kind in reports: `file`, `console`, `langfuse`, …
    pub fn name(&self) -> &'static str {
        match &self.kind {
            Kind::Console(_) => "console",
            Kind::File(..) => "file",
            Kind::Discard => "discard",
            Kind::Custom(_) => "custom",
            #[cfg(feature = "otlp")]
            Kind::Otlp(exporter) => exporter.name(),
        }
    }

    /// Drops spans for this exporter only.
    pub fn filter(mut self, filter: SpanFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Sets the name of this exporter in counts and reports. Defaults to its kind, such as `langfuse`.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// Sets whether this exporter receives content: prompts, messages, tool arguments, results and
    /// other payload of AI spans. Defaults to `true`.
    ///
    /// With `false`, the attributes of the GenAI conventions, of OpenInference and of common SDKs that
    /// hold content are removed, also from events and links, and counted as
    /// [redacted](crate::delivery::DeliveryCounts::redacted). Content in attributes with other keys is
    /// not known; use [`redaction`](Self::redaction) for those.
    ///
    /// # Examples
    /// ```
    /// use spanmux::exporters::{DatadogAgent, Exporter, Langfuse};
    /// use spanmux::otel::TracerConfig;
    ///
    /// // The customer's own project receives everything, ours a tenth of the traces without prompts.
    /// let acme = TracerConfig::new()
    ///     .exporter(Exporter::otlp(Langfuse::new("pk-lf-…", "sk-lf-…")).named("acme-langfuse"))
    ///     .exporter(
    ///         Exporter::otlp(DatadogAgent::http())
    ///             .named("datadog")
    ///             .content(false)
    ///             .sampling(0.1),
    ///     );
    /// # drop(acme);
    /// ```
    pub fn content(mut self, content: bool) -> Self {
        self.settings.omits_content = !content;
        self
    }

    /// Replaces the redaction of the tracer for this exporter only.
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.settings.redaction = Some(redaction);
        self
    }

    /// Sends only a share of the traces to this exporter, from 0 to 1. Defaults to 1.
    ///
    /// The decision depends on the trace id alone, by the same rule as the sampling of a tracer: all
    /// spans of a trace are sent or none, and services with equal shares agree. It is a share of all
    /// traces, so a tracer that records 0.2 of them and an exporter with 0.1 send 0.1. A span that is not
    /// sent is counted in [`sampled_out`](crate::delivery::DeliveryCounts::sampled_out).
    ///
    /// A number that is not between 0 and 1 is an error when the tracer is built.
    pub fn sampling(mut self, share: f64) -> Self {
        self.settings.share = Some(share);
        self
    }

    /// Buffers spans on disk while the backend is down and sends them later. Only OTLP
    /// exporters support this.
    pub fn disk_buffer(mut self, disk_buffer: DiskBuffer) -> Self {
        self.disk_buffer = Some(disk_buffer);
        self
    }
}

#[cfg(feature = "otlp")]
impl<T: Into<OtlpExporter>> From<T> for Exporter {
    fn from(exporter: T) -> Self {
        Self::otlp(exporter)
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::File(path, _) => write!(f, "file {path:?}"),
            Kind::Custom(sink) => sink.fmt(f),
            #[cfg(feature = "otlp")]
            Kind::Otlp(exporter) => exporter.fmt(f),
            _ => f.write_str(self.name()),
        }
    }
}

impl Kind {
    /// Returns the resource attributes that only this exporter adds.
    pub(crate) fn resource(&mut self) -> Option<&mut [KeyValue]> {
        match self {
            #[cfg(feature = "otlp")]
            Self::Otlp(exporter) => Some(exporter.own_resource()),
            _ => None,
        }
    }

    /// Checks the settings as [`sink`](Self::sink) does, but creates nothing.
    #[cfg_attr(not(feature = "otlp"), allow(unused_variables))]
    pub(crate) fn check(&self, timeout: Duration) -> Result<(), ExporterError> {
        match self {
            Self::File(path, _) => {
                places::can_be_appended(path).map_err(|source| ExporterError::File {
                    path: path.clone(),
                    source,
                })
            }
            #[cfg(feature = "otlp")]
            Self::Otlp(exporter) => exporter.check(timeout).map_err(ExporterError::Otlp),
            Self::Console(_) | Self::Discard | Self::Custom(_) => Ok(()),
        }
    }

    /// Returns the handling of remote parents unless the tracer sets it.
    pub(crate) fn remote_parent(&self) -> RemoteParent {
        match self {
            #[cfg(feature = "otlp")]
            Self::Otlp(exporter) => exporter.remote_parent(),
            _ => RemoteParent::Keep,
        }
    }

    /// Returns the dialect unless the tracer sets it.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        match self {
            #[cfg(feature = "otlp")]
            Self::Otlp(exporter) => exporter.dialect(),
            _ => None,
        }
    }

    pub(crate) fn takes_disk_buffer(&self) -> bool {
        match self {
            #[cfg(feature = "otlp")]
            Self::Otlp(_) => true,
            _ => false,
        }
    }

    /// Returns the sink for batches. The console has none: it prints whole traces on the
    /// thread that ends them. Sending a batch takes at most `timeout`.
    #[cfg_attr(not(feature = "otlp"), allow(unused_variables))]
    pub(crate) fn sink(self, timeout: Duration) -> Result<Ready, ExporterError> {
        Ok(match self {
            Self::Console(writer) => Ready::Console(writer),
            Self::Discard => Ready::Sink(Box::new(Discard)),
            Self::Custom(sink) => Ready::Sink(sink),
            #[cfg(feature = "otlp")]
            Self::Otlp(exporter) => {
                Ready::Sink(exporter.sink(timeout).map_err(ExporterError::Otlp)?)
            }
            Self::File(path, rotation) => match OtlpFile::append(&path, rotation) {
                Ok(file) => Ready::Sink(Box::new(file)),
                Err(source) => return Err(ExporterError::File { path, source }),
            },
        })
    }
}

/// An exporter that is ready to start.
pub(crate) enum Ready {
    Console(Box<dyn Write + Send>),
    Sink(Box<dyn Sink>),
}

#[derive(Debug)]
struct Discard;

impl Sink for Discard {
    fn send(&self, batch: Vec<SpanData>) -> Sent {
        Sent::all(batch.len() as u64)
    }
}

/// The reason why an exporter could not be created.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExporterError {
    /// The file of a file exporter cannot be opened.
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The settings of an OTLP exporter are invalid.
    #[cfg(feature = "otlp")]
    Otlp(OtlpError),
}

impl fmt::Display for ExporterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(
                f,
                "failed to open {path:?} for appending spans; its directory must exist and be \
                 writable"
            ),
            #[cfg(feature = "otlp")]
            Self::Otlp(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ExporterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            #[cfg(feature = "otlp")]
            Self::Otlp(error) => error.source(),
        }
    }
}
