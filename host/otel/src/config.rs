//! Tracers built from a configuration.

use std::io::Write;
use std::path::PathBuf;

use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::last_values::LastValues;
use super::otel_tracer::OtelTracer;
use super::sampling::Sampling;
use spanmux_export::delivery::BatchConfig;
use spanmux_export::exporters::{Dialect, Exporter, RemoteParent};
pub use spanmux_export::internal::exporting::TracerConfigError;
use spanmux_export::internal::{Exporting, Processor, SpanProcessing, exporting};
use spanmux_export::redaction::{AttributeLimits, Redaction, SpanFilter};

/// The configuration of a tracer: its exporters, sampling, and limits.
///
/// The service name comes from [`service_name`](Self::service_name), or else from
/// [the provider's builder](super::RoutingTracerProviderBuilder::service_name). Settings
/// that are given in neither place follow OpenTelemetry's environment variables (resource
/// attributes, span limits). Without any service name, it is `unknown_service`, as
/// OpenTelemetry specifies.
///
/// # Examples
/// ```
/// use spanmux::exporters::Exporter;
/// use spanmux::otel::{Sampling, TracerConfig};
///
/// let dir = std::env::temp_dir();
/// let tracer = TracerConfig::new()
///     .service_name("shop")
///     .exporter(Exporter::file(dir.join("spanmux-doc-spans.jsonl")))
///     .sampling(Sampling::ratio(0.1)?)
///     .resource("deployment.environment.name", "production")
///     .build()?;
/// # drop(tracer);
///
/// let error = TracerConfig::file("/nowhere/spans.jsonl").build().unwrap_err();
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
    service: Option<String>,
    exporters: Vec<Exporter>,
    sampling: Sampling,
    resource: Vec<KeyValue>,
    batch: BatchConfig,
    processing: SpanProcessing,
    max_open_spans: usize,
}

/// Default maximum number of open spans per tracer: some hundred megabytes of memory if
/// each span holds a few attributes.
const MAX_OPEN_SPANS: usize = 100_000;

impl TracerConfig {
    /// Creates a configuration without exporters.
    pub fn new() -> Self {
        Self {
            service: None,
            exporters: Vec::new(),
            sampling: Sampling::default(),
            resource: Vec::new(),
            batch: BatchConfig::default(),
            processing: SpanProcessing::default(),
            max_open_spans: MAX_OPEN_SPANS,
        }
    }

    /// Creates a tracer that prints its traces: see [`Exporter::console`].
    pub fn console() -> Self {
        Self::new().exporter(Exporter::console())
    }

    /// Creates a tracer that prints to the given writer: see [`Exporter::console_to`].
    pub fn console_to(writer: impl Write + Send + 'static) -> Self {
        Self::new().exporter(Exporter::console_to(writer))
    }

