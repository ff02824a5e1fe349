//! Loading a directory with a lock file: unlisted files are not read, and listed files are never
//! skipped.

use std::fs;
use std::path::PathBuf;

use spanmux::{
    AllowedTracers, Cause, DirectoryError, Fallback, LoadError, LoadReport, LockError,
    RuntimeContext, SelectorHost, SelectorsDirectory, SelectorsLock, TracerRegistry,
};
use spanmux_tests::{guest, host_within, limits};
use tempfile::TempDir;

/// A directory, a lock file beside it, and a host.
struct Place {
    folder: TempDir,
    host: SelectorHost,
}

impl Place {
    /// Creates a directory with `10-a.wasm` and `20-b.wasm`, both listed.
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            host: host_within(limits()),
        };
        fs::create_dir(place.file("")).unwrap();
        for name in ["10-a.wasm", "20-b.wasm"] {
            fs::write(place.file(name), guest("console")).unwrap();
        }
        let report = place.directory().load().unwrap();
        SelectorsLock::of(&report).write(place.lock()).unwrap();
        place
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("live").join(name)
    }

    fn lock(&self) -> PathBuf {
        self.folder.path().join("selectors.lock")
    }

    fn directory(&self) -> SelectorsDirectory {
        SelectorsDirectory::new(self.file(""), self.host.clone())
    }

    fn load(&self) -> LoadReport {
        self.directory().with_lock(self.lock()).load().unwrap()
    }
}

/// Summarises a report: each file with its outcome.
fn outcomes(report: &LoadReport) -> Vec<String> {
    let outcome = |error: &LoadError| match error {
        LoadError::DigestMismatch { wanted: None, .. } => "not listed",
        LoadError::DigestMismatch { .. } => "another digest",
        LoadError::Missing { .. } => "missing",
        _ => "broken",
    };
    let files = report.files().iter();
    files
        .map(|file| {
            let state = file.outcome.as_ref().err().map_or("live", outcome);
            format!("{} {state}", file.name())
        })
        .collect()
}

type Row = (&'static str, fn(&Place), [&'static str; 2]);

const ROWS: [Row; 5] = [
    ("nothing", |_| {}, ["10-a live", "20-b live"]),
    (
        "one is another, and no selector at all",
        |place| fs::write(place.file("10-a.wasm"), b"no selector").unwrap(),
        ["10-a another digest", "20-b live"],
    ),
    (
        "one is a single byte longer",
        |place| {
            fs::write(
                place.file("10-a.wasm"),
                [guest("console"), vec![0]].concat(),
            )
            .unwrap()
        },
        ["10-a another digest", "20-b live"],
    ),
    (
        "one is removed",
        |place| fs::remove_file(place.file("10-a.wasm")).unwrap(),
        ["10-a missing", "20-b live"],
    ),
    (
        "one is renamed to stand last",
        |place| {
            fs::rename(place.file("10-a.wasm"), place.file("90-a.wasm")).unwrap();
            fs::remove_file(place.file("20-b.wasm")).unwrap();
        },
        ["10-a missing", "20-b missing"],
    ),
];

#[test]
fn only_listed_files_are_live() {
    for (what, act, expected) in ROWS {
        let place = Place::new();
        act(&place);
        let found = outcomes(&place.load());
        assert_eq!(found[..2], expected, "{what}");
        assert_eq!(
            found.get(2).map(String::as_str),
            (what.contains("last")).then_some("90-a not listed")
        );
    }
}

/// Files that would be refused for another reason after parsing are refused for their digest, and
/// nothing is compiled.
#[test]
fn unlisted_file_is_not_parsed_or_compiled() {
    let place = Place::new();
    let host = host_within(limits());
    let good = guest("asker");
    for bytes in [
        &b"no selector"[..],
        b"\0asm\x01\0\0\0",
        b"\0asm\x0d\0\x01\0\xff",
        &good,
    ] {
        fs::write(place.file("10-a.wasm"), bytes).unwrap();
        fs::write(place.file("20-b.wasm"), bytes).unwrap();
        let directory = SelectorsDirectory::new(place.file(""), host.clone());
        let report = directory.with_lock(place.lock()).load().unwrap();
        assert_eq!(
            outcomes(&report),
            ["10-a another digest", "20-b another digest"]
        );
        assert_eq!(host.compile_status().compiled, 0);
    }
}

#[test]
fn rejected_file_keeps_its_position() {
    let place = Place::new();
    fs::remove_file(place.file("10-a.wasm")).unwrap();
    let registry = TracerRegistry::new();
    registry.register("langfuse", ()).unwrap();
    registry.set_selectors(place.load().chain());
    let context = RuntimeContext::builder().build();
    let selection = registry.select(&context.view());
    let Some(Fallback::Unavailable(reason)) = selection.fallback() else {
        panic!("{selection:?}");
    };
    assert!(reason.contains("is not there; put it back"), "{reason}");
}

