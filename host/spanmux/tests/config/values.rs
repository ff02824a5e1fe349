//! The values of files, with environment variables replaced.

use spanmux::config::Config;

use crate::support::Folder;

const TOML: &str = "
service = '${NAME:-shop}'
[tracers.zeta]
sampling = { ratio = 1 }
exporter = { type = 'otlp', endpoint = 'https://${HOST:-collector}:4318/x', headers = { x-key = '${SECRET}' } }
[tracers.alpha]
type = 'provided'
[tracers.file]
service = '$${NAME}'
sampling = { custom = 'paying' }
exporters = [{ type = 'file', path = 'a.jsonl' }, { type = 'console' }]
";

const JSON: &str = r#"{
    "$schema": "https://example.com/spanmux.schema.json",
    "service": "${NAME:-shop}",
    "tracers": {
        "zeta": {
            "sampling": {"ratio": 1},
            "exporter": {
                "type": "otlp",
                "endpoint": "https://${HOST:-collector}:4318/x",
                "headers": {"x-key": "${SECRET}"}
            }
        },
        "alpha": {"type": "provided"},
        "file": {
            "service": "$${NAME}",
            "sampling": {"custom": "paying"},
            "exporters": [{"type": "file", "path": "a.jsonl"}, {"type": "console"}]
        }
    }
}"#;

#[test]
fn toml_and_json_are_equivalent() {
    let folder = Folder::new();
    let toml = folder.read("spanmux.toml", TOML).unwrap().tracers();
    let json = folder.read("spanmux.json", JSON).unwrap().tracers();
    assert_eq!(toml, json);
    let row = |tracer: &spanmux::config::TracerSummary| {
        let exporters = tracer.exporters.iter().map(|exporter| {
            format!(
                "{} {}",
                exporter.kind,
                exporter.target.as_deref().unwrap_or("-")
            )
        });
        let or = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
        let exporters = exporters.collect::<Vec<_>>().join(", ");
        let (service, sampling) = (or(&tracer.service), or(&tracer.sampling));
        folder.shown(format!("{} {service} {sampling}: {exporters}", tracer.name))
    };
    assert_eq!(
        toml.iter().map(row).collect::<Vec<_>>(),
        [
            "zeta shop ratio 1: otlp https://collector:4318/x/v1/traces",
            "alpha - -: ",
            "file ${NAME} custom paying: file a.jsonl, console -",
        ]
    );
}

#[test]
fn debug_output_contains_no_secret() {
    let folder = Folder::new();
    let config = folder.read("spanmux.toml", TOML).unwrap();
    let shown = format!("{config:?} {:?}", config.tracers());
    let builder = config.builder();
    assert!(!format!("{shown} {builder:?}").contains("hush"), "{shown}");
}

#[test]
fn literal_secret_is_a_warning() {
    let folder = Folder::new();
    let text = "service = 's'\n[tracers.a.exporter]\ntype = 'langfuse'\npublic_key = 'pk'\n\
                secret_key = 'hush'\nheaders = { x = 'plain' }\n[tracers.b.exporter]\ntype = \
                'honeycomb'\napi_key = '${SECRET}'";
    let config = folder.read("spanmux.toml", text).unwrap();
    let [warning] = config.warnings() else {
        panic!("{:?}", config.warnings())
    };
    assert_eq!(
        folder.shown(warning),
        "spanmux.toml:5:14: tracers.a.exporter.secret_key: a secret is written in the file; take it \
         from the environment with \"${NAME}\", or from a file with \"${file:PATH}\""
    );
}

#[test]
fn default_and_fallback_tracers_default_to_the_first() {
    let tracers = "[tracers.a]\nexporter.type = 'discard'\n[tracers.b]\nexporter.type = 'discard'";
    for (said, default, fallback) in [
        ("", "a", "a"),
        ("default = 'b'", "b", "b"),
        ("fallback = 'b'", "a", "b"),
    ] {
        let text = format!("service = 's'\n{said}\n{tracers}");
        let config = Config::from_toml(&text).unwrap();
        assert_eq!(config.default_tracer(), Some(default), "{said}");
        assert_eq!(config.fallback_tracer(), Some(fallback), "{said}");
    }
}

#[test]
fn process_environment_is_the_default_source() {
    // Cargo sets it for tests.
    let text = "service = '${CARGO_PKG_NAME}'\n[tracers.a]\nexporter.type = 'discard'";
    let config = Config::from_toml(text).unwrap();
    assert_eq!(config.tracers()[0].service.as_deref(), Some("spanmux"));
}
