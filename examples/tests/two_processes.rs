//! Runs the two-process example in two real processes.

use std::path::Path;
use std::process::Command;

/// Returns the trace id and the name of each span in a file of OTLP JSON lines.
fn spans(dir: &Path, name: &str) -> Vec<(String, String)> {
    let path = dir.join(name).with_extension("jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let mut spans: Vec<_> = text.lines().flat_map(spans_of).collect();
    spans.sort_by(|a, b| a.1.cmp(&b.1));
    spans
}

fn spans_of(line: &str) -> Vec<(String, String)> {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let list = |value: &serde_json::Value, key: &str| value[key].as_array().unwrap().clone();
    let scopes = list(&line, "resourceSpans")
        .into_iter()
        .flat_map(|of| list(&of, "scopeSpans"));
    let spans = scopes.flat_map(|of| list(&of, "spans"));
    let text = |span: &serde_json::Value, key: &str| span[key].as_str().unwrap().to_owned();
    spans
        .map(|span| (text(&span, "traceId"), text(&span, "name")))
        .collect()
}

#[test]
fn trace_stays_in_one_tracer_when_the_selection_is_followed() {
    for (inbound, langfuse, datadog, asked) in [
        ("follow", &["answer", "query", "retrieve"][..], &[][..], 0),
        ("select", &["answer"], &["query", "retrieve"], 1),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_two-processes"))
            .args([dir.path().as_os_str(), inbound.as_ref()])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        let expected = format!("decisions: first process 1, second process {asked}\n");
        assert_eq!(said, expected);
        let found = ["langfuse", "datadog"].map(|name| spans(dir.path(), name));
        let names = found.each_ref().map(|spans| {
            let names = spans.iter().map(|(_, name)| name.as_str());
            names.collect::<Vec<_>>()
        });
        assert_eq!(names, [langfuse, datadog], "{inbound}");
        // Both modes produce a single trace id.
        let mut all = found.iter().flatten();
        let (first, _) = all.next().unwrap();
        assert!(all.all(|(trace, _)| trace == first));
    }
}

#[test]
fn missing_arguments_print_the_usage() {
    let output = Command::new(env!("CARGO_BIN_EXE_two-processes"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("usage: two-processes DIRECTORY follow|select"),
        "{said}"
    );
}
