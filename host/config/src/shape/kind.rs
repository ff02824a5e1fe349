//! The structure of each exporter type: the settings of its builder.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::values::{Secret, Url};

/// The exporter types.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum ExporterKind {
    /// Prints each trace to standard output as a readable tree.
    Console {},
    /// Appends spans to a file as OTLP JSON lines.
    File {
        /// The output file, relative to the configuration file. Its directory must exist.
        #[schemars(example = &"spans.jsonl")]
        path: PathBuf,
        /// Size in bytes at which a new file is started; 0 disables rotation.
        max_bytes: Option<u64>,
        /// Number of older files to keep in addition to the current one.
        #[schemars(range(max = 1000))]
        keep: Option<usize>,
    },
    /// Drops every span.
    Discard {},
    /// Any OTLP receiver.
    Otlp {
        /// The URL of the receiver. Over HTTP, /v1/traces is appended.
        #[schemars(example = &"http://localhost:4318")]
        endpoint: Url,
        /// Uses the endpoint as the complete URL and appends nothing. HTTP only. Defaults to
        /// `false`.
        whole_url: Option<bool>,
        /// The protocol. Defaults to "http".
        protocol: Option<Protocol>,
    },
    /// Langfuse, in its cloud or self-hosted.
    Langfuse {
        /// The public key of a project.
        #[schemars(length(min = 1), example = &"${LANGFUSE_PUBLIC_KEY}")]
        public_key: String,
        /// The secret key of the project.
        #[schemars(example = &"${LANGFUSE_SECRET_KEY}")]
        secret_key: Secret,
        /// The cloud region. Defaults to "eu".
        region: Option<LangfuseRegionName>,
        /// The URL of a self-hosted server, such as "http://localhost:3000".
        base_url: Option<Url>,
    },
    /// The Datadog agent, by default on the same host as the service.
    DatadogAgent {
        /// The URL of an agent on another host, such as "http://datadog-agent:4318".
        address: Option<Url>,
        /// The protocol. Defaults to "http".
        protocol: Option<Protocol>,
    },
    /// The Datadog intake, without an agent.
    Datadog {
        /// The Datadog site, such as "datadoghq.eu".
        #[schemars(length(min = 1), example = &"${DD_SITE:-datadoghq.com}")]
        site: String,
        /// The API key.
        #[schemars(example = &"${DD_API_KEY}")]
        api_key: Secret,
        /// Sends spans to LLM Observability instead of APM. Defaults to `false`.
        llm_observability: Option<bool>,
        /// Lets Datadog compute APM metrics from the spans. Defaults to `false`.
        compute_stats: Option<bool>,
    },
    /// Arize Phoenix.
    Phoenix {
        /// The URL of the Phoenix web interface or of its gRPC endpoint.
        #[schemars(example = &"${PHOENIX_URL:-http://localhost:6006}")]
        base_url: Url,
        /// The API key, if Phoenix requires one.
        api_key: Option<Secret>,
        /// The project. Phoenix creates it if it does not exist.
        project: Option<String>,
        /// The protocol. Defaults to "http".
        protocol: Option<Protocol>,
    },
    /// MLflow.
    Mlflow {
        /// The URL of the tracking server.
        #[schemars(example = &"${MLFLOW_TRACKING_URI:-http://localhost:5000}")]
        base_url: Url,
        /// The experiment ID; "0" always exists.
        #[schemars(length(min = 1), example = &"0")]
        experiment_id: String,
    },
    /// Braintrust.
    Braintrust {
        /// The API key.
        #[schemars(example = &"${BRAINTRUST_API_KEY}")]
        api_key: Secret,
        /// The Braintrust object that receives the traces.
        #[schemars(example = serde_json::json!({"project_name": "shop"}))]
        parent: BraintrustParentName,
        /// The cloud region. Defaults to "us".
        region: Option<Region>,
        /// The URL of a self-hosted data plane.
        base_url: Option<Url>,
    },
    /// LangSmith.
    #[serde(rename = "langsmith")]
    LangSmith {
        /// The API key.
        #[schemars(example = &"${LANGSMITH_API_KEY}")]
        api_key: Secret,
        /// The project. Defaults to LangSmith's default project.
        project: Option<String>,
        /// The cloud region. Defaults to "us".
        region: Option<LangSmithRegionName>,
        /// The URL of a self-hosted server.
        base_url: Option<Url>,
    },
    /// Arize AX, over gRPC.
    Arize {
        /// The space ID.
        #[schemars(length(min = 1), example = &"${ARIZE_SPACE_ID}")]
        space_id: String,
        /// The API key.
        #[schemars(example = &"${ARIZE_API_KEY}")]
        api_key: Secret,
        /// The project.
        #[schemars(length(min = 1), example = &"shop")]
        project: String,
    },
    /// Honeycomb.
    Honeycomb {
        /// The API key.
        #[schemars(example = &"${HONEYCOMB_API_KEY}")]
        api_key: Secret,
        /// The cloud region. Defaults to "us".
        region: Option<Region>,
        /// The protocol. Defaults to "http".
        protocol: Option<Protocol>,
        /// The dataset. Only Honeycomb Classic requires it.
        classic_dataset: Option<String>,
    },
    /// Grafana Cloud.
    GrafanaCloud {
        /// The zone of the Grafana Cloud stack.
        #[schemars(length(min = 1), example = &"prod-eu-west-2")]
        zone: String,
        /// The instance ID.
        #[schemars(length(min = 1), example = &"${GRAFANA_CLOUD_INSTANCE_ID}")]
        instance_id: String,
        /// An access token with permission to write traces.
        #[schemars(example = &"${GRAFANA_CLOUD_TOKEN}")]
        token: Secret,
    },
}

impl ExporterKind {
    /// Returns `true` if the exporter uses gRPC.
    pub(crate) fn speaks_grpc(&self) -> bool {
        match self {
            Self::Otlp { protocol, .. }
            | Self::DatadogAgent { protocol, .. }
            | Self::Phoenix { protocol, .. }
            | Self::Honeycomb { protocol, .. } => *protocol == Some(Protocol::Grpc),
            Self::Arize { .. } => true,
            _ => false,
        }
    }
}

/// The transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    /// Protobuf over HTTP.
    Http,
    /// gRPC.
    Grpc,
}

/// A cloud region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Region {
    /// The United States.
    Us,
    /// Europe.
    Eu,
}

/// A Langfuse cloud region.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LangfuseRegionName {
    /// cloud.langfuse.com
    Eu,
    /// us.cloud.langfuse.com
    Us,
    /// jp.cloud.langfuse.com
    Jp,
    /// hipaa.cloud.langfuse.com
    Hipaa,
}

/// A LangSmith cloud region.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LangSmithRegionName {
    /// api.smith.langchain.com
    Us,
    /// eu.api.smith.langchain.com
    Eu,
    /// apac.api.smith.langchain.com
    Apac,
    /// aws.api.smith.langchain.com
    Aws,
}

/// A Braintrust object that receives traces.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BraintrustParentName {
    /// A project by ID.
    ProjectId(String),
    /// A project by name.
    ProjectName(String),
    /// An experiment by ID.
    ExperimentId(String),
}
