//! A watched selectors directory: whatever happens to its files, only complete selectors are live,
//! and the status reports them.

mod lock;
mod service;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use spanmux::{DirectoryError, Origin, SelectorsDirectory, WatchStatus, WatchedDirectory};
use spanmux_tests::{guest, host_within, limits, zoo};

use service::{PATIENCE, Service, active, answers, digest, quick, refused};

#[test]
fn existing_files_are_live_before_watch_returns() {
    let service = Service::start(quick(), &[("10-a.wasm", &answers("datadog", 0))]);
    assert_eq!(service.tracer(), "datadog");
    let status = service.watched.status();
    assert_eq!((status.files.len(), status.loads, status.chains), (1, 1, 1));
    assert_eq!(service.registry.chains_set(), 1);
}

#[test]
fn missing_directory_is_an_error() {
    let directory = SelectorsDirectory::new("no/such/directory", host_within(limits()));
    let error = directory.watch(|_| {}).unwrap_err();
    assert!(matches!(error, DirectoryError::Missing { .. }), "{error}");
}

/// A change of a directory with `10-a.wasm`, the condition to wait for, and the tracer that is then
/// selected.
type Row = (
    &'static str,
    fn(&Service),
    fn(&WatchStatus) -> bool,
    &'static str,
);

const ROWS: [Row; 9] = [
    (
        "another is moved into place",
        |service| service.move_in("10-a.wasm", &answers("datadog", 1)),
        |status| status.loads == 2,
        "datadog",
    ),
    (
        "another is written in place",
        |service| fs::write(service.file("10-a.wasm"), answers("datadog", 1)).unwrap(),
        |status| status.loads == 2,
        "datadog",
    ),
    (
        "a bad one replaces it, and the last good one stays",
        |service| service.move_in("10-a.wasm", &zoo("start-traps")),
        |status| status.refusals == 1 && active(status, "10-a").is_some(),
        "console",
    ),
    (
        "one is put before it",
        |service| service.move_in("05-b.wasm", &answers("datadog", 1)),
        |status| status.files.len() == 2,
        "datadog",
    ),
    (
        "it is removed",
        |service| fs::remove_file(service.file("10-a.wasm")).unwrap(),
        |status| status.files.is_empty(),
        "langfuse",
    ),
    (
        "it is renamed",
        |service| fs::rename(service.file("10-a.wasm"), service.file("20-b.wasm")).unwrap(),
        |status| active(status, "20-b").is_some() && status.files.len() == 1,
        "console",
    ),
    (
        "one that never loads stands before it, and holds its place",
        |service| service.move_in("05-b.wasm", b"no selector"),
        |status| status.refusals == 1,
        "langfuse",
    ),
    (
        "a time goes backwards",
        |service| {
            let path = service.file("10-a.wasm");
            fs::write(&path, answers("datadog", 1)).unwrap();
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        },
        |status| status.loads == 2,
        "datadog",
    ),
    (
        "ten thousand other files come",
        |service| {
            for number in 0..10_000 {
                fs::write(service.file(&format!("{number}.txt")), b"").unwrap();
            }
            service.move_in("10-a.wasm", &answers("datadog", 1));
        },
        |status| status.loads == 2,
        "datadog",
    ),
];

/// Each row is tried with and without file system events.
#[test]
fn changes_of_the_directory_are_applied() {
    for events in [true, false] {
        for (what, act, wanted, tracer) in ROWS {
            let settings = quick().use_events(events);
            let service = Service::start(settings, &[("10-a.wasm", &answers("console", 0))]);
            assert_eq!(service.watched.status().events, events);
            act(&service);
            service.until(wanted);
            assert_eq!(service.tracer(), tracer, "{what}, events: {events}");
        }
    }
}

#[test]
fn slow_write_never_loads_a_partial_file() {
    let service = Service::start(quick(), &[]);
    let bytes = answers("datadog", 0);
    let path = service.file("10-a.wasm");
    for end in (0..bytes.len()).step_by(16) {
        fs::write(&path, &bytes[..end]).unwrap();
        service.looks(1);
        let status = service.watched.status();
        assert!(status.file("10-a").is_none_or(|file| file.active.is_none()));
    }
    fs::write(&path, &bytes).unwrap();
    service.until(|status| active(status, "10-a").is_some());
    assert_eq!(service.tracer(), "datadog");
}

