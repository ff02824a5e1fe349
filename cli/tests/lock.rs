//! Tests `spanmux lock`, and lock files in other commands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::PathBuf;

use support::{Output, root, spanmux_with_input};
use tempfile::TempDir;

fn spanmux(args: &[&str]) -> Output {
    spanmux_with_input(args, "")
}

/// A folder with two of the example selectors in `live/`.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("live")).unwrap();
        for name in ["20-tenant.wasm", "50-environment.wasm"] {
            place.copy(name, name);
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Copies one of the example selectors to another name.
    fn copy(&self, from: &str, to: &str) {
        fs::copy(
            root().join("selectors").join(from),
            self.path("live").join(to),
        )
        .unwrap();
    }

    fn lock(&self, more: &[&str]) -> Output {
        spanmux(&[&["lock", &self.text("live")], more].concat())
    }
}

#[test]
fn lock_writes_file_next_to_directory_and_verifies_it() {
    let place = Place::new();
    let written = place.lock(&[]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    assert!(written.stdout.ends_with("live.lock: 2 selectors\n"));
    let text = fs::read_to_string(place.path("live.lock")).unwrap();
    assert_eq!(text.matches("\" = \"sha256:").count(), 2, "{text}");
    let checked = place.lock(&["--check"]);
    assert_eq!((checked.code, checked.stdout.as_str()), (0, ""));
}

/// A change of the directory, and the output of `--check`.
type Change = (fn(&Place), &'static str);

const CHANGES: [Change; 3] = [
    (
        |place| place.copy("10-health-checks.wasm", "10-health-checks.wasm"),
        "added 10-health-checks\n",
    ),
    (
        |place| place.copy("40-tier-region.wasm", "50-environment.wasm"),
        "changed 50-environment\n",
    ),
    (
        |place| fs::remove_file(place.path("live/20-tenant.wasm")).unwrap(),
        "missing 20-tenant\n",
    ),
];

/// Removes the digests, which change when the committed selectors are rebuilt.
fn without_digests(line: &str) -> String {
    match line.split_once(" (").zip(line.split_once(')')) {
        Some(((before, _), (_, after))) => format!("{before}{after}"),
        None => line.to_owned(),
    }
}

#[test]
fn check_prints_differences_from_lock_file() {
    for (change, said) in CHANGES {
        let place = Place::new();
        let lock = place.text("other.lock");
        assert_eq!(place.lock(&["--out", &lock]).code, 0);
        let before = fs::read(&lock).unwrap();
        change(&place);
        let checked = place.lock(&["--out", &lock, "--check"]);
        assert_eq!(without_digests(&checked.stdout), said);
        assert_eq!(checked.code, 1, "{said}");
        assert_eq!(fs::read(&lock).unwrap(), before, "nothing is written");
    }
}

#[test]
fn lock_writes_nothing_when_a_selector_does_not_load() {
    let place = Place::new();
    fs::write(place.path("live/30-broken.wasm"), "no selector").unwrap();
    let written = place.lock(&[]);
    assert_eq!(written.code, 1);
    assert!(written.stderr.contains("30-broken"), "{}", written.stderr);
    assert!(written.stderr.contains("was not written"));
    assert!(!place.path("live.lock").exists());
}

#[test]
fn lock_fails_when_lock_file_is_in_the_directory() {
    let place = Place::new();
    let inside = place.text("live/selectors.lock");
    let written = place.lock(&["--out", &inside]);
    assert_eq!(written.code, 2);
    assert!(written.stderr.contains("elsewhere"), "{}", written.stderr);
    assert!(!place.path("live/selectors.lock").exists());
}

#[test]
fn other_commands_verify_the_lock_file() {
    let place = Place::new();
    let (live, lock) = (place.text("live"), place.text("live.lock"));
    assert_eq!(place.lock(&[]).code, 0);
    let tenant = [
        "-c",
        "tenant=acme",
        "--tracers",
        "langfuse,tenant-acme",
        "--json",
    ];
    let route = |lock: &[&str]| spanmux(&[&["route", &live], &tenant[..], lock].concat());
    assert!(
        route(&["--lock", &lock])
            .stdout
            .contains("\"tracer\":\"tenant-acme\"")
    );

    place.copy("10-health-checks.wasm", "20-tenant.wasm");
    let held = route(&["--lock", &lock]);
    assert!(
        held.stdout.contains("\"fallback\":\"unavailable\""),
        "{}",
        held.stdout
    );
    assert_eq!((held.code, route(&[]).code), (1, 0));
    for command in ["list", "explain"] {
        let held = spanmux(&[command, &live, "--lock", &lock]);
        assert_eq!(held.code, 1);
        assert!(held.stderr.contains("spanmux lock"), "{}", held.stderr);
        assert!(!held.stdout.contains("span.name"), "{}", held.stdout);
    }
    let watched = spanmux(&["watch", &live, "--lock", &lock, "--for", "0"]);
    assert!(
        watched
            .stdout
            .contains("20-tenant  refused  its digest is sha256:")
    );
    assert_eq!(watched.code, 1);

    let file = spanmux(&["route", &place.text("live/20-tenant.wasm"), "--lock", &lock]);
    assert_eq!(file.code, 2);
    assert!(
        file.stderr.contains("pass the directory"),
        "{}",
        file.stderr
    );
}

/// The path of the lock file is relative to the configuration.
#[test]
fn config_check_verifies_the_lock_file() {
    let place = Place::new();
    let config = place.text("spanmux.toml");
    let text = "service = 'shop'\n[selectors]\ndirectory = 'live'\nlock = 'live.lock'\n\
                [tracers.console]\nexporter.type = 'console'\n";
    fs::write(&config, text).unwrap();
    let check = || spanmux(&["config", "check", &config]);
    let before = check();
    assert_eq!(before.code, 2);
    assert!(
        before.stderr.contains("failed to read the lock file"),
        "{}",
        before.stderr
    );

    assert_eq!(place.lock(&[]).code, 0);
    assert_eq!(check().code, 0);
    place.copy("10-health-checks.wasm", "20-tenant.wasm");
    let after = check();
    assert_eq!(after.code, 1);
    assert!(after.stderr.contains("its digest is"), "{}", after.stderr);
    assert!(after.stdout.contains("unavailable"), "{}", after.stdout);
}
