//! The shape of each kind of exporter: the fields of its builder.

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
        /// The file that is written to. Its path is seen from the configuration; its
        /// directory must be there.
        #[schemars(example = &"spans.jsonl")]
        path: PathBuf,
        /// Bytes from which on a new file is begun; 0 for never.
        max_bytes: Option<u64>,
        /// How many files are kept beside the one that is written to.
        keep: Option<usize>,
    },
    /// Drops every span.
    Discard {},
    /// Any receiver of OTLP.
    Otlp {
        /// Its address. Over HTTP, spans go to /v1/traces below it.
        #[schemars(example = &"http://localhost:4318")]
        endpoint: Url,
        /// Whether the endpoint is the whole URL, to which nothing is added. False,
        /// unless it is said; for HTTP.
        whole_url: Option<bool>,
        /// "http", unless it is said.
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
        /// The region of the cloud. "eu", unless it is said.
        region: Option<LangfuseRegionName>,
        /// A server of your own, as "http://localhost:3000".
        base_url: Option<Url>,
    },
    /// The Datadog agent beside the service.
    DatadogAgent {
        /// An agent elsewhere than on this host, as "http://datadog-agent:4318".
        address: Option<Url>,
        /// "http", unless it is said.
        protocol: Option<Protocol>,
    },
    /// Datadog's intake, without an agent.
    Datadog {
        /// The site, as "datadoghq.eu".
        #[schemars(length(min = 1), example = &"${DD_SITE:-datadoghq.com}")]
        site: String,
        /// The API key.
        #[schemars(example = &"${DD_API_KEY}")]
        api_key: Secret,
        /// Whether spans go to LLM Observability in place of APM. False, unless it is
        /// said.
        llm_observability: Option<bool>,
        /// Whether Datadog computes the metrics of APM from the spans. False, unless
        /// it is said.
        compute_stats: Option<bool>,
    },
    /// Phoenix of Arize.
    Phoenix {
        /// The address of its web page, or of its gRPC endpoint.
        #[schemars(example = &"${PHOENIX_URL:-http://localhost:6006}")]
        base_url: Url,
        /// The key, where Phoenix asks for one.
        api_key: Option<Secret>,
        /// The project, which Phoenix makes if it is not there.
        project: Option<String>,
        /// "http", unless it is said.
        protocol: Option<Protocol>,
    },
    /// MLflow.
    Mlflow {
        /// The address of the tracking server.
        #[schemars(example = &"${MLFLOW_TRACKING_URI:-http://localhost:5000}")]
        base_url: Url,
        /// The id of the experiment; "0" is always there.
        #[schemars(length(min = 1), example = &"0")]
        experiment_id: String,
    },
    /// Braintrust.
    Braintrust {
        /// The API key.
        #[schemars(example = &"${BRAINTRUST_API_KEY}")]
        api_key: Secret,
        /// What traces are filed under.
        #[schemars(example = serde_json::json!({"project_name": "shop"}))]
        parent: BraintrustParentName,
        /// The cloud. "us", unless it is said.
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
        /// The project. LangSmith's default one, unless it is said.
        project: Option<String>,
        /// The region of the cloud. "us", unless it is said.
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
        /// The cloud. "us", unless it is said.
        region: Option<Region>,
        /// "http", unless it is said.
        protocol: Option<Protocol>,
        /// The dataset, for which Honeycomb Classic alone asks.
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
        /// A token that may write traces.
        #[schemars(example = &"${GRAFANA_CLOUD_TOKEN}")]
        token: Secret,
    },
}

/// How a backend is spoken to.
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

/// Where Langfuse keeps a project.
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

/// Where LangSmith keeps a workspace.
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

/// What Braintrust files traces under.
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
