//! Datadog: through its agent, or straight to its intake.

use crate::exporters::{OtlpExporter, Secret};

/// The [Datadog agent](https://docs.datadoghq.com/agent/) beside the service, over
/// HTTP or gRPC. It has the key, and takes OTLP once that is switched on in it.
///
/// # Examples
/// ```
/// use spanmux::exporters::{DatadogAgent, Exporter};
///
/// let exporter = Exporter::from(DatadogAgent::http());
/// assert_eq!(exporter.endpoint().as_deref(), Some("http://localhost:4318/v1/traces"));
/// ```
///
/// # Source
/// <https://docs.datadoghq.com/opentelemetry/setup/otlp_ingest_in_the_agent>
#[derive(Clone, Debug)]
#[must_use = "a preset does nothing until a tracer has it"]
pub struct DatadogAgent(OtlpExporter);

impl DatadogAgent {
    /// The agent of this host, by HTTP on port 4318.
    pub fn http() -> Self {
        Self(OtlpExporter::http("http://localhost:4318"))
    }

    /// The agent of this host, by gRPC on port 4317. Needs the feature `grpc`.
    pub fn grpc() -> Self {
        Self(OtlpExporter::grpc("http://localhost:4317"))
    }

    /// An agent elsewhere, such as `http://datadog-agent:4318`.
    pub fn origin(self, origin: impl Into<String>) -> Self {
        Self(self.0.origin(origin))
    }
}

impl From<DatadogAgent> for OtlpExporter {
    fn from(preset: DatadogAgent) -> Self {
        preset.0.named("datadog_agent")
    }
}

/// Datadog's intake, over HTTP and without an agent: for APM, or for
/// [LLM Observability](Self::llm_observability).
///
/// Datadog refuses requests above 3.2 MB: lower
/// [`BatchConfig::size`](crate::delivery::BatchConfig::size) for large spans. Its page
/// does not spell the host out for every site, so look at the
/// [endpoint](crate::exporters::Exporter::endpoint) before you rely on it.
///
/// # Examples
/// ```
/// use spanmux::exporters::{DatadogIntake, Exporter};
///
/// let exporter = Exporter::from(DatadogIntake::new("datadoghq.eu", "…").llm_observability());
/// assert_eq!(exporter.name(), "datadog_llm");
/// assert_eq!(exporter.endpoint().as_deref(), Some("https://otlp.datadoghq.eu/v1/traces"));
/// ```
///
/// # Source
/// <https://docs.datadoghq.com/opentelemetry/setup/otlp_ingest/traces>,
/// <https://docs.datadoghq.com/llm_observability/instrumentation/otel_instrumentation>
#[derive(Clone, Debug)]
#[must_use = "a preset does nothing until a tracer has it"]
pub struct DatadogIntake {
    site: String,
    api_key: Secret,
    llm_observability: bool,
    compute_stats: bool,
}

impl DatadogIntake {
    /// A site, such as `datadoghq.com`, `us5.datadoghq.com` or `datadoghq.eu`.
    pub fn new(site: impl Into<String>, api_key: impl Into<Secret>) -> Self {
        Self {
            site: site.into(),
            api_key: api_key.into(),
            llm_observability: false,
            compute_stats: false,
        }
    }

    /// To LLM Observability. It reads GenAI attributes from version 1.37 of the
    /// conventions on; the service name is the application's, and traces are shown
    /// after some minutes.
    pub fn llm_observability(mut self) -> Self {
        self.llm_observability = true;
        self
    }

    /// Has Datadog compute the metrics of APM from the spans.
    pub fn compute_stats(mut self) -> Self {
        self.compute_stats = true;
        self
    }
}

impl From<DatadogIntake> for OtlpExporter {
    fn from(preset: DatadogIntake) -> Self {
        let mut exporter = OtlpExporter::http(format!("https://otlp.{}", preset.site))
            .named("datadog")
            .header("dd-api-key", preset.api_key);
        if preset.llm_observability {
            exporter = exporter
                .named("datadog_llm")
                .header("dd-otlp-source", "llmobs");
        }
        if preset.compute_stats {
            exporter = exporter.header("compute_stats", "true");
        }
        exporter
    }
}