#[test]
fn refusal_is_counted_once_and_cleared_after_a_fix() {
    let good = answers("console", 0);
    let service = Service::start(quick(), &[("10-a.wasm", &good)]);
    service.move_in("10-a.wasm", b"no selector");
    let status = service.until(|status| status.refusals == 1);
    let file = status.file("10-a").unwrap();
    assert!(refused(file).contains("not WebAssembly"), "{file:?}");
    assert_eq!(service.looks(5).refusals, 1);
    service.move_in("10-a.wasm", &good);
    let status = service.until(|status| status.files[0].refused.is_none());
    // The chain did not change.
    assert_eq!((status.loads, status.chains), (1, 1));
    assert_eq!(service.registry.chains_set(), 1);
}

#[test]
fn rewriting_equal_bytes_changes_and_compiles_nothing() {
    let bytes = answers("console", 0);
    let service = Service::start(quick(), &[("10-a.wasm", &bytes)]);
    for _ in 0..3 {
        service.move_in("10-a.wasm", &bytes);
        service.looks(3);
    }
    assert_eq!(service.registry.chains_set(), 1);
    assert_eq!(service.host.compile_status().compiled, 1);
}

#[test]
fn unchanged_file_keeps_its_selector() {
    let service = Service::start(quick(), &[("10-a.wasm", &answers("console", 0))]);
    let first = |service: &Service| service.registry.selectors().selectors().next().cloned();
    let before = first(&service).unwrap();
    service.move_in("20-b.wasm", &answers("datadog", 0));
    service.until(|status| status.files.len() == 2);
    assert!(Arc::ptr_eq(&before, &first(&service).unwrap()));
}

#[test]
fn cached_decisions_survive_changes_of_other_files() {
    let service = Service::start(quick(), &[("10-a.wasm", &answers("console", 0))]);
    assert!(matches!(service.origin(), Origin::Run(_)));
    assert!(matches!(service.origin(), Origin::Cached));
    service.move_in("20-b.wasm", &answers("datadog", 0));
    service.until(|status| status.files.len() == 2);
    assert!(matches!(service.origin(), Origin::Cached));
    service.move_in("10-a.wasm", &answers("console", 1));
    service.until(|status| status.loads == 3);
    assert!(matches!(service.origin(), Origin::Run(_)));
}

#[test]
fn replaced_component_is_freed() {
    let service = Service::start(quick(), &[("10-a.wasm", &answers("console", 0))]);
    let old = Arc::downgrade(service.registry.selectors().selectors().next().unwrap());
    service.move_in("10-a.wasm", &answers("datadog", 0));
    service.until(|status| status.loads == 2);
    assert_eq!(service.tracer(), "datadog");
    assert!(old.upgrade().is_none());
    // Its bytes are compiled again, because nothing of it is kept.
    service.move_in("10-a.wasm", &answers("console", 0));
    service.until(|status| status.loads == 3);
    assert_eq!(service.host.compile_status().compiled, 3);
}

#[test]
fn missing_directory_keeps_its_chain_and_is_watched_again() {
    let service = Service::start(quick(), &[("10-a.wasm", &answers("console", 0))]);
    let away = service.folder.path().join("away");
    fs::rename(service.live(), &away).unwrap();
    let status = service.until(|status| status.trouble.is_some());
    assert!(status.trouble.unwrap().reason.contains("does not exist"));
    assert_eq!(service.tracer(), "console");
    fs::create_dir(service.live()).unwrap();
    service.move_in("10-a.wasm", &answers("datadog", 0));
    let status = service.until(|status| status.loads == 2);
    assert!(status.trouble.is_none() && status.events, "{status:?}");
    assert_eq!(service.tracer(), "datadog");
}

#[test]
fn too_many_selectors_keep_the_previous_chain() {
    let service = Service::start(quick(), &[("10-a.wasm", &answers("console", 0))]);
    for number in 0..9 {
        fs::write(service.file(&format!("9{number}.wasm")), b"").unwrap();
    }
    service.until(|status| status.trouble.is_some());
    assert_eq!(service.tracer(), "console");
}

#[cfg(unix)]
#[test]
fn symlinks_are_followed_and_loops_are_refused() {
    use std::os::unix::fs::symlink;
    let service = Service::start(quick(), &[]);
    let target = service.folder.path().join("target");
    fs::write(&target, answers("datadog", 0)).unwrap();
    symlink(&target, service.file("10-a.wasm")).unwrap();
    service.until(|status| active(status, "10-a").is_some());
    assert_eq!(service.tracer(), "datadog");
    // This change causes no event in the directory.
    let other = service.folder.path().join("other");
    fs::write(&other, answers("console", 0)).unwrap();
    fs::rename(other, &target).unwrap();
    service.until(|status| status.loads == 2);
    assert_eq!(service.tracer(), "console");
    symlink(service.file("05-b.wasm"), service.file("05-b.wasm")).unwrap();
    let status = service.until(|status| status.refusals == 1);
    assert!(refused(status.file("05-b").unwrap()).contains("could not be read"));
    assert!(service.fallback());
}

