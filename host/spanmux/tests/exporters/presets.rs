//! All presets with the requests that their backends document.

use spanmux::exporters::{
    Arize, Braintrust, BraintrustParent, DatadogAgent, DatadogIntake, GrafanaCloud, Honeycomb,
    LangSmith, LangSmithRegion, Langfuse, LangfuseRegion, Mlflow, OtlpExporter, Phoenix,
};

type Headers = &'static [(&'static str, &'static str)];

/// An exporter, its name, its displayed URL, its own headers, and the resource attribute
/// that it adds.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) exporter: OtlpExporter,
    pub(crate) name: &'static str,
    pub(crate) url: &'static str,
    pub(crate) headers: Headers,
    pub(crate) resource: Option<(&'static str, &'static str)>,
}

impl Row {
    /// Returns the part of the URL after the host.
    pub(crate) fn path(&self) -> &'static str {
        let (_, rest) = self.url.split_once("://").unwrap();
        &rest[rest.find('/').unwrap()..]
    }
}

fn row(
    exporter: impl Into<OtlpExporter>,
    name: &'static str,
    url: &'static str,
    headers: Headers,
) -> Row {
    Row {
        exporter: exporter.into(),
        name,
        url,
        headers,
        resource: None,
    }
}

const PROJECT: Option<(&str, &str)> = Some(("openinference.project.name", "shop-agents"));

/// A secret that may appear only on the wire.
pub(crate) const SECRET: &str = "sk-the-secret-1234";

