//! A summary of the tracers of a configuration for display. It contains no secrets.

use super::config::Config;
use super::exporter::exporter;
use super::shape::{ExporterKind, ExporterTable, SamplingName};

/// A summary of a configured tracer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TracerSummary {
    /// The name of the tracer.
    pub name: String,
    /// The service name, or `None` if code provides the tracer.
    pub service: Option<String>,
    /// The exporters. Empty if code provides the tracer.
    pub exporters: Vec<ExporterSummary>,
    /// The sampling: `always`, `never`, `ratio 0.1` or `custom paying`. `None` if code provides
    /// the tracer.
    pub sampling: Option<String>,
    /// The name of the custom sampling that code must register.
    pub custom_sampling: Option<String>,
    /// The share of the traces that are recorded, from 0 to 1. `None` if code decides it or
    /// provides the tracer.
    pub share: Option<f64>,
}

impl TracerSummary {
    /// Returns `true` if code provides the tracer.
    pub fn is_provided(&self) -> bool {
        self.exporters.is_empty()
    }
}

/// A summary of a configured exporter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExporterSummary {
    /// The name in counts and reports, or `None` if that is the type.
    pub name: Option<String>,
    /// `false` if prompts, messages and other content are removed.
    pub content: bool,
    /// The share of all traces that it receives, from 0 to 1.
    pub share: f64,
    /// The name of the exporter type.
    pub kind: &'static str,
    /// The endpoint URL without a query or a user, or the output file.
    pub target: Option<String>,
}

impl Config {
    /// Returns a summary of each tracer, in file order.
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
                share: share(table.sampling.as_ref()).filter(|_| !provided),
            }
        };
        self.tracers.iter().map(summary).collect()
    }

    fn exporter(&self, table: &ExporterTable) -> ExporterSummary {
        let made = exporter(table.clone(), &self.directory);
        let file = match &table.kind {
            ExporterKind::File { path, .. } => Some(self.path(path).display().to_string()),
            _ => None,
        };
        ExporterSummary {
            name: table.name.clone(),
            content: table.content != Some(false),
            share: table.sampling.unwrap_or(1.0),
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

fn share(sampling: Option<&SamplingName>) -> Option<f64> {
    match sampling {
        None | Some(SamplingName::Always) => Some(1.0),
        Some(SamplingName::Never) => Some(0.0),
        Some(SamplingName::Ratio(share)) => Some(*share),
        Some(SamplingName::Custom(_)) => None,
    }
}
