//! Tracers that are made here.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::console::Console;
use super::file::OtlpFile;
use super::otel_tracer::OtelTracer;

/// How a tracer is made: its service name and where its spans go.
///
/// What is not said here follows OpenTelemetry's own environment variables
/// (resource attributes, the sampler, the size of batches). The service name given
/// here wins over the environment.
///
/// # Examples
/// ```
/// use spanway::otel::TracerConfig;
///
/// let dir = std::env::temp_dir();
/// let tracer = TracerConfig::file("shop", dir.join("spanway-doc-spans.jsonl")).build()?;
/// # drop(tracer);
///
/// let error = TracerConfig::file("shop", "/nowhere/spans.jsonl").build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "\"/nowhere/spans.jsonl\" cannot be opened to append spans to it; \
///      its directory must exist and be writable"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a configuration does nothing until it is built"]
pub struct TracerConfig {
    service: String,
    exporter: Exporter,
}

enum Exporter {
    Console(Box<dyn Write + Send>),
    File(PathBuf),
}

impl TracerConfig {
    /// Prints each trace to standard output as a readable tree once its last span
    /// has ended. For people at a terminal, not for production.
    pub fn console(service: impl Into<String>) -> Self {
        Self::console_to(service, io::stdout())
    }

    /// [`console`](Self::console) to a writer of your own. It is called on the
    /// thread that ends the last span of a trace, and must not start spans itself.
    pub fn console_to(service: impl Into<String>, writer: impl Write + Send + 'static) -> Self {
        Self {
            service: service.into(),
            exporter: Exporter::Console(Box::new(writer)),
        }
    }

    /// Appends the spans to a file as JSON lines, one OTLP trace request for each
    /// batch, on a thread of its own. The file is made if it is not there; its
    /// directory must be.
    ///
    /// # Source
    /// <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>
    pub fn file(service: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            service: service.into(),
            exporter: Exporter::File(path.into()),
        }
    }

    /// Makes the tracer.
    ///
    /// # Errors
    /// [`TracerConfigError::File`] if the file cannot be opened.
    pub fn build(self) -> Result<OtelTracer, TracerConfigError> {
        let resource = Resource::builder()
            .with_service_name(self.service.clone())
            .build();
        let provider = SdkTracerProvider::builder().with_resource(resource);
        let provider = match self.exporter {
            Exporter::Console(writer) => {
                provider.with_span_processor(Console::new(self.service, writer))
            }
            Exporter::File(path) => match OtlpFile::append(&path) {
                Ok(file) => provider.with_batch_exporter(file),
                Err(source) => return Err(TracerConfigError::File { path, source }),
            },
        };
        Ok(OtelTracer::from_builder(provider))
    }
}

impl fmt::Debug for TracerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TracerConfig");
        debug.field("service", &self.service);
        match &self.exporter {
            Exporter::Console(_) => debug.field("exporter", &format_args!("console")),
            Exporter::File(path) => debug.field("exporter", path),
        };
        debug.finish()
    }
}

/// Why a tracer was not made.
#[derive(Debug)]
#[non_exhaustive]
pub enum TracerConfigError {
    /// The file of a file exporter cannot be opened.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for TracerConfigError {
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

impl Error for TracerConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
        }
    }
}
