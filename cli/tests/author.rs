//! Tests the commands for selector authors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use support::{Output, spanmux_with_input};

fn spanmux(args: &[&str]) -> Output {
    spanmux_with_input(args, "")
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A core module that always chooses langfuse.
const LANGFUSE: &str = r#"
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "spanmux:selector/selection@0.1.0#select") (param i32 i32) (result i32)
    (i32.const 0))
  (data (i32.const 0) "\00\00\00\00\01\00\00\00\20\00\00\00\08\00\00\00")
  (data (i32.const 32) "langfuse"))"#;

/// Creates a project with this build in its `selector.toml`, and the module in `langfuse.wasm`.
fn project(build: &str) -> TempDir {
    let folder = folder();
    let about = "[selector]\nname = \"always\"\nlanguage = \"Text\"\n";
    fs::write(folder.path().join("selector.toml"), [about, build].concat()).unwrap();
    let module = wat::parse_str(LANGFUSE).unwrap();
    fs::write(folder.path().join("langfuse.wasm"), module).unwrap();
    folder
}

#[test]
fn new_creates_complete_project_named_after_its_folder() {
    let folder = folder();
    let project = folder.path().join("by-tier");
    let made = spanmux(&["new", "--lang", "rust", &text(&project)]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert_eq!(
        made.stdout,
        format!(
            "created {0}, a selector in Rust\n  cd {0}\n  spanmux build\n  spanmux test\n",
            project.display()
        )
    );
    let manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"by-tier\""), "{manifest}");
    // The project uses the kit of this checkout.
    let kit = support::root()
        .join("guest-sdk/rust")
        .canonicalize()
        .unwrap();
    assert!(manifest.contains(&text(&kit)), "{manifest}");
    for file in ["src/lib.rs", "cases.toml", "README.md", ".gitignore"] {
        assert!(project.join(file).is_file(), "{file}");
    }
    let list = spanmux(&["new", "--list"]);
    assert_eq!(list.code, 0, "{}", list.stderr);
    assert!(list.stdout.contains("rust"), "{}", list.stdout);
}

#[test]
fn new_prints_reason_when_it_fails() {
    let folder = folder();
    let there = text(folder.path());
    let wrong = text(&folder.path().join("By_Tier"));
    let new = text(&folder.path().join("by-tier"));
    let list = spanmux(&["new", "--list"]).stdout;
    assert!(list.contains("rust"));
    for (args, message) in [
        (
            ["new", "--lang", "rust", &there],
            format!(
                "error: invalid selector name `{0}`; use lowercase letters, digits and hyphens, \
                 starting with a letter, as in `by-environment` (the number for the position in \
                 the chain is part of the deployed file name only: 50-by-environment.wasm)\n",
                folder.path().file_name().unwrap().display()
            ),
        ),
        (
            ["new", "--lang", "rust", &wrong],
            "error: invalid selector name `By_Tier`; use lowercase letters, digits and hyphens, \
             starting with a letter, as in `by-environment` (the number for the position in the \
             chain is part of the deployed file name only: 50-by-environment.wasm)\n"
                .to_owned(),
        ),
        (
            ["new", "--lang", "rast", &new],
            format!(
                "error: no template for the language `rast`; did you mean `rust`?\n\n\
                 Available: {}. Any other language that compiles to components can implement \
                 wit/selector.wit.\n",
                languages().join(", ")
            ),
        ),
    ] {
        let refused = spanmux(&args);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{args:?}");
        assert_eq!(refused.stderr, message, "{args:?}");
    }
    assert!(!folder.path().join("by-tier").exists());

    fs::create_dir(&new).unwrap();
    let again = spanmux(&["new", "--lang", "rust", &new]);
    assert_eq!(again.code, 2);
    assert_eq!(
        again.stderr,
        format!("error: {new} already exists; choose another name, or remove the folder\n")
    );
}

