//! Tests `spanmux explain`, and that the pictures in `docs/` are up to date.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;

use serde_json::Value;

use support::{Output, root, spanmux_with_input};

/// The tracers of the demo.
const TRACERS: &str = "langfuse,langfuse-eu,datadog,tenant-acme,tenant-umbrella,candidate,\
                       quarantine,console,discard";

fn path(relative: &str) -> String {
    root().join(relative).display().to_string()
}

/// Runs `spanmux explain` with these arguments.
fn explain(args: &[&str], input: &str) -> Output {
    spanmux_with_input(&[&["explain"], args].concat(), input)
}

/// Without given contexts, exploration finds the rules in the source of each example selector.
#[test]
fn made_up_contexts_find_all_rules() {
    for (selector, expected) in [
        (
            "10-health-checks",
            r#"
span.name?
├─ "GET /healthz", "GET /livez", "GET /readyz", "health" ··· discard
└─ "something else", null, true, 7, 0.5, [], absent ········ abstains
"#,
        ),
        (
            "20-tenant",
            r#"
has tenant?
├─ yes → tenant?
│  ├─ "acme" ························· tenant-acme
│  ├─ "umbrella" ····················· tenant-umbrella
│  ├─ "globex", "hooli", "initech" ··· abstains
│  ├─ "something else" ··············· quarantine
│  ├─ "" ····························· failed: `tenant` is empty
│  └─ null, true, 7, 0.5, [] ········· failed: `tenant` is … not text
└─ no ································ abstains

Errors: failed: `tenant` is … not text, failed: `tenant` is empty
"#,
        ),
        (
            "30-rollout",
            r#"
bucket of user.id (100 shares, salt "rollout-7")?
├─ 0–9 of 100 ············· candidate
└─ 10–99 of 100, absent ··· abstains
"#,
        ),
        (
            "40-tier-region",
            r#"
user.tier?
├─ "enterprise" → region?
│  ├─ "eu" ············································ langfuse-eu
│  ├─ "something else" ································ langfuse
│  ├─ null, true, 7, 0.5, [] ·························· failed: `region` is … not text
│  └─ absent ·········································· failed: `region` is missing
├─ "free" ············································· datadog
└─ "something else", null, true, 7, 0.5, [], absent ··· abstains

Errors: failed: `region` is … not text, failed: `region` is missing
"#,
        ),
        (
            "50-environment",
            r#"
environment?
├─ "development" ······································ console
├─ "production" ······································· langfuse
├─ "staging" ·········································· datadog
└─ "something else", null, true, 7, 0.5, [], absent ··· abstains
"#,
        ),
    ] {
        let output = explain(&[&path(&format!("selectors/{selector}.wasm"))], "");
        assert_eq!(output.code, 0, "{}", output.stderr);
        let (heading, rules) = output.stdout.split_once("\n\n").unwrap();
        assert!(heading.starts_with(selector), "{heading}");
        assert!(heading.contains("made-up contexts"), "{heading}");
        assert_eq!(rules, expected.trim_start(), "{selector}");
        assert!(output.stderr.contains("--contexts"), "{}", output.stderr);
    }
}

#[test]
fn given_contexts_are_counted_at_their_leaf() {
    let contexts = "{\"environment\":\"production\"}\n".repeat(3) + "{}\n";
    let selector = path("selectors/50-environment.wasm");
    let args = [
        &selector,
        "--contexts",
        "-",
        "--format",
        "json",
        "--tracers",
    ];
    let output = explain(&[&args[..], &["langfuse,spare"]].concat(), &contexts);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let rules: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(rules["hits"], 4);
    assert_eq!(rules["chosen"][0]["hits"], 3);
    assert_eq!(rules["abstained"], 1);
    assert_eq!(rules["never_chosen"][0], "spare");
}

#[test]
fn unknown_tracer_is_reported_when_tracers_are_given() {
    let selector = path("selectors/20-tenant.wasm");
    let args = [&selector, "--contexts", "-"];
    let contexts = "{\"tenant\":\"acme\"}\n";
    let output = explain(&[&args[..], &["--tracers", "console"]].concat(), contexts);
    for part in ["no tracer \"tenant-acme\"", "Unknown tracers: "] {
        assert!(output.stdout.contains(part), "{}", output.stdout);
    }
    let output = explain(&args, contexts);
    assert!(
        !output.stdout.contains("no tracer") && output.stdout.contains("tenant-acme"),
        "{}",
        output.stdout
    );
}

