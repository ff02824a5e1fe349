//! Tracers that are made here.

use std::error::Error;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, TracerProviderBuilder,
};

use super::otel_tracer::OtelTracer;
use super::sampling::Sampling;
use crate::delivery::{BatchConfig, Meter, Metered};
use crate::exporters::{Console, Exporter, ExporterError, Ready};
use crate::scrub::{AttributeLimits, Redaction, Scrub, SpanFilter};

/// How a tracer is made: its service name, where its spans go, and how.
///
/// What is not said here follows OpenTelemetry's own environment variables
/// (resource attributes, limits of a span). The service name given here wins over
/// the environment.
///
/// # Examples
/// ```
/// use spanway::exporters::Exporter;
/// use spanway::otel::{Sampling, TracerConfig};
///
/// let dir = std::env::temp_dir();
/// let tracer = TracerConfig::new("shop")
///     .exporter(Exporter::file(dir.join("spanway-doc-spans.jsonl")))
///     .sampling(Sampling::ratio(0.1)?)
///     .resource("deployment.environment.name", "production")
///     .build()?;
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
#[derive(Debug)]
#[must_use = "a configuration does nothing until it is built"]
pub struct TracerConfig {
    service: String,
    exporters: Vec<Exporter>,
    sampling: Sampling,
    resource: Vec<KeyValue>,
    batch: BatchConfig,
    scrub: Scrub,
}

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

    /// Makes the tracer.
    ///
    /// # Errors
    /// [`TracerConfigError`] if there is no exporter, or one cannot be made.
    pub fn build(self) -> Result<OtelTracer, TracerConfigError> {
        if self.exporters.is_empty() {
            return Err(TracerConfigError::NoExporter);
        }
        let resource = Resource::builder()
            .with_attributes(self.resource)
            .with_service_name(self.service.clone())
            .build();
        let mut provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(self.sampling.sampler());
        let mut meters = Vec::new();
        for exporter in self.exporters {
            let meter = Arc::new(Meter::default());
            meters.push((exporter.name(), meter.clone()));
            let mut scrub = self.scrub.clone();
            scrub.filters.push(exporter.filter);
            let ready = exporter
                .kind
                .sink(self.batch.timeout)
                .map_err(TracerConfigError::Exporter)?;
            provider = with_exporter(provider, &self.service, ready, scrub, &self.batch, meter);
        }
        Ok(OtelTracer::from_builder(provider).with_meters(meters))
    }
}

fn with_exporter(
    provider: TracerProviderBuilder,
    service: &str,
    ready: Ready,
    scrub: Scrub,
    batch: &BatchConfig,
    meter: Arc<Meter>,
) -> TracerProviderBuilder {
    match ready {
        Ready::Console(writer) => {
            provider.with_span_processor(Console::new(service.to_owned(), writer))
        }
        Ready::Sink(sink) => {
            let exporter = Metered::new(sink, scrub, meter);
            let config = BatchConfigBuilder::default()
                .with_max_queue_size(batch.queue)
                .with_max_export_batch_size(batch.size)
                .with_scheduled_delay(batch.every)
                .build();
            let processor = BatchSpanProcessor::builder(exporter)
                .with_batch_config(config)
                .build();
            provider.with_span_processor(processor)
        }
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
}

impl fmt::Display for TracerConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoExporter => f.write_str(
                "it has no exporter; give it one, `Exporter::discard()` if its spans shall go \
                 nowhere",
            ),
            Self::Exporter(error) => error.fmt(f),
        }
    }
}

impl Error for TracerConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoExporter => None,
            Self::Exporter(error) => error.source(),
        }
    }
}
