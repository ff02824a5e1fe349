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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporters::{Dialect, OtlpExporter, RemoteParent};

    /// The handling of remote parents and the dialect, Arize over gRPC included.
    #[test]
    fn presets_of_llm_backends_have_a_dialect_and_link_remote_parents() {
        let datadog = || DatadogIntake::new("datadoghq.com", "key");
        let project = BraintrustParent::ProjectName("shop".to_owned());
        let of_llm: [(OtlpExporter, Dialect); 7] = [
            (Langfuse::new("pk", "sk").into(), Dialect::Langfuse),
            (LangSmith::new("key").into(), Dialect::LangSmith),
            (
                Phoenix::grpc("http://localhost:4317").into(),
                Dialect::OpenInference,
            ),
            (
                Arize::new("space", "key", "shop").into(),
                Dialect::OpenInference,
            ),
            (
                Mlflow::new("http://localhost:5000", "0").into(),
                Dialect::Both,
            ),
            (Braintrust::new("key", project).into(), Dialect::GenAi),
            (datadog().llm_observability().into(), Dialect::GenAi),
        ];
        for (exporter, dialect) in of_llm {
            assert_eq!(exporter.dialect(), Some(dialect), "{}", exporter.name());
            assert_eq!(exporter.remote_parent(), RemoteParent::Link);
        }
        let general: [OtlpExporter; 5] = [
            OtlpExporter::http("http://localhost:4318"),
            DatadogAgent::http().into(),
            datadog().into(),
            Honeycomb::new("key").into(),
            GrafanaCloud::new("prod-eu-west-2", "1", "key").into(),
        ];
        for exporter in general {
            assert_eq!(exporter.dialect(), None, "{}", exporter.name());
            assert_eq!(exporter.remote_parent(), RemoteParent::Keep);
        }
    }
}
