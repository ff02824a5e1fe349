//! Presets for backends. Each converts into an [`OtlpExporter`](super::OtlpExporter).

mod arize;
mod braintrust;
mod datadog;
mod grafana_cloud;
mod honeycomb;
mod langfuse;
mod langsmith;
mod mlflow;
mod phoenix;

pub use arize::Arize;
pub use braintrust::{Braintrust, BraintrustParent};
pub use datadog::{DatadogAgent, DatadogIntake};
pub use grafana_cloud::GrafanaCloud;
pub use honeycomb::Honeycomb;
pub use langfuse::{Langfuse, LangfuseRegion};
pub use langsmith::{LangSmith, LangSmithRegion};
pub use mlflow::Mlflow;
pub use phoenix::Phoenix;

/// The resource attribute with the project name for Phoenix and Arize.
const PROJECT: &str = "openinference.project.name";
