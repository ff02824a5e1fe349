//! MLflow.

use crate::exporters::{Dialect, OtlpExporter};

/// [MLflow](https://mlflow.org), over HTTP.
///
/// # Examples
/// ```
/// use spanmux::exporters::{Exporter, Mlflow};
///
/// let exporter = Exporter::from(Mlflow::new("http://localhost:5000", "0"));
/// assert_eq!(exporter.endpoint().as_deref(), Some("http://localhost:5000/v1/traces"));
/// ```
///
/// # Source
/// <https://mlflow.org/docs/latest/genai/tracing/opentelemetry/ingest>. Endpoint and
/// experiment were tested with MLflow 3.17, which needs a SQL store to accept traces.
#[derive(Clone, Debug)]
#[must_use = "a preset does nothing until a tracer has it"]
pub struct Mlflow {
    base_url: String,
    experiment_id: String,
}

impl Mlflow {
    /// Sends to an experiment of a tracking server. Experiment `0` always exists. MLflow
    /// refuses unknown ids.
    pub fn new(base_url: impl Into<String>, experiment_id: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            experiment_id: experiment_id.into(),
        }
    }
}

impl From<Mlflow> for OtlpExporter {
    fn from(preset: Mlflow) -> Self {
        OtlpExporter::http(preset.base_url)
            .named("mlflow")
            .for_llm(Dialect::Both)
            .header("x-mlflow-experiment-id", preset.experiment_id)
    }
}
