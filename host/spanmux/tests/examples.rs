//! Runs the examples and checks their output. Cargo builds them together with this test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

/// Runs an example and returns its output.
fn printed(name: &str) -> String {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(|deps| deps.parent()).unwrap();
    let example = target.join("examples").join(name);
    let output = Command::new(&example).output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}; build it: cargo build -p spanmux --examples",
            example.display()
        )
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The root span of each printed trace and the tracer that received it.
fn traces(printed: &str) -> Vec<(&str, &str)> {
    let roots = printed.lines().filter_map(|line| line.strip_prefix("└─ "));
    let roots = roots.filter_map(|root| root.split("  ").next());
    let mark = "   │ spanmux.tracer = ";
    let tracers = printed.lines().filter_map(|line| line.strip_prefix(mark));
    roots.zip(tracers).collect()
}

#[test]
fn single_sends_every_trace_to_its_only_tracer() {
    let printed = printed("single");
    assert_eq!(traces(&printed), [("agent run", "default")], "{printed}");
    assert!(printed.contains("llm generation"), "{printed}");
}

#[test]
fn several_routes_by_environment() {
    let printed = printed("several");
    let expected = [
        ("agent run in production", "langfuse"),
        ("agent run in staging", "datadog"),
        ("agent run in development", "console"),
        ("agent run in qa", "langfuse"),
    ];
    assert_eq!(traces(&printed), expected, "{printed}");
    assert_eq!(printed.matches("llm generation").count(), 4, "{printed}");
}

#[test]
fn mixed_uses_provided_and_configured_tracers() {
    let printed = printed("mixed");
    let custom: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("custom exporter: "))
        .collect();
    assert_eq!(custom, ["tool call", "agent run of premium"], "{printed}");
    let standard = [("agent run of free", "standard")];
    assert_eq!(traces(&printed), standard, "{printed}");
}
