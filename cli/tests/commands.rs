//! Tests the output and exit codes of the command.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use support::{Output, root, spanmux_with_input};

impl Output {
    fn lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

fn selectors() -> String {
    root().join("selectors").display().to_string()
}

fn spanmux(args: &[&str]) -> Output {
    spanmux_with_input(args, "")
}

/// Writes a component of the zoo to a file.
fn zoo(folder: &TempDir, name: &str) -> String {
    let text =
        fs::read_to_string(root().join("tests/zoo").join(name).with_extension("wat")).unwrap();
    file(
        folder,
        &format!("{name}.wasm"),
        &wat::parse_str(text).unwrap(),
    )
}

fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn demo_splits_no_trace_and_uses_every_selector() {
    let folder = folder();
    let out = folder.path().join("traces").display().to_string();
    let demo = spanmux(&["demo", "--selectors", &selectors(), "--out", &out, "--json"]);
    assert_eq!(demo.code, 0, "{}", demo.stderr);

    let summary = &demo.lines()[0];
    assert_eq!(summary["torn"], 0);
    assert_eq!(summary["traces"], 120);
    assert_eq!(summary["spans"]["started"], summary["spans"]["received"]);
    let tracers = summary["tracers"].as_array().unwrap();
    assert_eq!(tracers.len(), 9);
    for tracer in tracers {
        assert!(
            tracer["traces"].as_u64().unwrap() > 0,
            "{tracer} received no trace"
        );
    }
    let decided = summary["decided"].as_array().unwrap();
    for selector in [
        "10-health-checks",
        "20-tenant",
        "30-rollout",
        "40-tier-region",
        "50-environment",
    ] {
        let chose = |row: &&Value| row["selector"] == selector && row["why"] == "chosen";
        assert!(
            decided.iter().any(|row| chose(&row)),
            "{selector} chose no tracer"
        );
    }
    let failed = decided.iter().any(|row| {
        row["why"].as_str().unwrap().contains("failed") && row["to"]["quarantine"].is_u64()
    });
    assert!(failed, "a failed decision goes to the fallback tracer");

    let again = spanmux(&["demo", "--selectors", &selectors(), "--out", &out]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(
        again
            .stdout
            .contains("120 traces, 762 of 762 spans received, 0 split traces"),
        "{}",
        again.stdout
    );
    assert!(again.stdout.contains("\n└─ "), "a tree is shown");
    assert!(
        !again.stdout.contains('\u{1b}'),
        "no colour without a terminal"
    );
}

#[test]
fn list_prints_selectors_in_evaluation_order() {
    let list = spanmux(&["list", &selectors(), "--json"]);
    assert_eq!(list.code, 0, "{}", list.stderr);
    let names: Vec<String> = list
        .lines()
        .iter()
        .map(|line| line["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.is_sorted() && names.len() == 5, "{names:?}");
    assert!(
        spanmux(&["list", &selectors()])
            .stdout
            .contains("50-environment")
    );
}

#[test]
fn route_selects_tracer_for_context_arguments() {
    let entries = [
        "-c",
        "environment=production",
        "-c",
        r#"user:={"id":"u-1","tier":"pro"}"#,
    ];
    let route = spanmux(&[&["route", &selectors(), "--json"], &entries[..]].concat());
    assert_eq!(route.code, 0, "{}", route.stderr);
    assert_eq!(route.stderr, "");
    let line = &route.lines()[0];
    assert_eq!(line["tracer"], "langfuse");
    assert_eq!(line["selector"], "50-environment");
    assert_eq!(line["fallback"], Value::Null);
    assert!(line["fuel"].as_u64().unwrap() > 0);

    let table = spanmux(&[&["route", &selectors()], &entries[..]].concat());
    assert!(table.stdout.contains("langfuse") && table.stdout.contains("chosen"));
}

#[test]
fn route_selects_tracer_for_each_line_of_contexts() {
    let input = "{\"environment\":\"staging\"}\n\n{\"tenant\":\"acme\"}\n{}\n";
    let args = ["route", &selectors(), "--contexts", "-", "--json"];
    let route = spanmux_with_input(&args, input);
    assert_eq!(route.code, 0, "{}", route.stderr);
    let lines = route.lines();
    let answers: Vec<_> = lines
        .iter()
        .map(|line| (&line["tracer"], &line["fallback"]))
        .collect();
    assert_eq!(
        answers,
        [
            (&"datadog".into(), &Value::Null),
            (&"langfuse".into(), &"unknown_tracer".into()),
            (&"langfuse".into(), &"abstained".into()),
        ]
    );
}

#[test]
fn route_selects_fallback_tracer_when_decision_fails() {
    let route = spanmux(&[
        "route",
        &selectors(),
        "-c",
        "tenant=acme",
        "--tracers",
        "langfuse,safe",
        "--fallback",
        "safe",
        "--json",
    ]);
    assert_eq!(route.lines()[0]["tracer"], "safe");
}

#[test]
fn route_selects_default_when_selector_misbehaves() {
    let folder = folder();
    for (name, cause) in [
        ("loop", "out_of_budget"),
        ("recursion", "out_of_budget"),
        ("trap", "trapped"),
        ("name-empty", "unknown_tracer"),
        ("name-controls", "unknown_tracer"),
        ("name-case", "unknown_tracer"),
    ] {
        let route = spanmux(&["route", &zoo(&folder, name), "--json"]);
        assert_eq!(route.code, 0, "{name}: {}", route.stderr);
        let line = &route.lines()[0];
        assert_eq!(line["tracer"], "langfuse", "{name}");
        assert_eq!(line["fallback"], cause, "{name}");
        let table = spanmux(&["route", &zoo(&folder, name)]);
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!table.stdout.contains(control), "{name} moves the cursor");
    }
}

#[test]
fn check_prints_facts_and_cost() {
    let file = format!("{}/50-environment.wasm", selectors());
    let check = spanmux(&["check", &file]);
    assert_eq!(check.code, 0, "{}", check.stderr);
    for part in [
        "is a selector",
        "spanmux:selector/runtime-context@0.1.0",
        "abstains",
        "fuel",
    ] {
        assert!(check.stdout.contains(part), "{part}: {}", check.stdout);
    }
    assert_eq!(
        spanmux(&["check", &file, "--json"]).lines()[0]["selector"],
        true
    );
}

/// For each invalid file, `check` prints the problem and the remedy and exits with 1.
#[test]
fn check_prints_problem_and_remedy_when_file_is_not_a_selector() {
    let folder = folder();
    let whole = fs::read(format!("{}/50-environment.wasm", selectors())).unwrap();
    let rows = [
        (
            file(&folder, "text.wasm", b"not wasm"),
            "not WebAssembly",
            "spanmux build",
        ),
        (
            file(&folder, "empty.wasm", b""),
            "not WebAssembly",
            "spanmux build",
        ),
        (
            file(&folder, "core.wasm", b"\0asm\x01\0\0\0"),
            "core module",
            "component new",
        ),
        (
            file(&folder, "cut.wasm", &whole[..whole.len() / 2]),
            "truncated",
            "copy it again",
        ),
        (
            zoo(&folder, "other-world"),
            "does not export",
            "world `selector`",
        ),
        (
            zoo(&folder, "imports-sockets"),
            "wasi:sockets",
            "remove what needs it",
        ),
        (zoo(&folder, "start-traps"), "does not start", "start-up"),
        // Out of fuel, or out of time on a very busy machine.
        (zoo(&folder, "start-loops"), "ran out of", "start-up"),
        (zoo(&folder, "memory-declared"), "bytes of memory", "raise"),
    ];
    for (path, thing, remedy) in rows {
        let check = spanmux(&["check", &path]);
        assert_eq!(check.code, 1, "{path}: {}{}", check.stdout, check.stderr);
        assert!(
            check.stdout.contains("is not a selector"),
            "{path}: {}",
            check.stdout
        );
        for part in [thing, remedy] {
            assert!(
                check.stdout.contains(part),
                "{path}: no \"{part}\" in {}",
                check.stdout
            );
        }
        let json = spanmux(&["check", &path, "--json"]);
        assert_eq!(
            (json.code, &json.lines()[0]["selector"]),
            (1, &Value::Bool(false))
        );
    }
    // A selector that exceeds a limit for the empty context is valid but defective.
    assert_eq!(spanmux(&["check", &zoo(&folder, "loop")]).code, 1);
}

#[test]
fn invalid_file_keeps_its_position_and_is_reported() {
    let folder = folder();
    let live = format!("{}/50-environment.wasm", selectors());
    fs::copy(live, folder.path().join("50-environment.wasm")).unwrap();
    file(&folder, "20-tenant.wasm", b"half a file");
    file(&folder, ".hidden.wasm", b"ignored");
    fs::create_dir(folder.path().join("sources.wasm")).unwrap();
    // Opening a pipe would block until it has a writer.
    let pipe = folder.path().join("30-pipe.wasm");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(spanmux(&["check", &pipe.display().to_string()]).code, 2);
    let directory = folder.path().display().to_string();

    let route = spanmux(&[
        "route",
        &directory,
        "-c",
        "environment=production",
        "--json",
    ]);
    assert_eq!(route.code, 1, "a file was not loaded");
    assert!(
        route
            .stderr
            .contains("20-tenant.wasm: the file is not WebAssembly"),
        "{}",
        route.stderr
    );
    let line = &route.lines()[0];
    assert_eq!(
        (&line["selector"], &line["fallback"]),
        (&"20-tenant".into(), &"unavailable".into())
    );

    let list = spanmux(&["list", &directory]);
    assert_eq!(list.code, 1);
    assert!(
        list.stdout.contains("unavailable") && list.stdout.contains("live"),
        "{}",
        list.stdout
    );
    assert!(
        ["hidden", "sources", "pipe"]
            .iter()
            .all(|name| !list.stdout.contains(name)),
        "{}",
        list.stdout
    );
}

/// Each command prints the message on standard error and nothing on standard output.
#[test]
fn command_exits_with_2_when_it_cannot_run() {
    let folder = folder();
    let empty = folder.path().display().to_string();
    let million = {
        let keys: Vec<String> = (0..1_000_000).map(|key| format!("\"k{key}\":1")).collect();
        format!("{{{}}}", keys.join(","))
    };
    let many = {
        let keys: Vec<String> = (0..20_000).map(|key| format!("\"k{key}\":1")).collect();
        format!("{{{}}}", keys.join(","))
    };
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let good = selectors();
    let rows: [(&[&str], &str, &[&str]); 19] = [
        (&["list", &empty], "", &["no *.wasm file", "spanmux build"]),
        (&["demo", "--selectors", &empty], "", &["no *.wasm file"]),
        (
            &["list", "/nowhere/selectors"],
            "",
            &["/nowhere/selectors does not exist", "create it"],
        ),
        (
            &["demo", "--selectors", "/nowhere"],
            "",
            &["/nowhere does not exist"],
        ),
        (
            &["route", "/nowhere.wasm"],
            "",
            &["/nowhere.wasm cannot be read", "caused by"],
        ),
        (
            &["check", &good],
            "",
            &["cannot be read", "not a regular file"],
        ),
        (
            &["check", "/nowhere.wasm"],
            "",
            &["/nowhere.wasm cannot be read"],
        ),
        (
            &["route", &good, "--tracers", "a,b,a"],
            "",
            &["\"a\" is registered already"],
        ),
        (&["route", &good, "--tracers", "a,"], "", &["name is empty"]),
        (
            &["route", &good, "--fallback", "nope"],
            "",
            &["no tracer is named \"nope\"", "langfuse, datadog, console"],
        ),
        (
            &["route", &good, "-c", "environment"],
            "",
            &["invalid context entry `environment`", "KEY=TEXT"],
        ),
        (
            &["route", &good, "-c", "user:={"],
            "",
            &["the value of `user` is not valid JSON"],
        ),
        (
            &["route", &good, "--contexts", "-"],
            "",
            &["contains no contexts"],
        ),
        (
            &["route", &good, "--contexts", "-"],
            "{}\n[1]\n",
            &["line 2", "found an array"],
        ),
        (
            &["route", &good, "--contexts", "-"],
            &million,
            &["line 1", "more than 1048576 bytes"],
        ),
        (
            &["route", &good, "--contexts", "-"],
            &many,
            &["line 1", "more than 16384 keys"],
        ),
        (
            &["route", &good, "--contexts", "-"],
            &deep,
            &["line 1", "nested deeper than 32"],
        ),
        (&["build", &empty], "", &["Cargo.toml"]),
        (
            &["build", &empty, &empty, "--output", "x.wasm"],
            "",
            &["--output names one file"],
        ),
    ];
    for (args, input, parts) in rows {
        let output = spanmux_with_input(args, input);
        assert_eq!(
            output.code, 2,
            "{args:?}: {}{}",
            output.stdout, output.stderr
        );
        assert_eq!(output.stdout, "", "{args:?}");
        for part in parts {
            assert!(
                output.stderr.contains(part),
                "{args:?}: no \"{part}\" in {}",
                output.stderr
            );
        }
        assert!(
            !output.stderr.contains("panicked"),
            "{args:?}: {}",
            output.stderr
        );
    }
}

#[test]
fn help_has_examples_and_unknown_command_has_suggestion() {
    for command in ["demo", "route", "check", "list", "new", "build", "test"] {
        let help = spanmux(&[command, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.stdout.contains("Usage: spanmux"), "{}", help.stdout);
    }
    assert!(spanmux(&["--help"]).stdout.contains("Examples:"));
    let wrong = spanmux(&["rout"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("'route'"), "{}", wrong.stderr);
}

#[test]
fn compile_cache_is_used_by_the_next_run() {
    let folder = folder();
    let cache = folder.path().join("cache").display().to_string();
    let file = format!("{}/50-environment.wasm", selectors());
    let check = |extra: &[&str]| {
        let checked = spanmux(&[&["check", &file, "--json"], extra].concat());
        assert_eq!(checked.code, 0, "{}", checked.stderr);
        assert_eq!(checked.stderr, "");
        checked.lines()[0]["cached"].as_bool().unwrap()
    };
    assert!(!check(&["--cache-dir", &cache]));
    assert!(check(&["--cache-dir", &cache]));
    assert!(!check(&["--no-cache"]));

    let checked = spanmux(&["check", &file, "--cache-dir", &cache]);
    assert!(
        checked.stdout.contains("to load from the cache"),
        "{}",
        checked.stdout
    );
}

#[test]
fn cache_dir_prints_warning_when_unusable() {
    let file = format!("{}/50-environment.wasm", selectors());
    let checked = spanmux(&["check", &file, "--cache-dir", "/dev/null"]);
    assert_eq!(checked.code, 0);
    assert!(checked.stderr.contains("/dev/null"), "{}", checked.stderr);
    assert!(
        checked.stderr.contains("choose a directory"),
        "{}",
        checked.stderr
    );

    let both = spanmux(&["list", "--no-cache", "--cache-dir", "x"]);
    assert_eq!(both.code, 2);
    let inside = spanmux(&["list", &selectors(), "--cache-dir", &selectors()]);
    assert_eq!(inside.code, 2);
    assert!(inside.stderr.contains("elsewhere"), "{}", inside.stderr);
    let made = root().join("selectors/compiled-selectors-1");
    fs::remove_dir_all(made).unwrap();
}

#[test]
fn traces_prints_trees_from_files_and_standard_input() {
    let folder = folder();
    let out = folder.path().join("traces");
    let out = out.display().to_string();
    let demo = spanmux(&[
        "demo",
        "--selectors",
        &selectors(),
        "--out",
        &out,
        "--runs",
        "30",
    ]);
    assert_eq!(demo.code, 0, "{}", demo.stderr);
    assert!(
        demo.stdout.contains("└─ invoke_agent shop-assistant"),
        "{}",
        demo.stdout
    );

    let langfuse = format!("{out}/langfuse.jsonl");
    let whole = spanmux(&["traces", &langfuse, "--limit", "1"]);
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    assert!(
        whole.stdout.contains("│ spanmux.tracer = langfuse"),
        "{}",
        whole.stdout
    );
    let outline = spanmux(&["traces", &langfuse, "--outline"]);
    assert!(!outline.stdout.contains('='), "{}", outline.stdout);
    let traces = outline
        .stdout
        .lines()
        .filter(|line| line.contains("  trace "))
        .count();
    assert!(traces > 1, "{}", outline.stdout);

    let lines = fs::read_to_string(&langfuse).unwrap();
    let piped = spanmux_with_input(&["traces", "-", "--outline"], &lines);
    assert_eq!(piped.stdout, outline.stdout);

    let empty = file(&folder, "empty.jsonl", b"\n");
    let none = spanmux(&["traces", &empty]);
    assert_eq!((none.code, none.stderr.trim()), (1, "no traces found"));
    let broken = file(&folder, "broken.jsonl", format!("{lines}{{\n").as_bytes());
    let broken = spanmux(&["traces", &broken]);
    assert_eq!(broken.code, 0);
    assert_eq!(broken.stdout, spanmux(&["traces", &langfuse]).stdout);
    let message = format!("line {} is incomplete", lines.lines().count() + 1);
    assert!(broken.stderr.contains(&message), "{}", broken.stderr);
}
