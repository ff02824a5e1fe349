//! Tests `spanmux watch`, which prints one line for each change.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Compiles a file in `tests/guests/` or `tests/zoo/` to a component.
fn component(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    wat::parse_file(root.join(path).with_extension("wat")).unwrap()
}

#[test]
fn watch_prints_initial_state_and_each_change() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("10-a.wasm");
    fs::write(&file, component("guests/console")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_spanmux"))
        .args(["--no-cache", "watch", "--json", "--for", "120"])
        .args(["--until-changes", "2"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };

    let live = next();
    assert_eq!(
        (&live["file"], &live["what"]),
        (&"10-a".into(), &"live".into())
    );
    assert_eq!(live["digest"].as_str().unwrap().len(), 64);

    let aside = folder.path().join("aside");
    fs::write(&aside, b"no selector").unwrap();
    fs::rename(&aside, &file).unwrap();
    let refused = next();
    assert_eq!(refused["what"], "refused");
    assert!(
        refused["reason"]
            .as_str()
            .unwrap()
            .contains("not WebAssembly")
    );

    fs::write(&aside, component("zoo/trap")).unwrap();
    fs::rename(&aside, &file).unwrap();
    let again = next();
    assert_eq!(again["what"], "live");
    assert_ne!(again["digest"], live["digest"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
