//! Output that cannot be written, and hostile text in the output.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    dead_code,
    reason = "the module `support` has more than this file uses"
)]

mod support;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;
use support::{root, spanmux_with_input};
use tempfile::TempDir;

/// A folder with inputs for all commands.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("live")).unwrap();
        for name in ["20-tenant", "50-environment"] {
            let file = format!("{name}.wasm");
            let to = place.path("live").join(&file);
            fs::copy(root().join("selectors").join(&file), to).unwrap();
        }
        place.write(
            "spanmux.toml",
            "service = 's'\nselectors.directory = 'live'\ntracers.a.exporter.type = 'discard'",
        );
        place.write("contexts.jsonl", "{\"tenant\": \"acme\"}\n");
        place.write(
            "traces.jsonl",
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"chat"}]}]}]}"#,
        );
        place.write(
            "cases.toml",
            "tracers = ['langfuse']\n[[case]]\nname = 'one'\n\
             context = { environment = 'production' }\ntracer = 'langfuse'\n",
        );
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spanmux"));
        command
            .args([
                "--cache-dir",
                concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"),
            ])
            .args(args)
            .current_dir(self.0.path())
            .env_remove("RUST_BACKTRACE");
        command
    }
}

/// At least one form of each command that prints to standard output. `build` needs a toolchain
/// and prints with the same printer.
const COMMANDS: [&[&str]; 24] = [
    &["--help"],
    &["--version"],
    &["help", "route"],
    &["demo", "--selectors", "live", "--runs", "2"],
    &["demo", "--selectors", "live", "--runs", "2", "--json"],
    &["route", "live", "-c", "tenant=acme"],
    &["route", "live", "-c", "tenant=acme", "--json"],
    &["route", "live", "-c", "tenant=acme", "--explain"],
    &["explain", "live"],
    &["explain", "live/20-tenant.wasm", "--format", "svg"],
    &["diff", "live", "live"],
    &["diff", "live", "live", "--format", "json"],
    &["check", "live/20-tenant.wasm"],
    &["check", "live/20-tenant.wasm", "--json"],
    &["list", "live"],
    &["list", "live", "--json"],
    &["lock", "live"],
    &["watch", "live", "--until-changes", "0"],
    &["new", "--lang", "rust", "fresh"],
    &["test", "cases.toml", "live"],
    &["traces", "traces.jsonl"],
    &["init", "other.toml"],
    &["config", "check"],
    &["config", "schema"],
];

