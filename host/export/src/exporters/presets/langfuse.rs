//! Langfuse.

use crate::exporters::{OtlpExporter, Secret};

/// [Langfuse](https://langfuse.com), over HTTP.
///
/// Langfuse shows a trace once it has its root span. What it filters by (user,
/// session, tags) must be on every span.
///
/// # Examples
/// ```
/// use spanmux::exporters::{Exporter, Langfuse, LangfuseRegion};
///
/// let exporter = Exporter::from(Langfuse::new("pk-lf-…", "sk-lf-…").region(LangfuseRegion::Us));
/// assert_eq!(
///     exporter.endpoint().as_deref(),
///     Some("https://us.cloud.langfuse.com/api/public/otel/v1/traces")
/// );
/// ```
///
/// # Source
/// <https://langfuse.com/integrations/native/opentelemetry>
#[derive(Clone, Debug)]
#[must_use = "a preset does nothing until a tracer has it"]
pub struct Langfuse {
    public_key: String,
    secret_key: Secret,
    base_url: String,
}

/// Where Langfuse keeps a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LangfuseRegion {
    /// `cloud.langfuse.com`.
    Eu,
    /// `us.cloud.langfuse.com`.
    Us,
    /// `jp.cloud.langfuse.com`.
    Jp,
    /// `hipaa.cloud.langfuse.com`.
    Hipaa,
}

impl LangfuseRegion {
    /// All of them, by the words for them.
    pub const ALL: [(&str, Self); 4] = [
        ("eu", Self::Eu),
        ("us", Self::Us),
        ("jp", Self::Jp),
        ("hipaa", Self::Hipaa),
    ];

    fn base_url(self) -> &'static str {
        match self {
            Self::Eu => "https://cloud.langfuse.com",
            Self::Us => "https://us.cloud.langfuse.com",
            Self::Jp => "https://jp.cloud.langfuse.com",
            Self::Hipaa => "https://hipaa.cloud.langfuse.com",
        }
    }
}

impl Langfuse {
    /// A project of the European cloud, by its keys.
    pub fn new(public_key: impl Into<String>, secret_key: impl Into<Secret>) -> Self {
        Self {
            public_key: public_key.into(),
            secret_key: secret_key.into(),
            base_url: LangfuseRegion::Eu.base_url().to_owned(),
        }
    }

    /// In another region of the cloud.
    pub fn region(self, region: LangfuseRegion) -> Self {
        self.base_url(region.base_url())
    }

    /// On a server of your own, such as `http://localhost:3000`. It takes OTLP from
    /// version 3.22 on.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }
}

impl From<Langfuse> for OtlpExporter {
    fn from(preset: Langfuse) -> Self {
        let base = preset.base_url.trim_end_matches('/');
        OtlpExporter::http(format!("{base}/api/public/otel"))
            .named("langfuse")
            .basic(&preset.public_key, preset.secret_key)
            // Spans are shown at once.
            .header("x-langfuse-ingestion-version", "4")
    }
}