    /// Creates a tracer that writes to a file: see [`Exporter::file`].
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::new().exporter(Exporter::file(path))
    }

    /// Sets the service name of this tracer. It overrides the one of the
    /// [provider's builder](super::RoutingTracerProviderBuilder::service_name).
    pub fn service_name(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Sets the service name unless this tracer has its own.
    pub(super) fn or_service_name(mut self, service: Option<&str>) -> Self {
        self.service = self.service.or_else(|| service.map(str::to_owned));
        self
    }

    /// Adds an exporter.
    pub fn exporter(mut self, exporter: impl Into<Exporter>) -> Self {
        self.exporters.push(exporter.into());
        self
    }

    /// Sets which traces are recorded. Defaults to all of them.
    pub fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Adds a resource attribute, which applies to all spans.
    pub fn resource(
        mut self,
        key: impl Into<opentelemetry::Key>,
        value: impl Into<opentelemetry::Value>,
    ) -> Self {
        self.resource.push(KeyValue::new(key, value));
        self
    }

    /// Sets how spans are batched before they are sent.
    pub fn batch(mut self, batch: BatchConfig) -> Self {
        self.batch = batch;
        self
    }

    /// Replaces the default redaction, which removes sensitive values from spans.
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.processing.redaction = redaction;
        self
    }

    /// Adds a filter that excludes spans from all exporters of this tracer.
    pub fn filter(mut self, filter: SpanFilter) -> Self {
        self.processing.filters.push(filter);
        self
    }

    /// Sets the handling of spans whose parent is in another process, for all exporters of this
    /// tracer. Defaults to [`RemoteParent::Link`] for LLM backends and to [`RemoteParent::Keep`]
    /// for all others.
    ///
    /// # Examples
    /// ```
    /// use spanmux::exporters::{Langfuse, RemoteParent};
    /// use spanmux::otel::TracerConfig;
    ///
    /// // All services of this trace send to Langfuse.
    /// let config = TracerConfig::new()
    ///     .exporter(Langfuse::new("pk-lf-…", "sk-lf-…"))
    ///     .remote_parent(RemoteParent::Keep);
    /// # drop(config);
    /// ```
    pub fn remote_parent(mut self, remote_parent: RemoteParent) -> Self {
        self.processing.remote_parent = Some(remote_parent);
        self
    }

    /// Sets the attribute names that the backends read, for all exporters of this tracer. Defaults
    /// to the dialect of the backend for the LLM presets. All other exporters send spans as they
    /// were recorded.
    ///
    /// # Examples
    /// ```
    /// use spanmux::exporters::{Dialect, Mlflow};
    /// use spanmux::otel::TracerConfig;
    ///
    /// let config = TracerConfig::new()
    ///     .exporter(Mlflow::new("http://localhost:5000", "0"))
    ///     .dialect(Dialect::OpenInference);
    /// # drop(config);
    /// ```
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.processing.dialect = Some(dialect);
        self
    }

    /// Replaces the default limits on the size of attributes.
    pub fn limits(mut self, limits: AttributeLimits) -> Self {
        self.processing.limits = limits;
        self
    }

    /// Sets the maximum number of open spans, so that spans that are never ended cannot
    /// fill memory. Further spans are no-ops and are counted in
    /// [`too_many_open`](super::DroppedSpans::too_many_open). Defaults to 100,000.
    pub fn max_open_spans(mut self, spans: usize) -> Self {
        self.max_open_spans = spans;
        self
    }

    /// Checks the settings as [`build`](Self::build) does, but creates nothing: opens no file and
    /// no disk buffer, starts no thread, and connects to nothing.
    ///
    /// # Errors
    /// Returns [`TracerConfigError`] for settings with which `build` would fail.
    #[doc(hidden)]
    pub fn check(&self) -> Result<(), TracerConfigError> {
        if self.exporters.is_empty() {
            return Err(TracerConfigError::NoExporter);
        }
        for exporter in &self.exporters {
            exporting::check(exporter, &self.batch)?;
        }
        Ok(())
    }

    /// Builds the tracer.
    ///
    /// # Errors
    /// Returns [`TracerConfigError`] if no exporter is configured or an exporter cannot be
    /// created.
    pub fn build(self) -> Result<OtelTracer, TracerConfigError> {
        self.check()?;
        let mut resource = Resource::builder().with_attributes(self.resource.clone());
        if let Some(service) = self.service {
            resource = resource.with_service_name(service);
        }
        let resource = resource.build();
        let service = resource.get_ref(&Key::from_static_str("service.name"));
        let service = service
            .map(opentelemetry::Value::as_str)
            .unwrap_or_default();
        let mut provider = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_sampler(self.sampling.clone().sampler());
        let limits = &self.processing.limits;
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
            service: &service,
            resource: &resource,
            batch: &self.batch,
            processing: &self.processing,
        };
        let mut exporters: Vec<Exporting> = Vec::new();
        for exporter in self.exporters {
            let exporting = exporting::start(exporter, &exporters, &plan)?;
            provider = provider.with_span_processor(LastValues(Processor(exporting.clone())));
            exporters.push(exporting);
        }
        Ok(OtelTracer::from_builder(provider)
            .with_exporters(exporters)
            .with_max_open(self.max_open_spans))
    }
}

impl Default for TracerConfig {
    fn default() -> Self {
        Self::new()
    }
}