#[cfg(unix)]
#[test]
fn unreadable_file_keeps_its_previous_selector() {
    use std::os::unix::fs::PermissionsExt as _;
    let service = Service::start(quick(), &[("10-a.wasm", &answers("console", 0))]);
    let path = service.file("10-a.wasm");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        println!("skipped: this user may read whatever its mode");
        return;
    }
    service.until(|status| status.refusals == 1);
    assert_eq!(service.tracer(), "console");
}

#[test]
fn panic_in_the_callback_is_caught() {
    let folder = tempfile::tempdir().unwrap();
    let calls = Arc::new(AtomicU64::new(0));
    let counted = calls.clone();
    let watched = SelectorsDirectory::new(folder.path(), host_within(limits()))
        .watch_with(quick(), move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            panic!("as it may");
        })
        .unwrap();
    let aside = folder.path().join("aside");
    fs::write(&aside, guest("console")).unwrap();
    fs::rename(aside, folder.path().join("10-a.wasm")).unwrap();
    let status = watched.wait_until(PATIENCE, |status| status.loads == 1);
    assert_eq!(status.unwrap().chains, 2);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

/// More files than may be detached at once. Each of them is tried.
#[test]
fn slow_files_are_refused_and_named() {
    let settings = quick().load_timeout(Duration::ZERO);
    let bytes: Vec<_> = (0..5).map(|version| answers("console", version)).collect();
    let names = ["1.wasm", "2.wasm", "3.wasm", "4.wasm", "5.wasm"];
    let files: Vec<_> = names
        .into_iter()
        .zip(bytes.iter().map(Vec::as_slice))
        .collect();
    let service = Service::start(settings, &files);
    let status = service.until(|status| status.refusals == 5);
    for file in &status.files {
        let reason = refused(file);
        assert!(reason.contains("WatchSettings::load_time"), "{reason}");
    }
    assert!(status.files.len() == 5 && service.fallback());
}

/// Two hundred reloads while threads select: every selection is one of the two tracers that were
/// ever live, and none is a fallback.
#[test]
fn reloads_under_load_lose_no_selection() {
    let service = Service::start(quick(), &[("10-a.wasm", &answers("console", 0))]);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| read(&service, &over)))
            .collect();
        for version in 1..=200 {
            let tracer = ["console", "datadog"][version as usize % 2];
            service.move_in("10-a.wasm", &answers(tracer, version));
            if version % 10 == 0 {
                service.looks(1);
            }
        }
        service.move_in("10-a.wasm", &answers("datadog", 201));
        let last = digest(&service.host, &answers("datadog", 201));
        service.until(|status| active(status, "10-a").as_ref() == Some(&last));
        over.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    let status = service.watched.status();
    assert!(status.loads > 1 && status.refusals == 0, "{status:?}");
    assert_eq!(status.chains, service.registry.chains_set());
    println!("{} of 201 versions were live", status.loads - 1);
}

fn read(service: &Service, over: &AtomicBool) -> u64 {
    let mut selections = 0;
    while !over.load(Ordering::Relaxed) {
        assert!(["console", "datadog"].contains(&service.tracer().as_str()));
        assert!(!service.fallback());
        selections += 1;
    }
    selections
}

/// The watcher thread releases its resources after the handle is dropped.
#[test]
fn dropping_the_handle_ends_the_watcher() {
    let held = Arc::new(());
    let folder = tempfile::tempdir().unwrap();
    let weak = Arc::downgrade(&held);
    let watched = watch_holding(folder.path(), held);
    assert!(weak.upgrade().is_some());
    drop(watched);
    let begun = Instant::now();
    while weak.upgrade().is_some() {
        assert!(begun.elapsed() < PATIENCE, "the thread has not ended");
        thread::yield_now();
    }
}

fn watch_holding(folder: &Path, held: Arc<()>) -> WatchedDirectory {
    let settings = quick()
        // The next scan must not be what ends the thread.
        .rescan_interval(10 * PATIENCE);
    SelectorsDirectory::new(folder, host_within(limits()))
        .watch_with(settings, move |_| {
            let _ = &held;
        })
        .unwrap()
}
