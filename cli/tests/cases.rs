//! Tests the text and machine-readable output of `spanmux test`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use support::{Output, root, spanmux_with_input};

fn test(args: &[&str]) -> Output {
    spanmux_with_input(&[&["test"], args].concat(), "")
}

fn selector(name: &str) -> String {
    root().join("selectors").join(name).display().to_string()
}

/// Creates a folder with these cases in `cases.toml`, and returns the path of the file.
fn cases(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.toml");
    fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    (folder, file)
}

const CASES: &str = r#"
tracers = ["langfuse", "datadog", "console", "other"]

[[case]]
name = "production"
context = { environment = "production" }
tracer = "langfuse"
selector = "50-environment"

[[case]]
name = "no say"
context = {}
cause = "abstained"

[[case]]
name = "its tracer is not there"
context = { environment = "development" }
tracers = ["langfuse"]
tracer = "langfuse"
cause = "unknown_tracer"
reason = "console"
"#;

/// A case that fails.
const WRONG: &str = r#"
[[case]]
name = "staging"
context = { environment = "staging" }
tracer = "console"
"#;

#[test]
fn passing_cases_print_unreached_branches_and_tracers() {
    let (_folder, file) = cases(CASES);
    let selector = selector("50-environment.wasm");
    let tested = test(&[&file, &selector]);
    assert_eq!(
        (tested.code, tested.stderr.as_str()),
        (0, ""),
        "{}",
        tested.stdout
    );
    let expected = format!(
        "\n{selector}\n  ok      production\n  ok      no say\n  ok      its tracer is not there\n\
         3 passed, 0 failed\n\
         50-environment: cases reach 3 of 4 discovered branches\n  \
         not reached: environment? \"staging\" → datadog\n\
         tracers not chosen by any case\n  \
         datadog: 50-environment can choose it\n  \
         console: 50-environment can choose it\n  \
         other: no discovered branch chooses it\n"
    );
    assert_eq!(tested.stdout, expected);
}

#[test]
fn failing_case_prints_differences_and_transcript() {
    let (_folder, file) = cases(&[CASES, WRONG].concat());
    let selector = selector("50-environment.wasm");
    let tested = test(&[&file, &selector]);
    assert_eq!(tested.code, 1, "{}", tested.stderr);
    let expected = format!(
        "  FAILED  staging ({file}, line 23)\n    \
         context   environment=staging\n    \
         tracer    - console\n              + datadog\n    \
         50-environment asked environment? \"staging\"; chooses datadog\n\
         3 passed, 1 failed\n"
    );
    assert!(tested.stdout.contains(&expected), "{}", tested.stdout);
}

#[test]
fn json_and_junit_contain_the_results() {
    let (folder, file) = cases(&[CASES, WRONG].concat());
    let junit = folder.path().join("report.xml");
    let environment = selector("50-environment.wasm");
    let args = [
        &file,
        &environment,
        &selector("../selectors"),
        "--json",
        "--junit",
    ];
    let tested = test(&[&args[..], &[&junit.display().to_string()]].concat());
    assert_eq!(tested.code, 1, "{}", tested.stderr);
    let lines: Vec<Value> = tested
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "one line for each tested path");
    let line = &lines[0];
    assert_eq!((&line["passed"], &line["failed"]), (&3.into(), &1.into()));
    let wrong = &line["cases"][3];
    assert_eq!(wrong["differences"][0]["expected"], "console");
    assert_eq!(wrong["differences"][0]["got"], "datadog");
    assert!(line["cases"][0]["fuel"].as_u64() > Some(0));
    assert_eq!(line["coverage"][0]["branches"], 4);
    assert_eq!(line["unchosen_tracers"][1], "other");

    let report = fs::read_to_string(junit).unwrap();
    for part in [
        "tests=\"8\"",
        "failures=\"2\"",
        "<testcase name=\"its tracer is not there\"",
        "tracer: expected console, got datadog",
    ] {
        assert!(report.contains(part), "no {part} in {report}");
    }
}

#[test]
fn directory_of_cases_is_tested_when_no_selectors_are_given() {
    let (folder, file) = cases(CASES);
    fs::copy(
        selector("50-environment.wasm"),
        folder.path().join("50-environment.wasm"),
    )
    .unwrap();
    let tested = test(&[&file]);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
}

