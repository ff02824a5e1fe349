//! Exporters: what a tracer sends its spans with.
//!
//! An [`Exporter`] is a value that says where spans go. It becomes a sender when its
//! [tracer](crate::otel::TracerConfig) is built. A tracer with several of them sends
//! each span to all, and one that fails does not keep the others from it.

mod console;
mod file;
mod otlp_lines;
mod tree;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use opentelemetry_sdk::trace::{SpanData, SpanExporter};

pub(crate) use console::Console;
use file::OtlpFile;
pub use otlp_lines::ReadError;
pub use tree::TraceTree;

use crate::delivery::{SdkSink, Sent, Sink};
use crate::scrub::SpanFilter;

/// Where spans go, and which of them.
///
/// # Examples
/// ```
/// use spanway::exporters::Exporter;
/// use spanway::otel::TracerConfig;
/// use spanway::scrub::SpanFilter;
///
/// let tracer = TracerConfig::new("shop")
///     .exporter(Exporter::console().filter(SpanFilter::new().drop_names(["poll"])))
///     .exporter(Exporter::file(std::env::temp_dir().join("spanway-doc-tee.jsonl")))
///     .build()?;
/// # drop(tracer);
/// # Ok::<(), spanway::otel::TracerConfigError>(())
/// ```
#[must_use = "an exporter does nothing until a tracer has it"]
pub struct Exporter {
    pub(crate) kind: Kind,
    pub(crate) filter: SpanFilter,
}

/// The kinds of exporters.
pub(crate) enum Kind {
    Console(Box<dyn Write + Send>),
    File(PathBuf),
    Discard,
    Custom(Box<dyn Sink>),
}

impl Exporter {
    fn of(kind: Kind) -> Self {
        Self {
            kind,
            filter: SpanFilter::default(),
        }
    }

    /// Prints each trace to standard output as a readable tree once its last span
    /// has ended. For people at a terminal, not for production.
    pub fn console() -> Self {
        Self::console_to(io::stdout())
    }

    /// [`console`](Self::console) to a writer of your own. It is called on the
    /// thread that ends the last span of a trace, and must not start spans itself.
    pub fn console_to(writer: impl Write + Send + 'static) -> Self {
        Self::of(Kind::Console(Box::new(writer)))
    }

    /// Appends the spans to a file as JSON lines, one OTLP trace request for each
    /// batch. The file is made if it is not there; its directory must be.
    ///
    /// # Source
    /// <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of(Kind::File(path.into()))
    }

    /// Drops every span. A tracer that traces nowhere can be chosen like any other.
    pub fn discard() -> Self {
        Self::of(Kind::Discard)
    }

    /// An exporter for the SDK that is made already. What it says of its batches is
    /// believed.
    pub fn custom(exporter: impl SpanExporter + 'static) -> Self {
        Self::of(Kind::Custom(Box::new(SdkSink(exporter))))
    }

    /// The word for its kind in reports: `file`, `console`, …
    pub fn name(&self) -> &'static str {
        match &self.kind {
            Kind::Console(_) => "console",
            Kind::File(_) => "file",
            Kind::Discard => "discard",
            Kind::Custom(_) => "custom",
        }
    }

    /// Leaves spans out of this exporter alone.
    pub fn filter(mut self, filter: SpanFilter) -> Self {
        self.filter = filter;
        self
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::File(path) => write!(f, "file {path:?}"),
            Kind::Custom(sink) => sink.fmt(f),
            _ => f.write_str(self.name()),
        }
    }
}

impl Kind {
    /// What takes the batches; none for the console, which prints whole traces on
    /// the thread that ends them.
    pub(crate) fn sink(self) -> Result<Ready, ExporterError> {
        Ok(match self {
            Self::Console(writer) => Ready::Console(writer),
            Self::Discard => Ready::Sink(Box::new(Discard)),
            Self::Custom(sink) => Ready::Sink(sink),
            Self::File(path) => match OtlpFile::append(&path) {
                Ok(file) => Ready::Sink(Box::new(file)),
                Err(source) => return Err(ExporterError::File { path, source }),
            },
        })
    }
}

/// An exporter that can begin.
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

/// Why an exporter was not made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExporterError {
    /// The file of a file exporter cannot be opened.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for ExporterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(
                f,
                "{path:?} cannot be opened to append spans to it; its directory must exist and \
                 be writable"
            ),
        }
    }
}

impl std::error::Error for ExporterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
        }
    }
}
