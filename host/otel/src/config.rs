//! Tracers that are made here.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::otel_tracer::OtelTracer;
use super::sampling::Sampling;
use spanmux_export::delivery::BatchConfig;
use spanmux_export::exporters::{Exporter, ExporterError};
use spanmux_export::internal::{Exporting, Processor, Scrub, exporting};
use spanmux_export::scrub::{AttributeLimits, Redaction, SpanFilter};

/// How a tracer is made: its service name, where its spans go, and how.
///
/// What is not said here follows OpenTelemetry's own environment variables
/// (resource attributes, limits of a span). The service name given here wins over
/// the environment.
///
/// # Examples
/// ```
/// use spanmux::exporters::Exporter;
/// use spanmux::otel::{Sampling, TracerConfig};
///
/// let dir = std::env::temp_dir();
/// let tracer = TracerConfig::new("shop")
///     .exporter(Exporter::file(dir.join("spanmux-doc-spans.jsonl")))
///     .sampling(Sampling::ratio(0.1)?)
///     .resource("deployment.environment.name", "production")
///     .build()?;
/// # drop(tracer);
///
/// let error = TracerConfig::file("shop", "/nowhere/spans.jsonl").build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "failed to open \"/nowhere/spans.jsonl\" for appending spans; \
///      its directory must exist and be writable"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a configuration does nothing until it is built"]
pub struct TracerConfig {
    service: String,
    exporters: Vec<Exporter>,
    sampling: Sampling,
    resource: Vec<KeyValue>,
    batch: BatchConfig,
    scrub: Scrub,
    max_open_spans: usize,
}

/// How many spans of a tracer may be open at once, unless it is said: some hundred
/// megabytes of memory if each holds a few attributes.
const MAX_OPEN_SPANS: usize = 100_000;

impl TracerConfig {
    /// A tracer of this service, which has no exporter yet.
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            exporters: Vec::new(),
            sampling: Sampling::default(),
            resource: Vec::new(),
            batch: BatchConfig::default(),
            scrub: Scrub::default(),
            max_open_spans: MAX_OPEN_SPANS,
        }
    }

    /// A tracer that prints its traces: see [`Exporter::console`].
    pub fn console(service: impl Into<String>) -> Self {
        Self::new(service).exporter(Exporter::console())
    }

    /// A tracer that prints to a writer of your own: see [`Exporter::console_to`].
    pub fn console_to(service: impl Into<String>, writer: impl Write + Send + 'static) -> Self {
        Self::new(service).exporter(Exporter::console_to(writer))
    }

    /// A tracer that writes to a file: see [`Exporter::file`].
    pub fn file(service: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self::new(service).exporter(Exporter::file(path))
    }

    /// Sends the spans here too.
    pub fn exporter(mut self, exporter: impl Into<Exporter>) -> Self {
        self.exporters.push(exporter.into());
        self
    }

    /// Which traces are recorded. All of them, unless it is said.
    pub fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// An attribute of the resource, which all spans have in common.
    pub fn resource(
        mut self,
        key: impl Into<opentelemetry::Key>,
        value: impl Into<opentelemetry::Value>,
    ) -> Self {
        self.resource.push(KeyValue::new(key, value));
        self
    }

    /// How spans are gathered before they are sent.
    pub fn batch(mut self, batch: BatchConfig) -> Self {
        self.batch = batch;
        self
    }

    /// Which values are taken out of spans, in place of the default.
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.scrub.redaction = redaction;
        self
    }

    /// Leaves spans out of all exporters of this tracer.
    pub fn filter(mut self, filter: SpanFilter) -> Self {
        self.scrub.filters.push(filter);
        self
    }

    /// How large attributes may be, in place of the default.
    pub fn limits(mut self, limits: AttributeLimits) -> Self {
        self.scrub.limits = limits;
        self
    }

    /// How many spans may be open at once, so that spans which are never ended do
    /// not fill memory. What starts beyond that does nothing, and is counted as
    /// [`too_many_open`](super::LostSpans::too_many_open). Default: 100,000.
    pub fn max_open_spans(mut self, spans: usize) -> Self {
        self.max_open_spans = spans;
        self
    }

    /// Makes the tracer.
    ///
    /// # Errors
    /// [`TracerConfigError`] if there is no exporter, or one cannot be made.
    pub fn build(self) -> Result<OtelTracer, TracerConfigError> {
        if self.exporters.is_empty() {
            return Err(TracerConfigError::NoExporter);
        }
        let resource = Resource::builder()
            .with_attributes(self.resource.clone())
            .with_service_name(self.service.clone())
            .build();
        let mut provider = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_sampler(self.sampling.clone().sampler());
        let limits = &self.scrub.limits;
        if let Some(attributes) = limits.attributes {
            provider = provider.with_max_attributes_per_span(attributes);
        }
        if let Some(events) = limits.events {
            provider = provider.with_max_events_per_span(events);
        }
        if let Some(links) = limits.links {
            provider = provider.with_max_links_per_span(links);
        }
        let plan = exporting::Plan {
            service: &self.service,
            resource: &resource,
            batch: &self.batch,
            scrub: &self.scrub,
        };
        let mut exporters: Vec<Exporting> = Vec::new();
        for exporter in self.exporters {
            let exporting = exporting::start(exporter, &exporters, &plan)?;
            provider = provider.with_span_processor(Processor(exporting.clone()));
            exporters.push(exporting);
        }
        Ok(OtelTracer::from_builder(provider)
            .with_exporters(exporters)
            .with_max_open(self.max_open_spans))
    }
}

/// Why a tracer was not made.
#[derive(Debug)]
#[non_exhaustive]
pub enum TracerConfigError {
    /// It has no exporter.
    NoExporter,
    /// One of its exporters cannot be made.
    Exporter(ExporterError),
    /// An exporter of this name cannot spill.
    CannotSpill(String),
    /// The directory of a spill cannot be used.
    Spill {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no thread for an exporter.
    Thread(io::Error),
}

impl fmt::Display for TracerConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoExporter => f.write_str(
                "it has no exporter; give it one, `Exporter::discard()` if its spans shall go \
                 nowhere",
            ),
            Self::Exporter(error) => error.fmt(f),
            Self::CannotSpill(name) => write!(
                f,
                "its exporter \"{name}\" cannot spill; only exporters over OTLP can"
            ),
            Self::Spill { directory, .. } => write!(
                f,
                "{directory:?} cannot be spilled to; it must be a directory of this exporter \
                 alone, and writable"
            ),
            Self::Thread(_) => f.write_str("there is no thread for one of its exporters"),
        }
    }
}

impl Error for TracerConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoExporter | Self::CannotSpill(_) => None,
            Self::Exporter(error) => error.source(),
            Self::Spill { source, .. } | Self::Thread(source) => Some(source),
        }
    }
}

impl From<exporting::StartError> for TracerConfigError {
    fn from(error: exporting::StartError) -> Self {
        use exporting::StartError;
        match error {
            StartError::Exporter(error) => Self::Exporter(error),
            StartError::CannotSpill(name) => Self::CannotSpill(name),
            StartError::Spill { directory, source } => Self::Spill { directory, source },
            StartError::Thread(error) => Self::Thread(error),
        }
    }
}
