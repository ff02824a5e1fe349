//! Commands that only look create, change and send nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    dead_code,
    reason = "the module `support` has more than this file uses"
)]

mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use support::root;
use tempfile::TempDir;

/// Relative to the folder of [`Place`].
const COMMANDS: [&[&str]; 19] = [
    &["config", "check"],
    &["config", "check", "--json"],
    &["config", "check", "-vv"],
    &["config", "check", "wrong.toml"],
    &["config", "schema"],
    &["route", "live", "-c", "tenant=acme"],
    &["route", "live", "-c", "tenant=acme", "--explain"],
    &["route", "live", "-c", "tenant=acme", "--json"],
    &["route", "--config", "spanmux.toml", "-c", "tenant=acme"],
    &[
        "route",
        "--config",
        "spanmux.toml",
        "--contexts",
        "contexts.jsonl",
    ],
    &["explain", "live"],
    &[
        "explain",
        "live/20-tenant.wasm",
        "--contexts",
        "contexts.jsonl",
    ],
    &["explain", "live/20-tenant.wasm", "--format", "svg"],
    &["check", "live/20-tenant.wasm"],
    &["list", "live"],
    &["list", "live", "--json"],
    &["lock", "live", "--check"],
    &["traces", "traces.jsonl"],
    &["--help"],
];

/// A folder with a selector, traces, and a configuration whose exporters have disk buffers with
/// files and send to a listener.
struct Place {
    folder: TempDir,
    listener: TcpListener,
}

impl Place {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            listener,
        };
        for folder in ["live", "home", "http", "grpc"] {
            fs::create_dir(place.path(folder)).unwrap();
        }
        for number in 0..50 {
            place.write(&format!("http/{number:020}.spill"), "not a request");
            place.write(&format!("grpc/{number:020}.spill"), "not a request");
        }
        place.write("http/00000000000000000051.unfinished", "half");
        fs::copy(
            root().join("selectors/20-tenant.wasm"),
            place.path("live/20-tenant.wasm"),
        )
        .unwrap();
        let port = place.listener.local_addr().unwrap().port();
        let config = format!(
            "service = 'shop'
             selectors.directory = 'live'
             selectors.cache = 'compiled'
             [tracers.http.exporter]
             type = 'otlp'
             endpoint = 'http://127.0.0.1:{port}'
             spill.directory = 'http'
             [tracers.grpc.exporter]
             type = 'otlp'
             protocol = 'grpc'
             endpoint = 'http://127.0.0.1:{port}'
             spill.directory = 'grpc'
             [tracers.new.exporter]
             type = 'otlp'
             endpoint = 'http://127.0.0.1:{port}'
             spill.directory = 'a/new/folder'
             [tracers.file.exporter]
             type = 'file'
             path = 'new.jsonl'
             [tracers.old.exporter]
             type = 'file'
             path = 'traces.jsonl'
             [tracers.own]
             type = 'provided'
            "
        );
        place.write("spanmux.toml", &config);
        place.write(
            "wrong.toml",
            &config.replace("new.jsonl", "missing/new.jsonl"),
        );
        place.write("contexts.jsonl", "{\"tenant\": \"acme\"}\n");
        let span = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"chat"}]}]}]}"#;
        place.write("traces.jsonl", span);
        assert_eq!(place.run(&["lock", "live", "--no-cache"]), 0);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs a command in the folder, with a home folder in it, and returns the exit code.
    fn run(&self, args: &[&str]) -> i32 {
        let output = Command::new(env!("CARGO_BIN_EXE_spanmux"))
            .args(args)
            .current_dir(self.folder.path())
            .env("HOME", self.path("home"))
            .env("XDG_CACHE_HOME", self.path("home/cache"))
            .output()
            .unwrap();
        output.status.code().unwrap()
    }

    /// Returns each path with its time of change and its bytes.
    fn tree(&self) -> BTreeMap<PathBuf, (SystemTime, Option<Vec<u8>>)> {
        let mut tree = BTreeMap::new();
        add(self.folder.path(), &mut tree);
        tree
    }

    /// Runs each command and compares the folder and the listener before and after.
    fn look(&self) {
        for args in COMMANDS {
            let before = self.tree();
            let code = self.run(args);
            let expected = i32::from(args.contains(&"wrong.toml"));
            assert_eq!(code, expected, "{args:?}");
            assert!(self.tree() == before, "{args:?} changed a file");
            let connection = self.listener.accept();
            assert!(connection.is_err(), "{args:?} connected to the backend");
        }
    }
}

fn add(path: &Path, tree: &mut BTreeMap<PathBuf, (SystemTime, Option<Vec<u8>>)>) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let bytes = metadata.is_file().then(|| fs::read(path).unwrap());
    tree.insert(path.to_owned(), (metadata.modified().unwrap(), bytes));
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            add(&entry.unwrap().path(), tree);
        }
    }
}

#[test]
fn looking_changes_and_sends_nothing() {
    Place::new().look();
}

#[test]
fn looking_works_while_a_service_uses_the_disk_buffers() {
    let place = Place::new();
    let locks = ["http/lock", "grpc/lock"].map(|name| File::create(place.path(name)).unwrap());
    for lock in &locks {
        lock.lock().unwrap();
    }
    place.look();
}

/// A command that changes something uses the cache in the user's folder.
#[test]
fn watching_fills_the_default_cache() {
    let place = Place::new();
    assert_eq!(place.run(&["watch", "live", "--until-changes", "0"]), 0);
    assert!(place.path("home/cache").exists() || cfg!(not(target_os = "linux")));
}
