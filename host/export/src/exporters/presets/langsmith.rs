//! LangSmith.

use crate::exporters::{Dialect, OtlpExporter, Secret};

/// [LangSmith](https://www.langchain.com/langsmith), over HTTP.
///
/// # Examples
/// ```
/// use spanmux::exporters::{Exporter, LangSmith, LangSmithRegion};
///
/// let exporter = Exporter::from(LangSmith::new("lsv2_…").region(LangSmithRegion::Eu));
/// assert_eq!(
///     exporter.endpoint().as_deref(),
///     Some("https://eu.api.smith.langchain.com/otel/v1/traces")
/// );
/// ```
///
/// # Source
/// <https://docs.langchain.com/langsmith/trace-with-opentelemetry>
#[derive(Clone, Debug)]
#[must_use = "a preset does nothing until a tracer has it"]
pub struct LangSmith {
    api_key: Secret,
    project: Option<String>,
    receiver: String,
}

/// The region of a LangSmith workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LangSmithRegion {
    /// `api.smith.langchain.com`.
    Us,
    /// `eu.api.smith.langchain.com`.
    Eu,
    /// `apac.api.smith.langchain.com`.
    Apac,
    /// `aws.api.smith.langchain.com`, in the United States.
    Aws,
}

impl LangSmithRegion {
    /// All regions with their names.
    pub const ALL: [(&str, Self); 4] = [
        ("us", Self::Us),
        ("eu", Self::Eu),
        ("apac", Self::Apac),
        ("aws", Self::Aws),
    ];

    fn receiver(self) -> &'static str {
        match self {
            Self::Us => "https://api.smith.langchain.com/otel",
            Self::Eu => "https://eu.api.smith.langchain.com/otel",
            Self::Apac => "https://apac.api.smith.langchain.com/otel",
            Self::Aws => "https://aws.api.smith.langchain.com/otel",
        }
    }
}

impl LangSmith {
    /// Sends to the cloud in the United States.
    pub fn new(api_key: impl Into<Secret>) -> Self {
        Self {
            api_key: api_key.into(),
            project: None,
            receiver: LangSmithRegion::Us.receiver().to_owned(),
        }
    }

    /// Sets the project. Defaults to the default project of LangSmith.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// Sends to another region of the cloud.
    pub fn region(mut self, region: LangSmithRegion) -> Self {
        self.receiver = region.receiver().to_owned();
        self
    }

    /// Sends to a self-hosted server, such as `https://langsmith.example.com`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        let base_url: String = base_url.into();
        self.receiver = format!("{}/api/v1/otel", base_url.trim_end_matches('/'));
        self
    }
}

impl From<LangSmith> for OtlpExporter {
    fn from(preset: LangSmith) -> Self {
        let exporter = OtlpExporter::http(preset.receiver)
            .named("langsmith")
            .for_llm(Dialect::LangSmith)
            .header("x-api-key", preset.api_key);
        match preset.project {
            Some(project) => exporter.header("langsmith-project", project),
            None => exporter,
        }
    }
}
