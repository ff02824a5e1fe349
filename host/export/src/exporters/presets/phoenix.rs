//! Phoenix.

use super::PROJECT;
use crate::exporters::{OtlpExporter, Secret};

/// [Phoenix](https://arize.com/docs/phoenix) of Arize, over HTTP or gRPC.
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
/// <https://arize.com/docs/phoenix/tracing/how-to-tracing/setup-tracing>; endpoint, key
/// and project were tried with Phoenix 20.26.
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

    /// By the URL of its web page, such as `http://localhost:6006`.
    pub fn http(base_url: impl Into<String>) -> Self {
        Self::at(OtlpExporter::http(base_url))
    }

    /// By its gRPC endpoint, such as `http://localhost:4317`. Needs the feature
    /// `grpc`.
    pub fn grpc(endpoint: impl Into<String>) -> Self {
        Self::at(OtlpExporter::grpc(endpoint))
    }

    /// The key, where Phoenix asks for one.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// The project, which Phoenix makes if it is not there; `default` unless it is
    /// said.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }
}

impl From<Phoenix> for OtlpExporter {
    fn from(preset: Phoenix) -> Self {
        let mut exporter = preset.receiver.named("phoenix");
        if let Some(api_key) = preset.api_key {
            exporter = exporter.bearer(api_key);
        }
        match preset.project {
            Some(project) => exporter.resource(PROJECT, project),
            None => exporter,
        }
    }
}
