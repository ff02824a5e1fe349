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

const RESTRICTS: &str = "service = 'shop'
tracers.a.exporter.type = 'discard'
[selectors]
directory = 'live'
[selectors.'20-tenant.wasm']
tracers = ['tenant-*', 'quarantine']
";

#[test]
fn lock_contains_the_lists_of_a_configuration_and_keeps_them() {
    let place = Place::new();
    fs::write(place.path("spanmux.toml"), RESTRICTS).unwrap();
    let config = place.text("spanmux.toml");
    assert_eq!(place.lock(&[]).code, 0);
    let differs = place.lock(&["--check", "--config", &config]);
    let expected = "restricted 20-tenant (any to tenant-*, quarantine)\n";
    assert_eq!((differs.code, differs.stdout.as_str()), (1, expected));
    assert_eq!(place.lock(&["--config", &config]).code, 0);
    for more in [&["--check", "--config", &config][..], &["--check"], &[]] {
        let same = place.lock(more);
        assert_eq!(same.code, 0, "{}", same.stdout);
    }
    // Written again without the configuration.
    let text = fs::read_to_string(place.path("live.lock")).unwrap();
    assert!(
        text.contains("tracers = [\"tenant-*\", \"quarantine\"]"),
        "{text}"
    );

    let lock = place.text("live.lock");
    let listed = spanmux(&["list", &place.text("live"), "--lock", &lock]);
    assert!(
        listed.stdout.contains("tenant-*, quarantine"),
        "{}",
        listed.stdout
    );
    let route = |tracers: &str| {
        let context = [
            "--lock",
            &lock,
            "--tracers",
            tracers,
            "--context",
            "tenant=acme",
        ];
        spanmux(&[&["route", &place.text("live"), "--json"], &context[..]].concat()).stdout
    };
    assert!(route("console,tenant-acme").contains("\"tenant-acme\""));
    let only = fs::read_to_string(place.path("live.lock")).unwrap();
    fs::write(
        place.path("live.lock"),
        only.replace("tenant-*", "tenant-x*"),
    )
    .unwrap();
    assert!(route("console,tenant-acme").contains("forbidden_tracer"));
}

#[test]
fn list_for_a_file_that_is_not_in_the_directory_is_an_error() {
    let place = Place::new();
    let text = RESTRICTS.replace("20-tenant.wasm", "20-tenants.wasm");
    fs::write(place.path("spanmux.toml"), text).unwrap();
    let output = place.lock(&["--config", &place.text("spanmux.toml")]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.contains("restricts \"20-tenants.wasm\""),
        "{}",
        output.stderr
    );
    assert!(!place.path("live.lock").exists());
    // A lock file that was written without it does not have the list.
    assert_eq!(place.lock(&[]).code, 0);
    let differs = place.lock(&["--check", "--config", &place.text("spanmux.toml")]);
    let expected = "restricted but not listed 20-tenants.wasm\n";
    assert_eq!((differs.code, differs.stdout.as_str()), (1, expected));
}

#[test]
fn lock_file_whose_lists_cannot_be_read_is_not_replaced() {
    let place = Place::new();
    fs::write(place.path("spanmux.toml"), RESTRICTS).unwrap();
    let config = place.text("spanmux.toml");
    assert_eq!(place.lock(&["--config", &config]).code, 0);
    let broken = fs::read_to_string(place.path("live.lock")).unwrap();
    let broken = broken.replace("tenant-*", "tenant-?");
    fs::write(place.path("live.lock"), &broken).unwrap();
    let output = place.lock(&[]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.contains("allow-lists cannot be kept"),
        "{}",
        output.stderr
    );
    let after = fs::read_to_string(place.path("live.lock")).unwrap();
    assert_eq!(after, broken);
    assert_eq!(place.lock(&["--config", &config]).code, 0);
}

#[test]
fn config_check_shows_the_tracers_that_a_selector_may_choose() {
    let place = Place::new();
    fs::write(place.path("spanmux.toml"), RESTRICTS).unwrap();
    let checked = spanmux(&["config", "check", &place.text("spanmux.toml")]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    for part in ["may choose", "tenant-*, quarantine", "any"] {
        assert!(checked.stdout.contains(part), "{part}: {}", checked.stdout);
    }
    assert!(
        checked.stderr.contains("no tracer of this file matches"),
        "{}",
        checked.stderr
    );
    let json = spanmux(&["config", "check", "--json", &place.text("spanmux.toml")]).stdout;
    assert!(
        json.contains("\"tracers\":[[\"tenant-*\",\"quarantine\"]]"),
        "{json}"
    );
}

#[test]
fn check_fails_for_a_tracer_that_is_not_allowed() {
    let place = Place::new();
    let file = place.text("live/20-tenant.wasm");
    let cases = place.path("cases.toml");
    let case = "[[case]]\nname = 'acme'\ncontext = { tenant = 'acme' }\ntracer = 'tenant-acme'\n";
    fs::write(
        &cases,
        format!("tracers = ['console', 'tenant-acme']\n{case}"),
    )
    .unwrap();
    let cases = cases.display().to_string();
    let check = |allow: &str| spanmux(&["check", &file, "--cases", &cases, "--allow", allow]);
    let kept = check("tenant-*");
    assert_eq!(kept.code, 0, "{}", kept.stdout);
    assert!(
        kept.stdout.contains("may choose    tenant-*"),
        "{}",
        kept.stdout
    );
    let refused = check("quarantine,console");
    assert_eq!(refused.code, 1);
    let reason = "may not choose the tracer \"tenant-acme\"";
    assert!(refused.stdout.contains(reason), "{}", refused.stdout);
}
