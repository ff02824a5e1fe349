//! Datadog, through its agent or directly through its intake.

use crate::exporters::{Dialect, OtlpExporter, Secret};

/// The [Datadog agent](https://docs.datadoghq.com/agent/) on the host of the service, over
/// HTTP or gRPC. The agent holds the API key. OTLP must be enabled in its configuration.
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
    /// Sends to the local agent over HTTP on port 4318.
    pub fn http() -> Self {
        Self(OtlpExporter::http("http://localhost:4318"))
    }

    /// Sends to the local agent over gRPC on port 4317. Requires the feature `grpc`.
    pub fn grpc() -> Self {
        Self(OtlpExporter::grpc("http://localhost:4317"))
    }

    /// Sends to an agent on another host, such as `http://datadog-agent:4318`.
    pub fn origin(self, origin: impl Into<String>) -> Self {
        Self(self.0.origin(origin))
    }
}

impl From<DatadogAgent> for OtlpExporter {
    fn from(preset: DatadogAgent) -> Self {
        preset.0.named("datadog_agent")
    }
}

/// The most bytes of a request that the intake accepts.
const MAX_BYTES: usize = 3_200_000;

/// The Datadog intake, over HTTP and without an agent, for APM or for [LLM
/// Observability](Self::llm_observability).
///
/// Datadog refuses requests above 3.2 MB, so larger batches become several requests. The
/// documentation of Datadog does not state the host for every site, so check the
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
    /// Sends to a site such as `datadoghq.com`, `us5.datadoghq.com` or `datadoghq.eu`.
    pub fn new(site: impl Into<String>, api_key: impl Into<Secret>) -> Self {
        Self {
            site: site.into(),
            api_key: api_key.into(),
            llm_observability: false,
            compute_stats: false,
        }
    }

    /// Sends to LLM Observability. It reads GenAI attributes of version 1.37 or later of
    /// the semantic conventions. The service name becomes the application name. Traces
    /// appear after a few minutes.
    pub fn llm_observability(mut self) -> Self {
        self.llm_observability = true;
        self
    }

    /// Makes Datadog compute APM metrics from the spans.
    pub fn compute_stats(mut self) -> Self {
        self.compute_stats = true;
        self
    }
}

impl From<DatadogIntake> for OtlpExporter {
    fn from(preset: DatadogIntake) -> Self {
        let mut exporter = OtlpExporter::http(format!("https://otlp.{}", preset.site))
            .named("datadog")
            .max_request_bytes(MAX_BYTES)
            .header("dd-api-key", preset.api_key);
        if preset.llm_observability {
            exporter = exporter
                .named("datadog_llm")
                .for_llm(Dialect::GenAi)
                .header("dd-otlp-source", "llmobs");
        }
        if preset.compute_stats {
            exporter = exporter.header("compute_stats", "true");
        }
        exporter
    }
}
