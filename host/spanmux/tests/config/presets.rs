//! Each exporter type as written in a file, and its target.

use serde_json::Value;
use spanmux::config::Config;

use crate::support::Folder;

/// The table as written, the exporter name, and the target.
const ROWS: [(&str, &str, &str); 27] = [
    ("type = 'console'", "console", "-"),
    ("type = 'discard'", "discard", "-"),
    (
        "type = 'file', path = 'a.jsonl', max_bytes = 0, keep = 1",
        "file",
        "a.jsonl",
    ),
    (
        "type = 'otlp', endpoint = 'http://c:4318'",
        "otlp",
        "http://c:4318/v1/traces",
    ),
    (
        "type = 'otlp', endpoint = 'http://c/x', whole_url = true",
        "otlp",
        "http://c/x",
    ),
    (
        "type = 'otlp', endpoint = 'http://c:4317', protocol = 'grpc'",
        "otlp",
        "http://c:4317",
    ),
    (
        "type = 'otlp', endpoint = 'http://c', gzip = true, timeout = '1s', proxy = 'http://p:1', no_proxy = ['e', '.f'], system_certificates = false, origin = 'http://d', headers = { x = 'y' }",
        "otlp",
        "http://d/v1/traces",
    ),
    (
        "type = 'langfuse', public_key = 'p', secret_key = 's'",
        "langfuse",
        "https://cloud.langfuse.com/api/public/otel/v1/traces",
    ),
    (
        "type = 'langfuse', public_key = 'p', secret_key = 's', region = 'jp'",
        "langfuse",
        "https://jp.cloud.langfuse.com/api/public/otel/v1/traces",
    ),
    (
        "type = 'langfuse', public_key = 'p', secret_key = 's', base_url = 'http://l:3000'",
        "langfuse",
        "http://l:3000/api/public/otel/v1/traces",
    ),
    (
        "type = 'datadog-agent'",
        "datadog_agent",
        "http://localhost:4318/v1/traces",
    ),
    (
        "type = 'datadog-agent', protocol = 'grpc', address = 'http://agent:4317'",
        "datadog_agent",
        "http://agent:4317",
    ),
    (
        "type = 'datadog', site = 'datadoghq.eu', api_key = 'k', compute_stats = true",
        "datadog",
        "https://otlp.datadoghq.eu/v1/traces",
    ),
    (
        "type = 'datadog', site = 'datadoghq.eu', api_key = 'k', llm_observability = true",
        "datadog_llm",
        "https://otlp.datadoghq.eu/v1/traces",
    ),
    (
        "type = 'phoenix', base_url = 'http://p:6006', api_key = 'k', project = 'x'",
        "phoenix",
        "http://p:6006/v1/traces",
    ),
    (
        "type = 'phoenix', base_url = 'http://p:4317', protocol = 'grpc'",
        "phoenix",
        "http://p:4317",
    ),
    (
        "type = 'mlflow', base_url = 'http://m:5000', experiment_id = '0'",
        "mlflow",
        "http://m:5000/v1/traces",
    ),
    (
        "type = 'braintrust', api_key = 'k', parent = { project_name = 'x' }",
        "braintrust",
        "https://api.braintrust.dev/otel/v1/traces",
    ),
    (
        "type = 'braintrust', api_key = 'k', parent = { project_id = 'x' }, region = 'eu'",
        "braintrust",
        "https://api-eu.braintrust.dev/otel/v1/traces",
    ),
    (
        "type = 'braintrust', api_key = 'k', parent = { experiment_id = 'x' }, base_url = 'http://b'",
        "braintrust",
        "http://b/otel/v1/traces",
    ),
    (
        "type = 'langsmith', api_key = 'k', project = 'x'",
        "langsmith",
        "https://api.smith.langchain.com/otel/v1/traces",
    ),
    (
        "type = 'langsmith', api_key = 'k', region = 'apac'",
        "langsmith",
        "https://apac.api.smith.langchain.com/otel/v1/traces",
    ),
    (
        "type = 'langsmith', api_key = 'k', base_url = 'http://s'",
        "langsmith",
        "http://s/api/v1/otel/v1/traces",
    ),
    (
        "type = 'arize', space_id = 's', api_key = 'k', project = 'x'",
        "arize",
        "https://otlp.arize.com",
    ),
    (
        "type = 'honeycomb', api_key = 'k', classic_dataset = 'd'",
        "honeycomb",
        "https://api.honeycomb.io/v1/traces",
    ),
    (
        "type = 'honeycomb', api_key = 'k', region = 'eu', protocol = 'grpc'",
        "honeycomb",
        "https://api.eu1.honeycomb.io",
    ),
    (
        "type = 'grafana-cloud', zone = 'prod-eu-west-2', instance_id = '1', token = 't'",
        "grafana_cloud",
        "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp/v1/traces",
    ),
];

#[test]
fn each_type_has_the_target_of_its_preset() {
    let folder = Folder::new();
    for (written, kind, target) in ROWS {
        let text = format!("[tracers.a]\nservice = 's'\nexporter = {{ {written} }}");
        let config = folder.read("spanmux.toml", &text);
        let config = config.unwrap_or_else(|error| panic!("{written}: {error}"));
        let exporter = &config.tracers()[0].exporters[0];
        assert_eq!(exporter.kind, kind, "{written}");
        let found = exporter.target.as_deref().unwrap_or("-");
        assert_eq!(folder.shown(found), target, "{written}");
    }
}

/// `ROWS` covers every key of every exporter type.
#[test]
fn rows_cover_every_key() {
    let schema: Value = serde_json::from_str(&Config::schema()).unwrap();
    let variants = schema["$defs"]["ExporterTable"]["oneOf"]
        .as_array()
        .unwrap();
    assert_eq!(variants.len(), 14);
    for variant in variants {
        let properties = variant["properties"].as_object().unwrap();
        let kind = properties["type"]["const"].as_str().unwrap();
        let kind = format!("type = '{kind}'");
        for key in properties.keys() {
            let has = |(written, _, _): &(&str, &str, &str)| {
                (*written == kind || written.starts_with(&format!("{kind},")))
                    && written.contains(&format!("{key} = "))
            };
            assert!(ROWS.iter().any(has), "{kind}: {key} is in no row");
        }
    }
}
