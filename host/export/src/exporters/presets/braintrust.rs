//! Braintrust.

use crate::exporters::{Dialect, OtlpExporter, Secret};

/// [Braintrust](https://www.braintrust.dev), over HTTP.
///
/// # Examples
/// ```
/// use spanmux::exporters::{Braintrust, BraintrustParent, Exporter};
///
/// let parent = BraintrustParent::ProjectName("shop".to_owned());
/// let exporter = Exporter::from(Braintrust::new("sk-…", parent));
/// assert_eq!(
///     exporter.endpoint().as_deref(),
///     Some("https://api.braintrust.dev/otel/v1/traces")
/// );
/// ```
///
/// # Source
/// <https://www.braintrust.dev/docs/integrations/sdk-integrations/opentelemetry>
#[derive(Clone, Debug)]
#[must_use = "a preset does nothing until a tracer has it"]
pub struct Braintrust {
    api_key: Secret,
    parent: BraintrustParent,
    base_url: String,
}

/// The parent object of traces.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BraintrustParent {
    /// A project id.
    ProjectId(String),
    /// A project name.
    ProjectName(String),
    /// An experiment id.
    ExperimentId(String),
}

impl BraintrustParent {
    fn header(&self) -> String {
        match self {
            Self::ProjectId(id) => format!("project_id:{id}"),
            Self::ProjectName(name) => format!("project_name:{name}"),
            Self::ExperimentId(id) => format!("experiment_id:{id}"),
        }
    }
}

impl Braintrust {
    /// Sends to the cloud in the United States.
    pub fn new(api_key: impl Into<Secret>, parent: BraintrustParent) -> Self {
        Self {
            api_key: api_key.into(),
            parent,
            base_url: "https://api.braintrust.dev".to_owned(),
        }
    }

    /// Sends to the cloud in Europe.
    pub fn eu(self) -> Self {
        self.base_url("https://api-eu.braintrust.dev")
    }

    /// Sends to a self-hosted data plane with this URL.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }
}

impl From<Braintrust> for OtlpExporter {
    fn from(preset: Braintrust) -> Self {
        let base = preset.base_url.trim_end_matches('/');
        OtlpExporter::http(format!("{base}/otel"))
            .named("braintrust")
            .for_llm(Dialect::GenAi)
            .bearer(preset.api_key)
            .header("x-bt-parent", preset.parent.header())
    }
}