/// Invalid lock files with the expected error.
const LOCKS: [(&str, &str); 10] = [
    ("", "missing field `version`"),
    ("version = 1\n", "missing field `selectors`"),
    ("version = 2\n[selectors]\n", "unsupported version 2"),
    (
        "version = 1\n[selectors]\n[other]\n",
        "unknown field `other`",
    ),
    (
        "version = 1\n[selectors]\n'10-a.wasm' = 'sha256:00'\n",
        "invalid digest",
    ),
    (
        "version = 1\n[selectors]\n'10-a.wasm' = 'DIGEST'\n'10-a.wasm' = 'DIGEST'\n",
        "duplicate key",
    ),
    (
        "version = 1\n[selectors]\n'../10-a.wasm' = 'DIGEST'\n",
        "is not a selector file name",
    ),
    (
        "version = 1\n[selectors]\n'/10-a.wasm' = 'DIGEST'\n",
        "is not a selector file name",
    ),
    (
        "version = 1\n[selectors]\n'.10-a.wasm' = 'DIGEST'\n",
        "is not a selector file name",
    ),
    (
        "version = 1\n[selectors]\n'10-a.txt' = 'DIGEST'\n",
        "is not a selector file name",
    ),
];

/// Returns the message of an invalid lock file.
fn invalid(place: &Place) -> String {
    let loaded = place.directory().with_lock(place.lock()).load();
    let error = loaded.unwrap_err();
    assert!(matches!(
        error,
        DirectoryError::Lock(LockError::Invalid { .. })
    ));
    error.to_string()
}

#[test]
fn invalid_lock_file_fails_the_start() {
    let place = Place::new();
    let digest = format!("sha256:{}", "0".repeat(64));
    for (text, said) in LOCKS {
        fs::write(place.lock(), text.replace("DIGEST", &digest)).unwrap();
        let error = invalid(&place);
        assert!(error.contains(said), "{text}: {error}");
        assert!(error.contains("spanmux lock"), "{error}");
    }
    fs::remove_file(place.lock()).unwrap();
    let error = place
        .directory()
        .with_lock(place.lock())
        .load()
        .unwrap_err();
    assert!(matches!(
        error,
        DirectoryError::Lock(LockError::Read { .. })
    ));
}

#[test]
fn lock_file_round_trips() {
    let place = Place::new();
    let strange = "30 \"ä\".\u{1f600}.wasm";
    fs::write(place.file(strange), guest("console")).unwrap();
    let lock = SelectorsLock::of(&place.directory().load().unwrap());
    lock.write(place.lock()).unwrap();
    let read = SelectorsLock::from_file(place.lock()).unwrap();
    assert_eq!(read, lock);
    assert_eq!(read.entries().count(), 3);
    assert_eq!(read.digest(strange).unwrap().len(), 64);
    let text = fs::read_to_string(place.lock()).unwrap();
    assert_eq!(
        text.lines().filter(|line| line.contains("sha256:")).count(),
        3
    );
    // No temporary file remains.
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 2);
}

#[test]
fn missing_listed_file_counts_as_a_selector() {
    let place = Place::new();
    let host = host_within(limits().selectors(1));
    fs::remove_file(place.file("10-a.wasm")).unwrap();
    let directory = SelectorsDirectory::new(place.file(""), host).with_lock(place.lock());
    let error = directory.load().unwrap_err();
    assert!(
        matches!(error, DirectoryError::TooMany { found: 2, .. }),
        "{error}"
    );
}

/// A lock file inside the directory is refused whatever its path, because anyone who can add
/// selectors could replace it.
#[cfg(unix)]
#[test]
fn lock_file_inside_the_directory_is_refused() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    let at = |path: &str| place.folder.path().join(path);
    fs::create_dir(at("live/sub")).unwrap();
    fs::create_dir(at("conf")).unwrap();
    for path in [
        "live/selectors.lock",
        "live/sub/selectors.lock",
        "conf/selectors.lock",
    ] {
        fs::copy(place.lock(), at(path)).unwrap();
    }
    // A link to a lock file inside, a link whose target path leads through the directory, and a
    // loop.
    symlink(at("live/selectors.lock"), at("link.lock")).unwrap();
    symlink(at("conf"), at("live/conf")).unwrap();
    symlink(at("live/conf"), at("through")).unwrap();
    symlink(at("loop.lock"), at("loop.lock")).unwrap();
    for path in [
        "live/selectors.lock",
        "live/sub/selectors.lock",
        "live/not-there.lock",
        "live/../selectors.lock",
        "link.lock",
        "live/conf/selectors.lock",
        "through/selectors.lock",
        "loop.lock",
    ] {
        let held = place.directory().with_lock(at(path));
        assert!(
            matches!(held.check_lock(), Err(DirectoryError::HoldsLock { .. })),
            "{path}"
        );
        assert!(
            matches!(held.load(), Err(DirectoryError::HoldsLock { .. })),
            "{path}"
        );
        let watched = held.watch(|_| {});
        assert!(
            matches!(watched, Err(DirectoryError::HoldsLock { .. })),
            "{path}"
        );
    }
    for path in [
        "selectors.lock",
        "conf/selectors.lock",
        "conf/../selectors.lock",
    ] {
        let held = place.directory().with_lock(at(path));
        assert!(held.check_lock().is_ok() && held.load().is_ok(), "{path}");
    }
}