#[test]
fn table_contains_every_command() {
    let help = spanmux_with_input(&["--help"], "").stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let names = list
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<&str> = names
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 12, "{names:?}");
    for name in names.into_iter().filter(|name| *name != "build") {
        assert!(COMMANDS.iter().any(|args| args[0] == name), "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_an_error_of_each_command() {
    let place = Place::new();
    for args in COMMANDS {
        let output = place
            .command(args)
            .stdout(File::options().write(true).open("/dev/full").unwrap())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(
            stderr.contains("cannot write to standard output"),
            "{args:?}: {stderr}"
        );
        // Reset the commands that refuse existing files.
        let _ = fs::remove_file(place.path("other.toml"));
    }
}

#[test]
fn closed_pipe_is_not_an_error() {
    let place = Place::new();
    for args in COMMANDS {
        let mut command = place.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {stderr}");
        assert!(!stderr.contains("error"), "{args:?}: {stderr}");
        let _ = fs::remove_file(place.path("other.toml"));
    }
}

/// Texts that move the cursor, change the writing direction, are invisible, or are not valid XML.
const HOSTILE: [&str; 10] = [
    "\u{1b}[2J\u{1b}]0;x\u{7}",
    "\u{9b}2J",
    "a\rb\tc\u{8}\u{7f}",
    "line\nerror: a second line",
    "\u{202e}evil\u{2066}x\u{2069}",
    "\u{200e}\u{200f}\u{61c}",
    "\u{200b}\u{feff}\u{ad}",
    "\u{2028}\u{2029}\u{85}",
    "\u{fffe}\u{ffff}\u{1fffe}",
    "\u{e0041}\u{e000}",
];

fn is_hostile(c: char) -> bool {
    let invisible = [
        '\u{ad}',
        '\u{61c}',
        '\u{feff}',
        '\u{fffe}',
        '\u{ffff}',
        '\u{1fffe}',
        '\u{e000}',
        '\u{e0041}',
    ];
    (c.is_control() && c != '\n')
        || invisible.contains(&c)
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

#[test]
fn hostile_text_does_not_control_the_terminal() {
    let place = Place::new();
    for hostile in HOSTILE {
        let text = json!(hostile);
        place.write(
            "contexts.jsonl",
            &format!("{{\"tenant\": {text}, {text}: 1}}\n"),
        );
        let span = json!({"resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": hostile}}]},
            "scopeSpans": [{"spans": [{
                "name": hostile,
                "status": {"code": 2, "message": hostile},
                "attributes": [{"key": hostile, "value": {"kvlistValue": {"values": [
                    {"key": hostile, "value": {"stringValue": hostile}},
                ]}}}],
                "events": [{"name": hostile}],
            }]}],
        }]});
        place.write("traces.jsonl", &format!("{span}\n{hostile}\n{{\"{hostile}"));
        // Strings in TOML and JSON have the same escapes for these characters.
        let escaped: String = hostile
            .chars()
            .map(|c| format!("\\U{:08x}", u32::from(c)))
            .collect();
        place.write(
            "hostile.toml",
            &format!(
                "service = \"{escaped}\"\ndefault = \"{escaped}\"\nselectors.directory = 'live'\n\
                 [tracers.\"{escaped}\".exporter]\ntype = 'file'\npath = \"missing/{escaped}\""
            ),
        );
        place.write(
            "wrong.toml",
            &format!("\"{escaped}\" = 1\ndefault = \"{escaped}\""),
        );
        place.write(
            "cases.toml",
            &format!(
                "tracers = ['langfuse', \"{escaped}\"]\n[[case]]\nname = \"{escaped}\"\n\
                 context = {{ tenant = \"{escaped}\" }}\ntracer = \"{escaped}\"\n"
            ),
        );
        let entry = format!("tenant={hostile}");
        let missing = format!("missing{hostile}");
        let commands: [&[&str]; 17] = [
            &["route", "live", "-c", &entry],
            &["route", "live", "-c", &entry, "--explain"],
            &["route", "live", "-c", &entry, "--json"],
            &["route", "live", "-c", &missing],
            &["route", "live", "-c", &entry, "--tracers", hostile],
            &["route", "live", "--contexts", "contexts.jsonl", "--explain"],
            &["route", "--config", "hostile.toml", "-c", &entry],
            &["route", &missing],
            &["explain", "live", "--contexts", "contexts.jsonl"],
            &[
                "explain",
                "live",
                "--contexts",
                "contexts.jsonl",
                "--format",
                "json",
            ],
            &["check", &missing],
            &["list", &missing],
            &["config", "check", "hostile.toml"],
            &["config", "check", "wrong.toml"],
            &["config", "check", "wrong.toml", "--json"],
            &["traces", "traces.jsonl"],
            &["test", "cases.toml", "live", "--junit", "junit.xml"],
        ];
        for args in commands {
            let output = place.command(args).output().unwrap();
            for text in [output.stdout, output.stderr] {
                let text = String::from_utf8(text).unwrap();
                assert!(!text.contains(is_hostile), "{args:?}:\n{text:?}");
                let forged = text.lines().any(|line| line == "error: a second line");
                assert!(!forged || args[0] != "route", "{args:?}:\n{text}");
            }
        }
        let junit = fs::read_to_string(place.path("junit.xml")).unwrap();
        assert!(!junit.contains(is_hostile), "{junit:?}");
        fs::remove_file(place.path("junit.xml")).unwrap();
    }
}

#[test]
fn byte_order_mark_in_inputs_is_ignored() {
    let place = Place::new();
    for name in [
        "contexts.jsonl",
        "cases.toml",
        "spanmux.toml",
        "traces.jsonl",
    ] {
        let text = fs::read_to_string(place.path(name)).unwrap();
        place.write(name, &format!("\u{feff}{text}"));
    }
    let commands: [&[&str]; 5] = [
        &["route", "live", "--contexts", "contexts.jsonl"],
        &["explain", "live", "--contexts", "contexts.jsonl"],
        &["test", "cases.toml", "live"],
        &["config", "check"],
        &["traces", "traces.jsonl"],
    ];
    for args in commands {
        let output = place.command(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {stderr}");
    }
}
