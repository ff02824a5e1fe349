//! The examples do what they say. Cargo builds them beside this test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

/// What an example prints.
fn printed(name: &str) -> String {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(|deps| deps.parent()).unwrap();
    let example = target.join("examples").join(name);
    let output = Command::new(&example).output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}; build it: cargo build -p spanway --examples",
            example.display()
        )
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Each trace is printed with the tracer that received it, by a selector.
fn traces(printed: &str) -> Vec<&str> {
    let spans = printed.lines().filter(|line| line.contains("agent run"));
    spans.collect()
}

#[test]
fn single_sends_every_trace_to_its_one_tracer() {
    let printed = printed("single");
    assert_eq!(traces(&printed).len(), 1, "{printed}");
    assert!(printed.contains("llm generation"), "{printed}");
    assert!(printed.contains("spanway.tracer=default"), "{printed}");
}

#[test]
fn several_sends_each_trace_to_the_tracer_of_its_environment() {
    let printed = printed("several");
    let traces = traces(&printed);
    for (trace, (environment, tracer)) in traces.iter().zip([
        ("production", "langfuse"),
        ("staging", "datadog"),
        ("development", "console"),
        ("qa", "langfuse"),
    ]) {
        assert!(
            trace.contains(&format!("agent run in {environment}")),
            "{trace}"
        );
        assert!(
            trace.contains(&format!("spanway.tracer={tracer}")),
            "{trace}"
        );
    }
    assert_eq!(traces.len(), 4, "{printed}");
    assert_eq!(printed.matches("llm generation").count(), 4, "{printed}");
}

#[test]
fn mixed_sends_to_the_ready_made_provider_and_to_that_of_the_file() {
    let printed = printed("mixed");
    let custom: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("custom exporter: "))
        .collect();
    assert_eq!(custom, ["tool call", "agent run of premium"], "{printed}");
    let [_, free] = traces(&printed)[..] else {
        panic!("{printed}")
    };
    assert!(free.contains("agent run of free"), "{printed}");
    assert!(free.contains("spanway.tracer=standard"), "{printed}");
}
