//! What a configuration says, as it is shown: no secret is in it.

use super::config::Config;
use super::exporter::exporter;
use super::shape::{ExporterKind, ExporterTable, SamplingName};

/// A tracer of a configuration.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TracerSummary {
    /// Its name.
    pub name: String,
    /// Its service name; none if code provides it.
    pub service: Option<String>,
    /// Where its spans go; none if code provides it.
    pub exporters: Vec<ExporterSummary>,
    /// Which traces are recorded: `always`, `never`, `ratio 0.1`, `custom paying`; none
    /// if code provides it.
    pub sampling: Option<String>,
    /// The name of the sampling that code must register.
    pub custom_sampling: Option<String>,
}

impl TracerSummary {
    /// Whether code provides it.
    pub fn is_provided(&self) -> bool {
        self.exporters.is_empty()
    }
}

/// An exporter of a tracer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExporterSummary {
    /// The word for its kind.
    pub kind: &'static str,
    /// The URL that it sends to, without a query or a user, or the file that it writes
    /// to.
    pub target: Option<String>,
}

impl Config {
    /// Its tracers, in the order of the file.
    pub fn tracers(&self) -> Vec<TracerSummary> {
        let summary = |(name, table): &(String, super::shape::TracerTable)| {
            let provided = table.kind.is_some();
            let exporters = table.exporter.iter().chain(&table.exporters);
            let service = table.service.clone().or_else(|| self.service.clone());
            let custom = match &table.sampling {
                Some(SamplingName::Custom(name)) => Some(name.clone()),
                _ => None,
            };
            TracerSummary {
                name: name.clone(),
                service: service.filter(|_| !provided),
                exporters: exporters.map(|table| self.exporter(table)).collect(),
                sampling: (!provided).then(|| shown(table.sampling.as_ref())),
                custom_sampling: custom,
            }
        };
        self.tracers.iter().map(summary).collect()
    }

    /// The tracer of the traces for which all selectors abstain.
    pub fn default_tracer(&self) -> Option<&str> {
        let first = || self.tracers.first().map(|(name, _)| name.as_str());
        self.default.as_deref().or_else(first)
    }

    /// The tracer to which failed decisions go.
    pub fn fallback_tracer(&self) -> Option<&str> {
        self.fallback.as_deref().or_else(|| self.default_tracer())
    }

    /// The selectors that code must register.
    pub fn native_selectors(&self) -> &[String] {
        &self.selectors.native
    }

    fn exporter(&self, table: &ExporterTable) -> ExporterSummary {
        let made = exporter(table.clone(), &self.directory);
        let file = match &table.kind {
            ExporterKind::File { path, .. } => Some(self.path(path).display().to_string()),
            _ => None,
        };
        ExporterSummary {
            kind: made.name(),
            target: file.or_else(|| made.endpoint()),
        }
    }
}

fn shown(sampling: Option<&SamplingName>) -> String {
    match sampling {
        None | Some(SamplingName::Always) => "always".to_owned(),
        Some(SamplingName::Never) => "never".to_owned(),
        Some(SamplingName::Ratio(share)) => format!("ratio {share}"),
        Some(SamplingName::Custom(name)) => format!("custom {name}"),
    }
}
