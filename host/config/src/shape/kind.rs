//! The shape of each kind of exporter: the settings of its builder.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::values::{Secret, Url};

/// The kinds of exporters.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum ExporterKind {
    /// Prints each trace to standard output as a readable tree.
    Console {},
    /// Appends spans to a file as OTLP JSON lines.
    File {
        /// The file. The path is relative to the configuration, and its directory must exist.
        #[schemars(example = &"spans.jsonl")]
        path: PathBuf,
        /// The size in bytes at which a new file is started; 0 for never.
        max_bytes: Option<u64>,
        /// Number of previous files that are kept.
        keep: Option<usize>,
    },
    /// Drops every span.
    Discard {},
    /// Any receiver of OTLP.
    Otlp {
        /// The address. Over HTTP, spans are sent to /v1/traces below it.
        #[schemars(example = &"http://localhost:4318")]
        endpoint: Url,
        /// Whether the endpoint is the complete URL. Defaults to false. For HTTP.
        whole_url: Option<bool>,
        /// Defaults to "http".
        protocol: Option<Protocol>,
    },
    /// Langfuse, in its cloud or on a server of your own.
    Langfuse {
        /// The public key of a project.
        #[schemars(length(min = 1), example = &"${LANGFUSE_PUBLIC_KEY}")]
        public_key: String,
        /// The secret key of the project.
        #[schemars(example = &"${LANGFUSE_SECRET_KEY}")]
        secret_key: Secret,
        /// The region of the cloud. Defaults to "eu".
        region: Option<LangfuseRegionName>,
        /// A server of your own, for example "http://localhost:3000".
        base_url: Option<Url>,
    },
    /// The Datadog agent beside the service.
    DatadogAgent {
        /// An agent on another host, for example "http://datadog-agent:4318".
        address: Option<Url>,
        /// Defaults to "http".
        protocol: Option<Protocol>,
    },
    /// Datadog's intake, without an agent.
    Datadog {
        /// The site, for example "datadoghq.eu".
        #[schemars(length(min = 1), example = &"${DD_SITE:-datadoghq.com}")]
        site: String,
        /// The API key.
        #[schemars(example = &"${DD_API_KEY}")]
        api_key: Secret,
        /// Whether spans go to LLM Observability instead of APM. Defaults to false.
        llm_observability: Option<bool>,
        /// Whether Datadog computes APM metrics from the spans. Defaults to false.
        compute_stats: Option<bool>,
    },
    /// Phoenix of Arize.
    Phoenix {
        /// The address of its web page, or of its gRPC endpoint.
        #[schemars(example = &"${PHOENIX_URL:-http://localhost:6006}")]
        base_url: Url,
        /// The API key, if Phoenix requires one.
        api_key: Option<Secret>,
        /// The project, which Phoenix creates if it does not exist.
        project: Option<String>,
        /// Defaults to "http".
        protocol: Option<Protocol>,
    },
    /// MLflow.
    Mlflow {
        /// The address of the tracking server.
        #[schemars(example = &"${MLFLOW_TRACKING_URI:-http://localhost:5000}")]
        base_url: Url,
        /// The id of the experiment. "0" always exists.
        #[schemars(length(min = 1), example = &"0")]
        experiment_id: String,
    },
    /// Braintrust.
    Braintrust {
        /// The API key.
        #[schemars(example = &"${BRAINTRUST_API_KEY}")]
        api_key: Secret,
        /// The parent of the traces.
        #[schemars(example = serde_json::json!({"project_name": "shop"}))]
        parent: BraintrustParentName,
        /// The cloud. Defaults to "us".
        region: Option<Region>,
        /// A data plane of your own.
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
        /// The region of the cloud. Defaults to "us".
        region: Option<LangSmithRegionName>,
        /// A server of your own.
        base_url: Option<Url>,
    },
    /// Arize AX, over gRPC.
    Arize {
        /// The id of the space.
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
        /// The cloud. Defaults to "us".
        region: Option<Region>,
        /// Defaults to "http".
        protocol: Option<Protocol>,
        /// The dataset, which only Honeycomb Classic requires.
        classic_dataset: Option<String>,
    },
    /// Grafana Cloud.
    GrafanaCloud {
        /// The zone of the stack.
        #[schemars(length(min = 1), example = &"prod-eu-west-2")]
        zone: String,
        /// The id of the instance.
        #[schemars(length(min = 1), example = &"${GRAFANA_CLOUD_INSTANCE_ID}")]
        instance_id: String,
        /// A token with permission to write traces.
        #[schemars(example = &"${GRAFANA_CLOUD_TOKEN}")]
        token: Secret,
    },
}

/// The protocol of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    /// Protobuf over HTTP.
    Http,
    /// gRPC.
    Grpc,
}

/// One of two clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Region {
    /// The United States.
    Us,
    /// Europe.
    Eu,
}

/// The region of a Langfuse project.
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

/// The region of a LangSmith workspace.
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

/// The parent of traces in Braintrust.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BraintrustParentName {
    /// A project, by its id.
    ProjectId(String),
    /// A project, by its name.
    ProjectName(String),
    /// An experiment, by its id.
    ExperimentId(String),
}