/// The text format needs no tool, so the complete workflow of an author runs on any machine.
#[test]
fn new_project_builds_passes_its_cases_and_routes() {
    let folder = folder();
    let project = folder.path().join("by-environment");
    let made = spanmux(&["new", "--lang", "wat", &text(&project)]);
    assert_eq!((made.code, made.stderr.as_str()), (0, ""));
    let built = spanmux(&["build", &text(&project)]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let tested = spanmux(&["test", &text(&project.join("cases.toml"))]);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    assert!(
        tested.stdout.contains("5 passed, 0 failed"),
        "{}",
        tested.stdout
    );
    assert!(
        tested
            .stdout
            .contains("cases reach 3 of 3 discovered branches"),
        "{}",
        tested.stdout
    );
    let live = text(&project.join("by-environment.wasm"));
    let routed = spanmux(&["route", &live, "-c", "environment=development", "--json"]);
    assert!(
        routed.stdout.contains("\"tracer\":\"console\""),
        "{}",
        routed.stdout
    );
}

/// Returns the folders of the templates in the repository.
fn languages() -> Vec<String> {
    let entries = fs::read_dir(support::root().join("templates")).unwrap();
    let folders = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("selector.toml").is_file());
    let names = folders.map(|folder| folder.file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}

#[test]
fn build_steps_write_a_selector_that_routes() {
    let project = project(
        "[[tool]]\nrun = [\"cp\", \"--version\"]\ninstall = \"-\"\n\
         [build]\nmodule = \"build/out.wasm\"\noutput = \"live/50-always.wasm\"\n\
         steps = [[\"mkdir\", \"live\"], [\"cp\", \"langfuse.wasm\", \"build/out.wasm\"]]\n",
    );
    let built = spanmux(&["build", &text(project.path())]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let live = project.path().join("live");
    let file = live.join("50-always.wasm");
    let bytes = fs::metadata(&file).unwrap().len() as f64 / 1000.0;
    assert_eq!(
        built.stdout,
        format!("always: {} ({bytes:.1} kB)\n", file.display())
    );
    let routed = spanmux(&["route", &text(&live), "--json"]);
    assert_eq!(routed.code, 0, "{}", routed.stderr);
    assert!(
        routed.stdout.contains("\"tracer\":\"langfuse\""),
        "{}",
        routed.stdout
    );
    assert!(
        routed.stdout.contains("\"selector\":\"50-always\""),
        "{}",
        routed.stdout
    );
}

#[test]
fn build_prints_reason_and_remedy_when_it_fails() {
    let module = "module = \"build/out.wasm\"\n";
    for (build, args, message) in [
        (
            "[[tool]]\nrun = [\"no-such-compiler\", \"--version\"]\ninstall = \"apt-get install x\"\n\
             [[tool]]\nrun = [\"bin/own\"]\ninstall = \"npm ci\"\n"
                .to_owned(),
            &[][..],
            "a selector in Text requires `no-such-compiler` and `bin/own`, which cannot be run \
             here. Install the missing tools:\n\n    apt-get install x\n    npm ci\n",
        ),
        (
            format!("[build]\n{module}steps = [[\"false\", \"x\"]]\n"),
            &[],
            "`false x` failed (exit status: 1); see its messages above\n",
        ),
        (
            format!("[build]\n{module}steps = [[\"no-such-compiler\"]]\n"),
            &[],
            "cannot run `no-such-compiler`\n  caused by: No such file or directory (os error 2)\n",
        ),
        (
            format!("[build]\n{module}steps = []\n"),
            &[],
            "the build steps did not write FOLDER/build/out.wasm, the `module` in selector.toml\n  \
             caused by: No such file or directory (os error 2)\n",
        ),
        (
            "[build]\nmodule = \"selector.toml\"\nsteps = []\n".to_owned(),
            &[],
            "FOLDER/selector.toml is neither binary nor text WebAssembly\n  caused by: expected \
             `(`\n     --> FOLDER/selector.toml:1:1\n      |\n    1 | [selector]\n      | ^\n",
        ),
        (
            "[build]\nmodule = \"build/other.wat\"\nsteps = [[\"sh\", \"-c\", \"echo '(module)' > \
             build/other.wat\"]]\n"
                .to_owned(),
            &[],
            "`always` was built, but is not a selector\n  caused by: it has no export \
             `spanmux:selector/selection@…`; export the interface `selection` of \
             wit/selector.wit (in Rust: `spanmux_guest::export!(select)` at the top of the \
             crate)\n",
        ),
        (
            "[build]\nmodule = \"langfuse.wasm\"\nsteps = []\n".to_owned(),
            &["--target", "wasm32-wasip2"],
            "--target and cargo arguments apply to Rust crates only; this project is in Text and \
             its selector.toml defines the build\n",
        ),
    ] {
        let project = project(&build);
        let path = text(project.path());
        let refused = spanmux(&[&["build", &path], args].concat());
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{build}");
        let (_, error) = refused.stderr.split_once("error: ").unwrap();
        let said = error.replace(&path, "FOLDER");
        let whole = format!("failed to build FOLDER\n  caused by: {message}");
        assert_eq!(said, whole, "{build}");
    }
}

fn selector(name: &str) -> String {
    text(&support::root().join("selectors").join(name))
}

#[test]
fn check_prints_the_cost_of_each_case() {
    let folder = folder();
    let cases = folder.path().join("cases.toml");
    let case = "tracers = [\"langfuse\", \"datadog\", \"console\"]\n[[case]]\nname = \"staging\"\n\
                cause = \"abstained\"\n\
                context = { environment = \"staging\" }\n";
    fs::write(&cases, case).unwrap();
    let cache = text(&folder.path().join("cache"));
    let args = [
        "check",
        &selector("50-environment.wasm"),
        "--cases",
        &text(&cases),
    ];
    let cached = ["--cache-dir", &cache];
    let checked = spanmux(&[&args[..], &cached, &["--json"]].concat());
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    let found: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(found["contract"], "0.1.0");
    assert_eq!(found["memory_bytes"], 65536);
    assert_eq!(found["memory_grows"], true);
    assert_eq!(found["cached"], false);
    assert!(found["from_cache_ms"].is_f64(), "{found}");
    assert_eq!(found["empty_context"]["cached"], true);
    let case = &found["cases"][0];
    assert_eq!(case["name"], "staging");
    assert_eq!(case["answer"], "chooses datadog");
    // The case needs more calls to the host than the empty context.
    assert!(case["fuel"].as_u64() > found["empty_context"]["fuel"].as_u64());

    let shown = spanmux(&[&args[..], &cached].concat()).stdout;
    for part in [
        "to load from the cache",
        "64 KiB initially, may grow up to the limit",
        "yes: ",
        "on this machine",
    ] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    let trapping = folder.path().join("traps.wasm");
    let wat = fs::read_to_string(support::root().join("tests/zoo/trap.wat")).unwrap();
    fs::write(&trapping, wat::parse_str(wat).unwrap()).unwrap();
    let refused = spanmux(&["check", &text(&trapping)]);
    assert_eq!(refused.code, 1, "a trap for the empty context is a defect");
}

#[test]
fn transcript_shows_questions_and_the_reason_why_the_chain_ended() {
    let selectors = selector("");
    let route = |args: &[&str]| {
        let routed = spanmux(&[&["route", &selectors, "--explain"], args].concat());
        assert_eq!((routed.code, routed.stderr.as_str()), (0, ""));
        routed.stdout
    };
    let health = "  10-health-checks\n    asked span.name? absent\n    abstains\n";
    assert_eq!(
        route(&["-c", "tenant=acme", "--tracers", "langfuse,tenant-acme"]),
        format!(
            "\ntenant=acme\n{health}  20-tenant\n    asked has tenant? yes\n    \
             asked tenant? \"acme\"\n    chooses tenant-acme\n  \
             not asked: 30-rollout, 40-tier-region, 50-environment\n  \
             → tenant-acme: 20-tenant is the first selector that chose a tracer\n"
        )
    );
    assert_eq!(
        route(&["-c", "tenant=", "--fallback", "console"]),
        format!(
            "\ntenant=\n{health}  20-tenant\n    asked has tenant? yes\n    \
             asked tenant? \"\"\n    the selector failed: `tenant` is empty\n  \
             not asked: 30-rollout, 40-tier-region, 50-environment\n  \
             → console: 20-tenant ended the chain with a failure: the selector failed: `tenant` \
             is empty\n"
        )
    );
    let all = route(&[]);
    assert!(
        all.ends_with("→ langfuse: the default tracer, because every selector abstained\n"),
        "{all}"
    );
    let json: Value = serde_json::from_str(&route(&["-c", "tenant=acme", "--json"])).unwrap();
    let asked = &json["asked"][1];
    assert_eq!(asked["selector"], "20-tenant");
    assert_eq!(asked["questions"][1]["question"], "tenant");
    assert_eq!(asked["questions"][1]["answer"], "\"acme\"");
    assert_eq!(asked["answer"], "no tracer is named \"tenant-acme\"");
}
