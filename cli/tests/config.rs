//! Tests `spanmux config` and `spanmux init`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use support::{Output, root, spanmux_in, spanmux_with_input};

const VARIABLES: [(&str, &str); 1] = [("KEY", "hush-hush")];

const FILE: &str = r#"
service = "shop"
fallback = "quarantine"

[selectors]
directory = "SELECTORS"
native = ["by-tenant"]
order = ["10-health-checks", "by-tenant", "*"]

[selectors.limits]
engines = 1

[tracers.langfuse]
sampling = { ratio = 0.25 }
exporter = { type = "langfuse", public_key = "pk", secret_key = "${KEY}" }

[tracers.own]
type = "provided"

[tracers.quarantine]
sampling = { custom = "some" }
exporters = [
    { type = "honeycomb", api_key = "hush-hush" },
    { type = "discard" },
]
"#;

fn spanmux(args: &[&str]) -> Output {
    spanmux_in(args, "", &VARIABLES)
}

/// Creates a folder with a configuration of this text.
fn folder(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let selectors = root().join("selectors").canonicalize().unwrap();
    let text = text.replace("SELECTORS", &selectors.display().to_string());
    let path = folder.path().join("spanmux.toml");
    fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn check_prints_tracers_and_selectors() {
    let (_folder, path) = folder(FILE);
    let check = spanmux(&["config", "check", &path]);
    assert_eq!(check.code, 0, "{}", check.stderr);
    for words in [
        "│ langfuse   ┆ shop    ┆ langfuse         ┆ https://cloud.langfuse.com/api/public/otel/v1/traces",
        "ratio 0.25",
        "provided by code",
        "https://api.honeycomb.io/v1/traces",
        "custom some",
        "10-health-checks",
        "native",
    ] {
        assert!(check.stdout.contains(words), "{words}:\n{}", check.stdout);
    }
    assert!(
        check.stderr.contains("warning: ")
            && check.stderr.contains(
                "tracers.quarantine.exporters[0].api_key: a secret is written in the file"
            ),
        "{}",
        check.stderr
    );
    assert!(!check.stdout.contains("hush") && !check.stderr.contains("hush"));
}

#[test]
fn check_prints_json() {
    let (_folder, path) = folder(FILE);
    let check = spanmux(&["config", "check", &path, "--json"]);
    assert_eq!(check.code, 0, "{}", check.stderr);
    assert!(!check.stdout.contains("hush"), "{}", check.stdout);
    let said: Value = serde_json::from_str(&check.stdout).unwrap();
    assert_eq!(said["valid"], true);
    assert_eq!(
        said["tracers"][0],
        json!({
            "name": "langfuse", "service": "shop", "provided": false, "sampling": "ratio 0.25",
            "exporters": [{"name": null, "kind": "langfuse", "content": true, "sampling": 1.0, "target": "https://cloud.langfuse.com/api/public/otel/v1/traces"}],
            "default": true, "fallback": false,
        })
    );
    let names = |of: &Value| -> Vec<String> {
        let names = of
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned());
        names.collect()
    };
    assert_eq!(names(&said["tracers"]), ["langfuse", "own", "quarantine"]);
    assert_eq!(
        names(&said["selectors"])[..3],
        ["10-health-checks", "by-tenant", "20-tenant"]
    );
    assert_eq!(said["selectors"][0]["state"], "live");
    assert_eq!(said["selectors"][1]["state"], "native");
    assert_eq!(said["warnings"][0]["line"], 23);
}

#[test]
fn check_exits_with_1_and_lists_every_mistake() {
    let wrong = FILE
        .replace("service", "servise")
        .replace("\"by-tenant\", \"*\"", "\"*\"");
    let (_folder, path) = folder(&wrong.replace("ratio = 0.25", "ratio = 25"));
    let check = spanmux(&["config", "check", &path]);
    assert_eq!(check.code, 1, "{}", check.stderr);
    let lines: Vec<&str> = check.stdout.lines().collect();
    let starts = [
        format!("{path}:2:1: servise: unknown key; did you mean \"service\"?"),
        format!("{path}:13:10: tracers.langfuse: missing service name"),
        format!("{path}:14:22: tracers.langfuse.sampling.ratio: 25 is not between 0 and 1"),
        format!("{path}:20:10: tracers.quarantine: missing service name"),
    ];
    assert_eq!(lines.len(), starts.len(), "{}", check.stdout);
    for (line, start) in lines.iter().zip(&starts) {
        assert!(line.starts_with(start), "{line}");
    }
    let json = spanmux(&["config", "check", &path, "--json"]);
    assert_eq!(json.code, 1);
    let said: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&said["valid"], &said["problems"][0]["key"]),
        (&json!(false), &json!("servise"))
    );

    let (_folder, path) = folder(&FILE.replace("10-health-checks", "10-health-check"));
    let order = spanmux(&["config", "check", &path]);
    assert_eq!(order.code, 1);
    assert!(
        order.stdout.contains("selectors.order[0]: no selector is named \"10-health-check\"; did you mean \"10-health-checks\"?"),
        "{}",
        order.stdout
    );
    let none = spanmux(&["config", "check", "nowhere.toml"]);
    assert_eq!((none.code, none.stdout.as_str()), (2, ""));
    assert!(
        none.stderr
            .contains("error: failed to read the configuration nowhere.toml")
    );
}

