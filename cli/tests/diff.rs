//! Tests `spanmux diff` and the GitHub Action that runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use support::{Output, root, spanmux_with_input};

fn diff(args: &[&str]) -> Output {
    spanmux_with_input(&[&["diff"], args].concat(), "")
}

fn selectors() -> String {
    root().join("selectors").display().to_string()
}

/// Creates a copy of the example selectors, with some files left out.
fn copy_without(left_out: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(root().join("selectors")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".wasm") && !left_out.contains(&name.as_str()) {
            fs::copy(&path, folder.path().join(name)).unwrap();
        }
    }
    folder
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn equal_directories_are_the_same() {
    let copy = copy_without(&[]);
    let output = diff(&[&selectors(), shown(copy.path())]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("No difference was found."));
    assert!(output.stdout.contains("Nothing was run"));
}

#[test]
fn removed_selector_is_reported_by_tracer_with_an_example() {
    let copy = copy_without(&["40-tier-region.wasm"]);
    let output = diff(&[&selectors(), shown(copy.path())]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    for line in [
        "40-tier-region removed, 4 the same.",
        "datadog → abstained",
        "  user.tier is \"free\"",
        "    e.g. {\"user.tier\":\"free\"}",
        "    e.g. {\"region\":\"eu\",\"user.tier\":\"enterprise\"}",
        "Not explored",
    ] {
        assert!(output.stdout.contains(line), "{line}\n{}", output.stdout);
    }
    // Another selector decides these traces now.
    assert!(
        output.stdout.contains("datadog → langfuse"),
        "{}",
        output.stdout
    );
}

#[test]
fn allowed_changes_exit_with_success() {
    let copy = copy_without(&["30-rollout.wasm"]);
    let copy = shown(copy.path());
    assert_eq!(
        diff(&[&selectors(), copy, "--allow", "candidate -> *"]).code,
        0
    );
    let output = diff(&[&selectors(), copy, "--allow", "candidate -> datadog"]);
    assert_eq!(output.code, 1);
    let output = diff(&[&selectors(), copy, "--allow", "candidate"]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.contains("langfuse -> candidate"),
        "{}",
        output.stderr
    );
}

#[test]
fn given_contexts_are_counted() {
    let copy = copy_without(&["20-tenant.wasm"]);
    let cases = root().join("selectors/cases.toml");
    let lines = root().join("selectors/contexts.jsonl");
    for file in [&cases, &lines] {
        let output = diff(&[
            &selectors(),
            shown(copy.path()),
            "--contexts",
            shown(file),
            "--format",
            "json",
        ]);
        assert_eq!(output.code, 1, "{}", output.stderr);
        let json: Value = serde_json::from_str(&output.stdout).unwrap();
        assert!(json["given"].as_u64().unwrap() > 5);
        let changes = json["changes"].as_array().unwrap();
        let given = |change: &Value| change["given"].as_array().unwrap().len();
        assert!(changes.iter().map(given).sum::<usize>() > 0, "{json}");
        assert_eq!(json["same"], false);
    }
}

#[test]
fn lock_file_stands_for_its_directory() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("live");
    fs::create_dir(&copy).unwrap();
    fs::copy(
        root().join("selectors/20-tenant.wasm"),
        copy.join("20-tenant.wasm"),
    )
    .unwrap();
    assert_eq!(spanmux_with_input(&["lock", shown(&copy)], "").code, 0);
    let lock = folder.path().join("live.lock");
    assert_eq!(diff(&[shown(&lock), shown(&copy)]).code, 0);
    // A file that the lock does not list is an error, and not a policy.
    fs::copy(
        root().join("selectors/30-rollout.wasm"),
        copy.join("30-rollout.wasm"),
    )
    .unwrap();
    let output = diff(&[shown(&lock), shown(&copy)]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.contains("could not be loaded"),
        "{}",
        output.stderr
    );
}

#[test]
fn unreadable_policy_is_an_error() {
    let output = diff(&[&selectors(), "no/such/place"]);
    assert_eq!(output.code, 2);
    let text = root().join("README.md");
    let output = diff(&[&selectors(), shown(&text)]);
    assert_eq!(output.code, 2);
    assert_eq!(diff(&[&selectors(), &selectors(), "--budget", "0"]).code, 2);
}