#[test]
fn lock_file_contains_the_tracers_that_a_selector_may_choose() {
    let place = Place::new();
    let console = AllowedTracers::new(["con*", "quarantine"]).unwrap();
    let report = place
        .directory()
        .with_allowed_tracers("10-a", &console)
        .load();
    let lock = SelectorsLock::of(&report.unwrap());
    lock.write(place.lock()).unwrap();
    let read = SelectorsLock::from_file(place.lock()).unwrap();
    assert_eq!(read, lock);
    assert_eq!(read.allowed_tracers("10-a.wasm"), Some(&console));
    assert_eq!(read.allowed_tracers("20-b.wasm"), None);
    assert_eq!(read.entries().count(), 2);
    let text = fs::read_to_string(place.lock()).unwrap();
    assert!(
        text.contains("tracers = [\"con*\", \"quarantine\"]"),
        "{text}"
    );
    // A lock that is made from a locked directory keeps the lists.
    assert_eq!(SelectorsLock::of(&place.load()), lock);
}

/// The list of the directory, that of the lock file, and the outcome for a selector that chooses
/// `console`.
#[test]
fn lists_of_directory_and_lock_file_both_apply() {
    let list = |pattern: &&str| AllowedTracers::new([*pattern]).unwrap();
    for (configured, locked, cause) in [
        (None, None, None),
        (Some("console"), None, None),
        (None, Some("console"), None),
        (Some("con*"), Some("*sole"), None),
        (Some("langfuse"), None, Some(Cause::ForbiddenTracer)),
        (None, Some("langfuse"), Some(Cause::ForbiddenTracer)),
        (
            Some("console"),
            Some("langfuse"),
            Some(Cause::ForbiddenTracer),
        ),
        (
            Some("langfuse"),
            Some("console"),
            Some(Cause::ForbiddenTracer),
        ),
    ] {
        let place = Place::new();
        let mut lock = SelectorsLock::from_file(place.lock()).unwrap();
        if let Some(locked) = &locked {
            lock = lock.with_allowed_tracers("10-a.wasm", &list(locked));
        }
        lock.write(place.lock()).unwrap();
        let mut directory = place.directory().with_lock(place.lock());
        if let Some(configured) = &configured {
            directory = directory.with_allowed_tracers("10-a", &list(configured));
        }
        let report = directory.load().unwrap();
        // A lock of what a locked directory loaded is not wider than that lock.
        let again = SelectorsLock::of(&report);
        let approved = locked.or(configured).map(|pattern| list(&pattern));
        assert_eq!(again.allowed_tracers("10-a.wasm"), approved.as_ref());
        let lists = report.files()[0].allowed_tracers().count();
        assert_eq!(
            lists,
            usize::from(configured.is_some()) + usize::from(locked.is_some())
        );
        let registry = TracerRegistry::new();
        for name in ["langfuse", "console"] {
            registry.register(name, ()).unwrap();
        }
        registry.set_selectors(report.chain());
        // Fresh, from the selector's cache, and from the chain's.
        for _ in 0..600 {
            let selection = registry.select(&RuntimeContext::empty().view());
            assert_eq!(
                selection.reason().cause(),
                cause,
                "{configured:?} {locked:?}"
            );
            assert_eq!(selection.selector_name(), Some("10-a"));
            if let Some(fallback) = selection.fallback() {
                let expected = "the selector \"10-a\" may not choose the tracer \"console\"";
                assert_eq!(fallback.to_string(), expected);
                assert_eq!(selection.tracer_name(), Some("langfuse"));
            }
        }
    }
}

#[test]
fn invalid_list_of_a_lock_file_names_the_remedy() {
    let place = Place::new();
    let digest = "0".repeat(64);
    for (entry, said) in [
        (
            "tracers = []",
            "`tracers` of \"10-a.wasm\": the list is empty",
        ),
        (
            "tracers = ['a?']",
            "the pattern \"a?\" contains '?'; the only wildcard is `*`",
        ),
        (
            "tracer = ['a']",
            "expected a digest, or a table with `digest` and `tracers`",
        ),
    ] {
        let text =
            format!("version = 1\n[selectors.'10-a.wasm']\ndigest = 'sha256:{digest}'\n{entry}\n");
        fs::write(place.lock(), text).unwrap();
        let error = invalid(&place);
        assert!(
            error.contains(said) && error.contains("spanmux lock"),
            "{error}"
        );
    }
}