#[test]
fn route_uses_selectors_and_tracers_of_a_configuration() {
    let text = FILE.replace("quarantine", "tenant-acme");
    let (_folder, path) = folder(&text);
    let lines = "{\"tenant\": \"acme\"}\n{\"environment\": \"production\"}\n{\"tenant\": 7}\n";
    let args = ["route", "--config", &path, "--contexts", "-", "--json"];
    let route = spanmux_in(&args, lines, &VARIABLES);
    assert_eq!(route.code, 0, "{}", route.stderr);
    let to: Vec<Value> = route
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["tracer"].clone())
        .collect();
    // The last decision fails and selects the fallback tracer.
    assert_eq!(to, ["tenant-acme", "langfuse", "tenant-acme"]);
    assert!(
        route
            .stderr
            .contains("by-tenant is a native selector and abstains here")
    );
    let both = spanmux_with_input(&["route", "selectors", "--config", &path], "");
    assert_eq!(both.code, 2);
}

#[test]
fn init_writes_a_valid_file_for_each_exporter_kind() {
    let schema = spanmux(&["config", "schema"]);
    let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
    let variants = schema["$defs"]["ExporterTable"]["oneOf"]
        .as_array()
        .unwrap();
    let kinds: Vec<&str> = variants
        .iter()
        .map(|variant| variant["properties"]["type"]["const"].as_str().unwrap())
        .collect();
    assert!(kinds.len() >= 14, "{kinds:?}");
    let folder = tempfile::tempdir().unwrap();
    for kind in kinds
        .iter()
        .copied()
        .chain(["langfuse,console,console", &kinds.join(",")])
    {
        let path = folder
            .path()
            .join(format!("{kind}.toml"))
            .display()
            .to_string();
        let init = spanmux(&["init", &path, "--exporter", kind]);
        assert_eq!(
            (init.code, init.stdout),
            (0, format!("wrote {path}\n")),
            "{}",
            init.stderr
        );

        let text = fs::read_to_string(&path).unwrap();
        let names: BTreeSet<&str> = text
            .split("${")
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
            .filter(|name| !name.contains(":-") && *name != "NAME")
            .collect();
        let variables: Vec<(&str, &str)> = names.iter().map(|name| (*name, "x")).collect();
        let check = spanmux_in(&["config", "check", &path], "", &variables);
        assert_eq!(
            check.code, 0,
            "{kind}: {}{}\n{text}",
            check.stdout, check.stderr
        );
        assert_eq!(check.stderr, "", "{kind}");
        assert_eq!(
            text.matches("\n[tracers.").count(),
            2 * kind.split(',').count(),
            "{text}"
        );
    }
}

#[test]
fn init_keeps_an_existing_file_without_force() {
    let (_folder, path) = folder("# mine\n");
    let refused = spanmux(&["init", &path]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    assert!(
        refused
            .stderr
            .contains("already exists; choose another file or overwrite it with --force")
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n");
    assert_eq!(spanmux(&["init", &path, "--force"]).code, 0);
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .contains("[tracers.console]")
    );

    let unknown = spanmux(&["init", &path, "--force", "--exporter", "langfues"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown
            .stderr
            .contains("unknown exporter type \"langfues\"; expected one of: console, file")
    );
}

#[test]
fn check_shows_the_destinations_of_a_tracer() {
    let (_folder, path) = folder(
        "service = 'shop'
        [exporters.ours]
        type = 'datadog-agent'
        [exporters.spare]
        type = 'console'
        [tracers.acme]
        exporters = [{ type = 'discard' }, { use = 'ours', content = false, sampling = 0.1 }]",
    );
    let check = spanmux(&["config", "check", &path]);
    assert_eq!(check.code, 0, "{}", check.stderr);
    let row = "ours (datadog_agent), no content, ratio 0.1";
    assert!(check.stdout.contains(row), "{}", check.stdout);
    assert!(
        check.stderr.contains("no tracer uses this exporter"),
        "{}",
        check.stderr
    );
}