/// Every branch of the example selectors has a case, and every case passes.
#[test]
fn example_selectors_pass_their_cases() {
    let tested = test(&[&selector("cases.toml"), "--json"]);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    let run: Value = serde_json::from_str(&tested.stdout).unwrap();
    assert_eq!(run["unchosen_tracers"], serde_json::json!([]));
    let coverage = run["coverage"].as_array().unwrap();
    assert_eq!(coverage.len(), 5);
    for selector in coverage {
        assert_eq!(selector["missed"], serde_json::json!([]), "{selector}");
        assert!(selector["branches"].as_u64() > Some(1), "{selector}");
    }
}

#[test]
fn invalid_input_is_reported_with_its_remedy() {
    let (folder, file) = cases("tracers = [\"a\"]\n");
    let empty = folder.path().display().to_string();
    let (_other, good) = cases(CASES);
    let missing = format!("{empty}/none.toml");
    let selector = selector("50-environment.wasm");
    let (_twice, twice) = cases(
        "tracers = [\"a\", \"a\"]\n[[case]]\nname = \"x\"\ncontext = {}\ncause = \"failed\"\n",
    );
    for (args, message) in [
        (
            vec![file.as_str(), &selector],
            format!(
                "error: {file} contains no cases; add a [[case]] table for each expected \
                 decision\n"
            ),
        ),
        (
            vec![&good, &empty],
            format!(
                "error: the selectors directory {empty} contains no *.wasm file; add one, or \
                 build one with `spanmux build`\n"
            ),
        ),
        (
            vec![&missing],
            format!(
                "error: cannot read the cases in {missing}\n  caused by: No such file or directory \
                 (os error 2)\n"
            ),
        ),
        (
            vec![&twice, &selector],
            "error: in `tracers`\n  caused by: a tracer named \"a\" is registered already; unregister it first or choose \
             another name\n"
                .to_owned(),
        ),
    ] {
        let refused = test(&args);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{args:?}");
        assert_eq!(refused.stderr, message, "{args:?}");
    }
}

#[test]
fn cases_fail_when_selector_has_another_contract_version() {
    let (folder, file) = cases(CASES);
    let old = wat::parse_str(
        r#"(component (component $c) (instance $i (instantiate $c))
             (export "spanmux:selector/selection@0.0.9" (instance $i)))"#,
    )
    .unwrap();
    let path = folder.path().join("10-old.wasm");
    fs::write(&path, old).unwrap();
    let tested = test(&[&file]);
    assert_eq!(tested.code, 1);
    assert_eq!(
        tested.stderr,
        format!(
            "warning: {}: the selector was built for version 0.0.9 of the contract and this host \
             speaks 0.1.0; build it against the host's wit/\n",
            path.display()
        )
    );
    assert!(
        tested.stdout.contains("0 passed, 3 failed"),
        "{}",
        tested.stdout
    );
    assert!(tested.stdout.contains("+ unavailable"), "{}", tested.stdout);
}

#[cfg(unix)]
#[test]
fn watch_runs_again_after_change_and_exits_with_last_result() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let (folder, file) = cases(CASES);
    let copy = folder.path().join("50-environment.wasm");
    fs::copy(selector("50-environment.wasm"), copy).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_spanmux"))
        .args(["test", &file, "--watch", "--json"])
        .args([
            "--cache-dir",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Waits for a run. The time limit is that of the test suite.
    let mut failed = || -> u64 {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        line["failed"].as_u64().unwrap()
    };
    assert_eq!(failed(), 0);
    fs::write(Path::new(&file), [CASES, WRONG].concat()).unwrap();
    assert_eq!(failed(), 1);
    // An unrelated file, followed by a new selector. If the unrelated file caused a run, there
    // would be one run too many.
    fs::write(folder.path().join("notes.txt"), "x").unwrap();
    let tenant = folder.path().join("40-tenant.wasm");
    fs::copy(selector("20-tenant.wasm"), tenant).unwrap();
    assert_eq!(failed(), 1);
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupt.success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