#[rustfmt::skip]
pub(crate) fn http_rows() -> Vec<Row> {
    // base64 of "pk-lf-1:" and of "123456:" with the secret.
    const LANGFUSE: Headers = &[
        ("authorization", "Basic cGstbGYtMTpzay10aGUtc2VjcmV0LTEyMzQ="),
        ("x-langfuse-ingestion-version", "4"),
    ];
    const GRAFANA: Headers = &[("authorization", "Basic MTIzNDU2OnNrLXRoZS1zZWNyZXQtMTIzNA==")];
    const BEARER: (&str, &str) = ("authorization", "Bearer sk-the-secret-1234");
    let langfuse = || Langfuse::new("pk-lf-1", SECRET);
    let datadog = |site| DatadogIntake::new(site, SECRET);
    let braintrust = |parent| Braintrust::new(SECRET, parent);
    let langsmith = || LangSmith::new(SECRET);
    let phoenix = || Phoenix::http("http://localhost:6006");
    vec![
        row(OtlpExporter::http("http://localhost:4318"), "otlp", "http://localhost:4318/v1/traces", &[]),
        row(OtlpExporter::http("https://h.example/base/").header("X-Key", "100%25 sk-the-secret-1234, a=b"), "otlp",
            "https://h.example/base/v1/traces", &[("x-key", "100%25 sk-the-secret-1234, a=b")]),
        row(OtlpExporter::http("http://localhost:4318/v1/traces"), "otlp", "http://localhost:4318/v1/traces", &[]),
        row(OtlpExporter::http_to("https://h.example/otel/in").header("x-key", "first").header("X-Key", SECRET), "otlp",
            "https://h.example/otel/in", &[("x-key", SECRET)]),
        row(langfuse(), "langfuse", "https://cloud.langfuse.com/api/public/otel/v1/traces", LANGFUSE),
        row(langfuse().region(LangfuseRegion::Us), "langfuse", "https://us.cloud.langfuse.com/api/public/otel/v1/traces", LANGFUSE),
        row(langfuse().region(LangfuseRegion::Jp), "langfuse", "https://jp.cloud.langfuse.com/api/public/otel/v1/traces", LANGFUSE),
        row(langfuse().region(LangfuseRegion::Hipaa), "langfuse", "https://hipaa.cloud.langfuse.com/api/public/otel/v1/traces", LANGFUSE),
        row(langfuse().base_url("http://localhost:3000/"), "langfuse", "http://localhost:3000/api/public/otel/v1/traces", LANGFUSE),
        row(DatadogAgent::http(), "datadog_agent", "http://localhost:4318/v1/traces", &[]),
        row(datadog("datadoghq.com"), "datadog", "https://otlp.datadoghq.com/v1/traces", &[("dd-api-key", SECRET)]),
        row(datadog("us5.datadoghq.com").compute_stats(), "datadog", "https://otlp.us5.datadoghq.com/v1/traces",
            &[("dd-api-key", SECRET), ("compute_stats", "true")]),
        row(datadog("datadoghq.eu").llm_observability(), "datadog_llm", "https://otlp.datadoghq.eu/v1/traces",
            &[("dd-api-key", SECRET), ("dd-otlp-source", "llmobs")]),
        row(phoenix(), "phoenix", "http://localhost:6006/v1/traces", &[]),
        Row { resource: PROJECT, ..row(phoenix().api_key(SECRET).project("shop-agents"), "phoenix", "http://localhost:6006/v1/traces", &[BEARER]) },
        row(Mlflow::new("http://localhost:5000", "7"), "mlflow", "http://localhost:5000/v1/traces", &[("x-mlflow-experiment-id", "7")]),
        row(braintrust(BraintrustParent::ProjectId("p1".into())), "braintrust", "https://api.braintrust.dev/otel/v1/traces",
            &[BEARER, ("x-bt-parent", "project_id:p1")]),
        row(braintrust(BraintrustParent::ProjectName("shop".into())).eu(), "braintrust", "https://api-eu.braintrust.dev/otel/v1/traces",
            &[BEARER, ("x-bt-parent", "project_name:shop")]),
        row(braintrust(BraintrustParent::ExperimentId("e1".into())).base_url("http://localhost:8000/"), "braintrust", "http://localhost:8000/otel/v1/traces",
            &[BEARER, ("x-bt-parent", "experiment_id:e1")]),
        row(langsmith(), "langsmith", "https://api.smith.langchain.com/otel/v1/traces", &[("x-api-key", SECRET)]),
        row(langsmith().region(LangSmithRegion::Eu).project("shop"), "langsmith", "https://eu.api.smith.langchain.com/otel/v1/traces",
            &[("x-api-key", SECRET), ("langsmith-project", "shop")]),
        row(langsmith().region(LangSmithRegion::Apac), "langsmith", "https://apac.api.smith.langchain.com/otel/v1/traces", &[("x-api-key", SECRET)]),
        row(langsmith().region(LangSmithRegion::Aws), "langsmith", "https://aws.api.smith.langchain.com/otel/v1/traces", &[("x-api-key", SECRET)]),
        row(langsmith().base_url("https://ls.example.com/"), "langsmith", "https://ls.example.com/api/v1/otel/v1/traces", &[("x-api-key", SECRET)]),
        row(Honeycomb::new(SECRET), "honeycomb", "https://api.honeycomb.io/v1/traces", &[("x-honeycomb-team", SECRET)]),
        row(Honeycomb::new(SECRET).eu().classic_dataset("shop"), "honeycomb", "https://api.eu1.honeycomb.io/v1/traces",
            &[("x-honeycomb-team", SECRET), ("x-honeycomb-dataset", "shop")]),
        row(GrafanaCloud::new("prod-eu-west-2", "123456", SECRET), "grafana_cloud",
            "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp/v1/traces", GRAFANA),
    ]
}

#[rustfmt::skip]
pub(crate) fn grpc_rows() -> Vec<Row> {
    vec![
        row(OtlpExporter::grpc("http://localhost:4317/").header("x-key", SECRET), "otlp", "http://localhost:4317", &[("x-key", SECRET)]),
        row(DatadogAgent::grpc(), "datadog_agent", "http://localhost:4317", &[]),
        Row { resource: PROJECT, ..row(Phoenix::grpc("http://localhost:4317").api_key(SECRET).project("shop-agents"), "phoenix", "http://localhost:4317",
            &[("authorization", "Bearer sk-the-secret-1234")]) },
        Row { resource: PROJECT, ..row(Arize::new("U3BhY2U=", SECRET, "shop-agents"), "arize", "https://otlp.arize.com",
            &[("space_id", "U3BhY2U="), ("api_key", SECRET)]) },
        row(Honeycomb::new(SECRET).grpc(), "honeycomb", "https://api.honeycomb.io", &[("x-honeycomb-team", SECRET)]),
        row(Honeycomb::new(SECRET).eu().grpc(), "honeycomb", "https://api.eu1.honeycomb.io", &[("x-honeycomb-team", SECRET)]),
    ]
}
