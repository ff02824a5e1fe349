//! Phoenix.

use super::PROJECT;
use crate::exporters::{Dialect, OtlpExporter, Secret};

/// [Phoenix](https://arize.com/docs/phoenix) by Arize, over HTTP or gRPC.
///
/// # Examples
/// ```
/// use spanmux::exporters::{Exporter, Phoenix};
///
/// let exporter = Exporter::from(Phoenix::http("http://localhost:6006").project("shop"));
/// assert_eq!(exporter.endpoint().as_deref(), Some("http://localhost:6006/v1/traces"));
/// ```
///
/// # Source
/// <https://arize.com/docs/phoenix/tracing/how-to-tracing/setup-tracing>. Endpoint, key and
/// project were tested with Phoenix 20.26.
#[derive(Clone, Debug)]
#[must_use = "a preset does nothing until a tracer has it"]
pub struct Phoenix {
    receiver: OtlpExporter,
    api_key: Option<Secret>,
    project: Option<String>,
}

impl Phoenix {
    fn at(receiver: OtlpExporter) -> Self {
        Self {
            receiver,
            api_key: None,
            project: None,
        }
    }

    /// Sends to a server, given by the URL of its web page, such as
    /// `http://localhost:6006`.
    pub fn http(base_url: impl Into<String>) -> Self {
        Self::at(OtlpExporter::http(base_url))
    }

    /// Sends to a gRPC endpoint, such as `http://localhost:4317`. Requires the feature
    /// `grpc`.
    pub fn grpc(endpoint: impl Into<String>) -> Self {
        Self::at(OtlpExporter::grpc(endpoint))
    }

    /// Sets the API key, for servers that require one.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets the project, which Phoenix creates if it does not exist. Defaults to `default`.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }
}

impl From<Phoenix> for OtlpExporter {
    fn from(preset: Phoenix) -> Self {
        let mut exporter = preset
            .receiver
            .named("phoenix")
            .for_llm(Dialect::OpenInference);
        if let Some(api_key) = preset.api_key {
            exporter = exporter.bearer(api_key);
        }
        match preset.project {
            Some(project) => exporter.resource(PROJECT, project),
            None => exporter,
        }
    }
}
