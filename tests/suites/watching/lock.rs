//! A watched directory with a lock file: a file is live when the directory and the lock file agree,
//! whichever of them changes first.

use std::fs;
use std::path::{Path, PathBuf};

use spanmux::{AllowedTracers, Origin, SelectorsDirectory, SelectorsLock, WatchStatus};
use spanmux_tests::{host_within, limits};

use crate::service::{Service, active, answers, quick, refused};

/// Starts a service with these files, and a lock file that lists them.
fn held(files: &[(&str, &[u8])]) -> Service {
    Service::start_as(quick(), files, |directory, folder| {
        fs::write(lock_in(folder), text_for(files)).unwrap();
        directory.with_lock(lock_in(folder))
    })
}

fn lock_in(folder: &Path) -> PathBuf {
    folder.join("selectors.lock")
}

/// Returns the text of a lock file that lists these files.
fn text_for(files: &[(&str, &[u8])]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let directory = SelectorsDirectory::new(folder.path(), host_within(limits()));
    SelectorsLock::of(&directory.load().unwrap()).to_string()
}

/// Replaces the lock file with one that lists only these files.
fn list(service: &Service, files: &[(&str, &[u8])]) {
    let aside = service.folder.path().join("lock-aside");
    fs::write(&aside, text_for(files)).unwrap();
    fs::rename(aside, lock_in(service.folder.path())).unwrap();
}

fn first() -> Vec<u8> {
    answers("console", 0)
}

fn second() -> Vec<u8> {
    answers("datadog", 1)
}

/// A change of a directory whose lock file lists `10-a.wasm`, the condition to wait for, and the
/// tracer that is then selected. `None` means that decisions fail.
type Row = (
    &'static str,
    fn(&Service),
    fn(&WatchStatus) -> bool,
    Option<&'static str>,
);

const ROWS: [Row; 9] = [
    (
        "another digest comes, and the last good one stays",
        |service| service.move_in("10-a.wasm", &second()),
        |status| status.refusals == 1 && active(status, "10-a").is_some(),
        Some("console"),
    ),
    (
        "a name that is not listed holds its place",
        |service| service.move_in("05-b.wasm", &second()),
        |status| status.refusals == 1,
        None,
    ),
    (
        "the file first and the lock then",
        |service| {
            service.move_in("10-a.wasm", &second());
            service.until(|status| status.refusals == 1);
            assert_eq!(service.tracer(), "console");
            list(service, &[("10-a.wasm", &second())]);
        },
        |status| status.loads == 2,
        Some("datadog"),
    ),
    (
        "the lock first and the file then",
        |service| {
            list(service, &[("10-a.wasm", &second())]);
            service.until(|status| active(status, "10-a").is_none());
            assert!(service.fallback());
            service.move_in("10-a.wasm", &second());
        },
        |status| status.loads == 2,
        Some("datadog"),
    ),
    (
        "the file and the lock in one moment",
        |service| {
            service.move_in("10-a.wasm", &second());
            list(service, &[("10-a.wasm", &second())]);
        },
        |status| status.loads == 2,
        Some("datadog"),
    ),
    (
        "it is listed no longer",
        |service| list(service, &[]),
        |status| active(status, "10-a").is_none(),
        None,
    ),
    (
        "it is listed no longer, and then again",
        |service| {
            list(service, &[]);
            service.until(|status| active(status, "10-a").is_none());
            list(service, &[("10-a.wasm", &first())]);
        },
        |status| active(status, "10-a").is_some() && status.files[0].refused.is_none(),
        Some("console"),
    ),
    (
        "its file is removed while it is listed",
        |service| fs::remove_file(service.file("10-a.wasm")).unwrap(),
        |status| status.refusals == 1,
        Some("console"),
    ),
    (
        "its file is removed, and it is listed no longer",
        |service| {
            fs::remove_file(service.file("10-a.wasm")).unwrap();
            list(service, &[]);
        },
        |status| status.files.is_empty(),
        Some("langfuse"),
    ),
];

#[test]
fn changes_of_the_directory_and_its_lock_file_are_applied() {
    for (what, act, wanted, tracer) in ROWS {
        let service = held(&[("10-a.wasm", &first())]);
        assert_eq!(service.tracer(), "console", "{what}");
        act(&service);
        service.until(wanted);
        assert_eq!(service.chosen(), tracer.map(str::to_owned), "{what}");
    }
}

#[test]
fn digest_mismatch_is_reported_once_with_the_remedy() {
    let service = held(&[("10-a.wasm", &first())]);
    let listed = active(&service.watched.status(), "10-a").unwrap();
    service.move_in("10-a.wasm", b"no selector");
    let status = service.until(|status| status.refusals == 1);
    let reason = refused(status.file("10-a").unwrap());
    for word in [&listed[..], "sha256:", "selectors.lock", "spanmux lock"] {
        assert!(reason.contains(word), "{word}: {reason}");
    }
    // Another lock file with the same digest for this file.
    list(
        &service,
        &[("10-a.wasm", &first()), ("20-b.wasm", &second())],
    );
    let status = service.until(|status| status.files.len() == 2);
    assert_eq!(status.file("10-a").unwrap().refusals, 1);
}

/// An unlisted file that repeatedly replaces the live one is never used in a selection.
#[test]
fn unlisted_replacements_never_decide() {
    let service = held(&[("10-a.wasm", &first())]);
    for version in 1..100 {
        service.move_in("10-a.wasm", &answers("datadog", version));
        assert_eq!(service.tracer(), "console");
        if version % 10 == 0 {
            service.looks(2);
        }
    }
    let status = service.until(|status| status.refusals > 0);
    assert_eq!((status.loads, status.chains), (1, 1), "{status:?}");
    assert_eq!(service.host.compile_status().compiled, 1);
}

