//! Arize AX.

use super::PROJECT;
use crate::exporters::{Dialect, OtlpExporter, Secret};

/// [Arize AX](https://arize.com), over gRPC. Requires the feature `grpc`. For Phoenix, also
/// by Arize, use [`Phoenix`](super::Phoenix).
///
/// # Examples
/// ```
/// use spanmux::exporters::{Arize, Exporter};
///
/// let exporter = Exporter::from(Arize::new("a space", "a key", "shop"));
/// assert_eq!(exporter.endpoint().as_deref(), Some("https://otlp.arize.com"));
/// ```
///
/// # Source
/// <https://arize.com/docs/ax/concepts/otel-openinference/arize-otel-helpers>
#[derive(Clone, Debug)]
#[must_use = "a preset does nothing until a tracer has it"]
pub struct Arize {
    space_id: String,
    api_key: Secret,
    project: String,
}

impl Arize {
    /// Sends to a project of a space.
    pub fn new(
        space_id: impl Into<String>,
        api_key: impl Into<Secret>,
        project: impl Into<String>,
    ) -> Self {
        Self {
            space_id: space_id.into(),
            api_key: api_key.into(),
            project: project.into(),
        }
    }
}

impl From<Arize> for OtlpExporter {
    fn from(preset: Arize) -> Self {
        OtlpExporter::grpc("https://otlp.arize.com")
            .named("arize")
            .for_llm(Dialect::OpenInference)
            .header("space_id", preset.space_id)
            .header("api_key", preset.api_key)
            .resource(PROJECT, preset.project)
    }
}