#[test]
fn every_format_names_the_change() {
    let old = root().join("selectors/50-environment.wasm");
    let new = root().join("selectors/20-tenant.wasm");
    let folder = tempfile::tempdir().unwrap();
    for (file, start) in [
        ("page.html", "<!doctype html>"),
        ("page.md", "## Trace routing"),
        ("page.json", "{"),
        ("page.txt", ""),
    ] {
        let path = folder.path().join(file);
        let output = diff(&[shown(&old), shown(&new), "--output", shown(&path)]);
        assert_eq!(output.code, 1, "{}", output.stderr);
        assert_eq!(output.stdout, "");
        let page = fs::read_to_string(&path).unwrap();
        assert!(page.starts_with(start), "{page}");
        assert!(
            page.contains("tenant-acme") && page.contains("abstained"),
            "{page}"
        );
    }
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    let loads = ["src=", "href=", "url(", "@import", "<script"];
    assert_eq!(loads.iter().find(|word| page.contains(*word)), None);
}

fn git(folder: &Path, args: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=test", "-c", "user.email=test@localhost"])
        .args(args)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {stderr}");
}

/// Runs the script of the action in a repository with a changed directory.
#[test]
fn action_reports_the_change_of_a_pull_request() {
    let folder = tempfile::tempdir().unwrap();
    let (root, repository) = (root().canonicalize().unwrap(), folder.path().join("shop"));
    fs::create_dir_all(repository.join("selectors")).unwrap();
    let live = repository.join("selectors/20-tenant.wasm");
    fs::copy(root.join("selectors/20-tenant.wasm"), &live).unwrap();
    git(&repository, &["init", "--quiet"]);
    git(&repository, &["add", "."]);
    git(&repository, &["commit", "--quiet", "-m", "Add selectors"]);

    let spanmux = Path::new(env!("CARGO_BIN_EXE_spanmux")).parent().unwrap();
    let path = format!("{}:{}", spanmux.display(), std::env::var("PATH").unwrap());
    let (output_file, summary) = (folder.path().join("output"), folder.path().join("summary"));
    let run = |base: &str, allow: &str| {
        let _ = fs::remove_file(&output_file);
        let _ = fs::remove_file(&summary);
        let output = Command::new("bash")
            .arg(root.join(".github/actions/diff/compare"))
            .current_dir(&repository)
            .env("PATH", &path)
            .env("SELECTORS", "selectors")
            .env("BASE", base)
            .env("ALLOW", allow)
            .env("GITHUB_OUTPUT", &output_file)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .output()
            .unwrap();
        let told = fs::read_to_string(&output_file).unwrap_or_default();
        (output.status.code().unwrap(), told, output)
    };
    let (code, told, output) = run("HEAD", "");
    assert_eq!(code, 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.starts_with("result=same\n"), "{told}");

    fs::copy(root.join("selectors/50-environment.wasm"), &live).unwrap();
    let (code, told, _) = run("HEAD", "");
    assert_eq!(code, 1);
    assert!(told.starts_with("result=different\n"), "{told}");
    let summary = fs::read_to_string(&summary).unwrap();
    assert!(summary.contains("`tenant-acme` → `abstained`"), "{summary}");
    assert!(summary.starts_with("## Trace routing: `"), "{summary}");
    assert!(!summary.contains("/old/"), "{summary}");

    let (code, told, _) = run("HEAD", "* -> *\n\n");
    assert_eq!(code, 0);
    assert!(told.starts_with("result=allowed\n"), "{told}");

    let (code, _, output) = run("--upload-pack=x", "");
    assert_eq!(code, 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("fetch-depth"));
}

#[test]
fn changed_allow_list_is_a_difference() {
    let copies = [copy_without(&[]), copy_without(&[])];
    let locks = copies.each_ref().map(|copy| {
        let lock = copy.path().with_added_extension("lock");
        let made = spanmux_with_input(&["lock", shown(copy.path())], "");
        assert_eq!(made.code, 0, "{}", made.stderr);
        lock
    });
    let equal = diff(&[shown(&locks[0]), shown(&locks[1])]);
    assert_eq!(equal.code, 0, "{}", equal.stdout);
    // The same digest with a list.
    let text = fs::read_to_string(&locks[1]).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("20-tenant"))
        .unwrap();
    let digest = line.split('"').nth(3).unwrap();
    let table = format!(
        "\n[selectors.\"20-tenant.wasm\"]\ndigest = \"{digest}\"\ntracers = [\"quarantine\"]\n"
    );
    fs::write(&locks[1], text.replace(line, "") + &table).unwrap();
    let changed = diff(&[shown(&locks[0]), shown(&locks[1])]);
    assert_eq!(changed.code, 1, "{}{}", changed.stdout, changed.stderr);
    let part = "20-tenant changed";
    assert!(changed.stdout.contains(part), "{}", changed.stdout);
    assert!(changed.stdout.contains("tenant-acme"), "{}", changed.stdout);
    for lock in locks {
        fs::remove_file(lock).unwrap();
    }
}
