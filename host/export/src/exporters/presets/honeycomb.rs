//! Honeycomb.

use crate::exporters::{OtlpExporter, Secret};

/// [Honeycomb](https://www.honeycomb.io), over HTTP or gRPC. The service name becomes the
/// dataset.
///
/// # Examples
/// ```
/// use spanmux::exporters::{Exporter, Honeycomb};
///
/// let exporter = Exporter::from(Honeycomb::new("…").eu());
/// assert_eq!(
///     exporter.endpoint().as_deref(),
///     Some("https://api.eu1.honeycomb.io/v1/traces")
/// );
/// ```
///
/// # Source
/// <https://docs.honeycomb.io/send-data/opentelemetry>
#[derive(Clone, Debug)]
#[must_use = "a preset does nothing until a tracer has it"]
pub struct Honeycomb {
    api_key: Secret,
    origin: &'static str,
    is_grpc: bool,
    dataset: Option<String>,
}

impl Honeycomb {
    /// Sends to the cloud in the United States, over HTTP.
    pub fn new(api_key: impl Into<Secret>) -> Self {
        Self {
            api_key: api_key.into(),
            origin: "https://api.honeycomb.io",
            is_grpc: false,
            dataset: None,
        }
    }

    /// Sends to the cloud in Europe.
    pub fn eu(mut self) -> Self {
        self.origin = "https://api.eu1.honeycomb.io";
        self
    }

    /// Uses gRPC. Requires the feature `grpc`.
    pub fn grpc(mut self) -> Self {
        self.is_grpc = true;
        self
    }

    /// Sets the dataset. Only Honeycomb Classic needs it.
    pub fn classic_dataset(mut self, dataset: impl Into<String>) -> Self {
        self.dataset = Some(dataset.into());
        self
    }
}

impl From<Honeycomb> for OtlpExporter {
    fn from(preset: Honeycomb) -> Self {
        let receiver = if preset.is_grpc {
            OtlpExporter::grpc(preset.origin)
        } else {
            OtlpExporter::http(preset.origin)
        };
        let exporter = receiver
            .named("honeycomb")
            .header("x-honeycomb-team", preset.api_key);
        match preset.dataset {
            Some(dataset) => exporter.header("x-honeycomb-dataset", dataset),
            None => exporter,
        }
    }
}