#[test]
fn output_extension_sets_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let selector = path("selectors/50-environment.wasm");
    for (name, begins) in [
        ("a.svg", "<svg "),
        ("a.mmd", "flowchart "),
        ("a.json", "{"),
        ("a.txt", "50-environment"),
    ] {
        let file = folder.path().join(name);
        let output = explain(&[&selector, "--output", file.to_str().unwrap()], "");
        assert_eq!((output.code, output.stdout.as_str()), (0, ""));
        let written = fs::read_to_string(&file).unwrap();
        assert!(written.starts_with(begins), "{name}: {written}");
    }
}

#[test]
fn help_has_usage_and_examples() {
    let help = explain(&["--help"], "");
    assert_eq!(help.code, 0);
    for part in ["Usage: spanmux explain", "Examples:", "--contexts"] {
        assert!(help.stdout.contains(part), "{}", help.stdout);
    }
}

#[test]
fn explain_prints_reason_when_it_fails() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.wasm");
    fs::write(&broken, b"not wasm").unwrap();
    let broken = broken.display().to_string();
    let selectors = path("selectors");
    let rows: [(&[&str], i32, &str); 4] = [
        (&["/nowhere.wasm"], 2, "cannot be read"),
        (&[&broken], 1, "not WebAssembly"),
        (&[&selectors, "--format", "svg"], 2, "--output"),
        (&[&selectors, "--contexts", "/nowhere"], 2, "/nowhere"),
    ];
    for (args, code, part) in rows {
        let output = explain(args, "");
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (code, ""),
            "{args:?}"
        );
        assert!(output.stderr.contains(part), "{args:?}: {}", output.stderr);
    }
}

/// `docs/guide/explain.md` contains the command that draws them.
#[test]
fn pictures_in_docs_are_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = explain(
        &[
            &path("selectors"),
            "--contexts",
            &path("selectors/contexts.jsonl"),
            "--tracers",
            TRACERS,
            "--format",
            "svg",
            "--output",
            folder.path().to_str().unwrap(),
        ],
        "",
    );
    assert_eq!(drawn.code, 0, "{}", drawn.stderr);
    let mut pictures = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let committed = root().join("docs/explain").join(path.file_name().unwrap());
        let committed = fs::read_to_string(&committed).unwrap_or_default();
        assert!(
            fs::read_to_string(&path).unwrap() == committed,
            "docs/explain/ is out of date; draw it again with the command in docs/guide/explain.md"
        );
        pictures += 1;
    }
    assert_eq!(pictures, 5);
}

#[test]
fn tree_in_guide_is_up_to_date() {
    let guide = fs::read_to_string(root().join("docs/guide/explain.md")).unwrap();
    let output = explain(&[&path("selectors/20-tenant.wasm")], "");
    assert!(guide.contains(&output.stdout), "{}", output.stdout);
}

#[test]
fn refused_tracers_are_part_of_the_rules() {
    let selector = path("selectors/20-tenant.wasm");
    let contexts = "{\"tenant\":\"acme\"}\n{\"tenant\":\"stranger\"}\n";
    let args = [
        &selector,
        "--contexts",
        "-",
        "--tracers",
        "tenant-acme,quarantine",
    ];
    let allowed = explain(
        &[&args[..], &["--allow", "tenant-*, quarantine"]].concat(),
        contexts,
    );
    assert_eq!((allowed.code, allowed.stderr.as_str()), (0, ""));
    assert!(
        !allowed.stdout.contains("not allowed"),
        "{}",
        allowed.stdout
    );
    let refused = explain(&[&args[..], &["--allow", "quarantine"]].concat(), contexts);
    let text = "tracer \"tenant-acme\" is not allowed";
    assert!(refused.stdout.contains(text), "{}", refused.stdout);
    let made_up = explain(&[&selector, "--allow", "quarantine"], "");
    assert!(
        made_up.stdout.contains("is not allowed"),
        "{}",
        made_up.stdout
    );
    let wrong = explain(&[&selector, "--allow", "tenant-?"], "");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("the only wildcard is `*`"),
        "{}",
        wrong.stderr
    );
}
