//! Langfuse.

use crate::exporters::{Dialect, OtlpExporter, Secret};

/// [Langfuse](https://langfuse.com), over HTTP.
///
/// Langfuse shows a trace once it has received its root span. Attributes that Langfuse
/// filters by (user, session, tags) must be set on every span.
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

/// The region of a Langfuse project.
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
    /// All regions with their names.
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
    /// Sends to a project of the European cloud, given by its keys.
    pub fn new(public_key: impl Into<String>, secret_key: impl Into<Secret>) -> Self {
        Self {
            public_key: public_key.into(),
            secret_key: secret_key.into(),
            base_url: LangfuseRegion::Eu.base_url().to_owned(),
        }
    }

    /// Sends to another region of the cloud.
    pub fn region(self, region: LangfuseRegion) -> Self {
        self.base_url(region.base_url())
    }

    /// Sends to a self-hosted server, such as `http://localhost:3000`. OTLP requires
    /// version 3.22 or later.
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
            .for_llm(Dialect::Langfuse)
            // The limit of a batch in its SDK. The server drops larger spans without an error.
            .max_request_bytes(64 << 20)
            .max_span_bytes(9_500_000)
            .basic(&preset.public_key, preset.secret_key)
            // With this version, Langfuse shows spans immediately.
            .header("x-langfuse-ingestion-version", "4")
    }
}