#[test]
fn unreadable_lock_file_changes_nothing() {
    let service = held(&[("10-a.wasm", &first())]);
    let lock = lock_in(service.folder.path());
    let good = fs::read(&lock).unwrap();
    let breaks: [(&str, &dyn Fn()); 3] = [
        ("invalid lock file", &|| {
            fs::write(&lock, "version = 2\n").unwrap()
        }),
        ("invalid lock file", &|| fs::write(&lock, "").unwrap()),
        ("failed to read the lock file", &|| {
            fs::remove_file(&lock).unwrap()
        }),
    ];
    for (said, breaks) in breaks {
        breaks();
        let status = service.until(|status| status.trouble.is_some());
        let reason = status.trouble.unwrap().reason;
        assert!(reason.contains(said), "{reason}");
        service.move_in("10-a.wasm", &second());
        service.looks(5);
        assert_eq!(service.tracer(), "console");
        service.move_in("10-a.wasm", &first());
        fs::write(&lock, &good).unwrap();
        service.until(|status| status.trouble.is_none());
    }
    assert_eq!(service.tracer(), "console");
    assert_eq!(service.registry.chains_set(), 1);
}

/// Starts a service whose directory then holds too many files, so that it cannot be read as a whole.
/// Anyone who can write to it can do that.
fn unreadable() -> Service {
    let service = held(&[("10-a.wasm", &first())]);
    for number in 0..9 {
        fs::write(service.file(&format!("9{number}.wasm")), b"").unwrap();
    }
    service.until(|status| status.trouble.is_some());
    assert_eq!(service.tracer(), "console");
    service
}

#[test]
fn removed_entry_is_dropped_when_the_directory_is_unreadable() {
    let service = unreadable();
    list(&service, &[]);
    service.until(|status| active(status, "10-a").is_none());
    assert!(service.chosen().is_none() && service.watched.status().trouble.is_some());
}

/// A lock file that is written in place, line by line, never removes a selector whose line is still
/// missing.
#[test]
fn lock_file_is_applied_only_when_complete() {
    let files: [(&str, &[u8]); 2] = [("10-a.wasm", &first()), ("20-b.wasm", &second())];
    let service = held(&files);
    let lock = lock_in(service.folder.path());
    let text = fs::read_to_string(&lock).unwrap();
    let cut = text.find("\"20-b").unwrap();
    for _ in 0..20 {
        fs::write(&lock, &text[..cut]).unwrap();
        fs::write(&lock, &text).unwrap();
    }
    service.looks(5);
    assert_eq!(service.registry.chains_set(), 1);
    assert!(service.watched.status().trouble.is_none());
}

#[test]
fn changed_allow_list_of_the_lock_file_applies_to_the_next_trace() {
    let files: [(&str, &[u8]); 1] = [("10-a.wasm", &first())];
    let service = held(&files);
    let restrict = |patterns: &[&str]| {
        let before = service.watched.status().chains;
        let lock = SelectorsLock::from_file(lock_in(service.folder.path())).unwrap();
        let allowed = AllowedTracers::new(patterns.iter().copied()).unwrap();
        let aside = service.folder.path().join("lock-aside");
        lock.with_allowed_tracers("10-a.wasm", &allowed)
            .write(&aside)
            .unwrap();
        fs::rename(aside, lock_in(service.folder.path())).unwrap();
        service.until(|status| status.chains > before);
    };
    // Learned.
    for _ in 0..600 {
        assert!(!service.fallback());
    }
    restrict(&["langfuse", "data*"]);
    assert!(service.fallback());
    assert_eq!(service.tracer(), "langfuse");
    assert_eq!(
        service.origin(),
        Origin::Cached,
        "the component does not run again"
    );
    restrict(&["con*"]);
    assert_eq!(service.chosen().as_deref(), Some("console"));
    list(&service, &files);
    service.until(|status| status.chains == 4);
    assert_eq!(service.chosen().as_deref(), Some("console"));
    let status = service.watched.status();
    assert_eq!((status.loads, status.refusals), (1, 0), "{status:?}");
}

#[test]
fn tightened_allow_list_applies_when_the_directory_is_unreadable() {
    let service = unreadable();
    let lock = SelectorsLock::from_file(lock_in(service.folder.path())).unwrap();
    let allowed = AllowedTracers::new(["langfuse"]).unwrap();
    lock.with_allowed_tracers("10-a.wasm", &allowed)
        .write(lock_in(service.folder.path()))
        .unwrap();
    service.until(|status| status.chains == 2);
    assert!(service.fallback() && service.watched.status().trouble.is_some());
}

#[test]
fn list_of_the_directory_applies_to_replaced_and_new_files() {
    let allowed = AllowedTracers::new(["console"]).unwrap();
    let service = Service::start_as(quick(), &[("10-a.wasm", &first())], |directory, _| {
        let directory = directory.with_allowed_tracers("10-a", &allowed);
        directory.with_allowed_tracers("05-later", &allowed)
    });
    assert_eq!(service.chosen().as_deref(), Some("console"));
    service.move_in("10-a.wasm", &second());
    service.until(|status| status.loads == 2);
    assert!(service.fallback(), "datadog is not allowed");
    service.move_in("10-a.wasm", &answers("console", 2));
    service.until(|status| status.loads == 3);
    assert!(!service.fallback());
    service.move_in("05-later.wasm", &second());
    service.until(|status| status.loads == 4);
    assert!(service.fallback());
}
