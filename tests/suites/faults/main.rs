//! Faults of a watched directory, each tried while a thread selects continuously, with and without
//! file system events. The table records the selections, the status, and the time until the
//! directory had recovered.
#![cfg(unix)]

#[path = "../watching/service.rs"]
#[allow(dead_code, reason = "the suite `watching` uses more of it")]
mod service;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use spanmux::{Cause, RuntimeContext, WatchStatus};
use spanmux_tests::kept::Kept;
use spanmux_tests::resident_bytes;

use service::{Service, active, answers, quick, refused};

/// A fault of a directory in which `10-a.wasm` answers `console`.
struct Fault {
    fault: &'static str,
    act: fn(&Service),
    /// Returns `true` once the directory has recovered.
    settled: fn(&WatchStatus) -> bool,
    /// The selections that may occur during the fault.
    allowed: &'static [&'static str],
    /// The selection after the fault.
    last: &'static str,
    recorded: fn(&WatchStatus) -> String,
}

const OLD_OR_NEW: &[&str] = &["console", "datadog"];
const OLD: &[&str] = &["console"];
/// Without a live selector the default tracer receives the trace.
const OR_NONE: &[&str] = &["console", "datadog", "langfuse (no_selector)"];
const OR_HELD: &[&str] = &["console", "langfuse (unavailable)"];
const HELD: &str = "langfuse (unavailable)";

fn new() -> Vec<u8> {
    answers("datadog", 1)
}

fn put(service: &Service, name: &str, bytes: &[u8]) {
    fs::write(service.file(name), bytes).unwrap();
}

fn loaded(status: &WatchStatus) -> String {
    let live = status
        .files
        .iter()
        .filter(|file| file.active.is_some())
        .count();
    format!("{live} live")
}

fn refusal(status: &WatchStatus) -> String {
    let mut said = status.files.iter().filter(|file| file.refused.is_some());
    let reason = said.next().map_or("", refused);
    format!("{}; refused: {}", loaded(status), first_words(reason))
}

fn trouble(status: &WatchStatus) -> String {
    let reason = status
        .trouble
        .as_ref()
        .map_or("", |trouble| &*trouble.reason);
    // Drop the path, which differs in every run.
    let said = reason.split(' ').filter(|word| !word.contains('/'));
    let said: Vec<&str> = said.collect();
    format!(
        "{}; trouble: {}",
        loaded(status),
        first_words(&said.join(" "))
    )
}

fn first_words(text: &str) -> String {
    let end = text.find([';', ':']).unwrap_or(text.len());
    text[..end].to_owned()
}

const fn two_loads(status: &WatchStatus) -> bool {
    status.loads >= 2
}

const FAULTS: [Fault; 20] = [
    Fault {
        fault: "another is moved into place",
        act: |service| service.move_in("10-a.wasm", &new()),
        settled: two_loads,
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "another is written over it, in two halves",
        act: |service| {
            let new = new();
            put(service, "10-a.wasm", &new[..new.len() / 2]);
            service.looks(3);
            put(service, "10-a.wasm", &new);
        },
        settled: two_loads,
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "another is written over it, byte by byte",
        act: |service| {
            let mut file = File::create(service.file("10-a.wasm")).unwrap();
            for byte in new() {
                file.write_all(&[byte]).unwrap();
                file.sync_data().unwrap();
            }
        },
        settled: two_loads,
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "a bad one replaces it",
        act: |service| service.move_in("10-a.wasm", b"no selector"),
        settled: |status| status.refusals == 1,
        allowed: OLD,
        last: "console",
        recorded: refusal,
    },
    Fault {
        fault: "two good ones and a bad one change places a thousand times",
        act: |service| {
            let bytes = [answers("console", 7), b"no selector".to_vec(), new()];
            for turn in 0..1000 {
                service.move_in("10-a.wasm", &bytes[turn % 3]);
            }
            service.move_in("10-a.wasm", &new());
        },
        settled: |status| {
            status.files.len() == 1 && status.files[0].refused.is_none() && status.loads >= 2
        },
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "it is deleted and made again two hundred times",
        act: |service| {
            for _ in 0..200 {
                let _ = fs::remove_file(service.file("10-a.wasm"));
                put(service, "10-a.wasm", &answers("console", 0));
            }
            service.move_in("10-a.wasm", &new());
        },
        settled: |status| status.loads >= 2 && status.files.len() == 1,
        allowed: OR_NONE,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "a link to its folder is flipped, as mounted configurations are",
        act: |service| {
            for (version, bytes) in [("..1", answers("console", 0)), ("..2", new())] {
                fs::create_dir(service.file(version)).unwrap();
                fs::write(service.file(version).join("10-a.wasm"), bytes).unwrap();
            }
            symlink("..1", service.file("..data")).unwrap();
            symlink("..data/10-a.wasm", service.file("linked")).unwrap();
            fs::rename(service.file("linked"), service.file("10-a.wasm")).unwrap();
            service.looks(5);
            symlink("..2", service.file("..next")).unwrap();
            fs::rename(service.file("..next"), service.file("..data")).unwrap();
        },
        settled: two_loads,
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "another directory is moved into the place of this one",
        act: |service| {
            let next = service.folder.path().join("next");
            fs::create_dir(&next).unwrap();
            fs::write(next.join("10-a.wasm"), new()).unwrap();
            fs::rename(service.live(), service.folder.path().join("away")).unwrap();
            fs::rename(next, service.live()).unwrap();
        },
        settled: two_loads,
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "the directory vanishes",
        act: |service| fs::rename(service.live(), service.folder.path().join("away")).unwrap(),
        settled: |status| status.trouble.is_some(),
        allowed: OLD,
        last: "console",
        recorded: trouble,
    },
    Fault {
        fault: "the directory vanishes and comes back with another file",
        act: |service| {
            fs::rename(service.live(), service.folder.path().join("away")).unwrap();
            service.until(|status| status.trouble.is_some());
            fs::create_dir(service.live()).unwrap();
            service.move_in("10-a.wasm", &new());
        },
        settled: |status| status.loads >= 2 && status.trouble.is_none(),
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "the directory becomes a file",
        act: |service| {
            fs::rename(service.live(), service.folder.path().join("away")).unwrap();
            fs::write(service.live(), b"").unwrap();
        },
        settled: |status| status.trouble.is_some(),
        allowed: OLD,
        last: "console",
        recorded: trouble,
    },
    Fault {
        fault: "a link that leads to itself stands before it",
        act: |service| symlink("05-b.wasm", service.file("05-b.wasm")).unwrap(),
        settled: |status| status.refusals == 1,
        allowed: OR_HELD,
        last: HELD,
        recorded: refusal,
    },
    Fault {
        fault: "a link that leads nowhere stands before it",
        act: |service| symlink("nowhere", service.file("05-b.wasm")).unwrap(),
        settled: |status| status.refusals == 1,
        allowed: OR_HELD,
        last: HELD,
        recorded: refusal,
    },
    Fault {
        fault: "a socket, a folder and an endless device come",
        act: |service| {
            // Dropping a listener leaves the socket in the directory.
            drop(UnixListener::bind(service.file("05-b.wasm")).unwrap());
            fs::create_dir(service.file("06-c.wasm")).unwrap();
            symlink("/dev/zero", service.file("07-d.wasm")).unwrap();
            service.looks(5);
        },
        settled: |status| status.files.len() == 1,
        allowed: OLD,
        last: "console",
        recorded: loaded,
    },
    Fault {
        fault: "a file of ten gigabytes stands before it",
        act: |service| {
            let file = File::create(service.file("05-b.wasm")).unwrap();
            // A sparse file that takes no disk space.
            file.set_len(10_000_000_000).unwrap();
        },
        settled: |status| status.refusals == 1,
        allowed: OR_HELD,
        last: HELD,
        recorded: refusal,
    },
    Fault {
        fault: "ten thousand other files come, more than the kernel tells of",
        act: |service| {
            for number in 0..10_000 {
                put(service, &format!("{number}.txt"), b"");
            }
            service.move_in("10-a.wasm", &new());
        },
        settled: two_loads,
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "ten thousand selectors come",
        act: |service| {
            for number in 0..10_000 {
                put(service, &format!("9{number}.wasm"), b"");
            }
        },
        settled: |status| status.trouble.is_some(),
        // The new files sort after the live one.
        allowed: OLD,
        last: "console",
        recorded: |_| "the chain before is live; trouble: there are too many".to_owned(),
    },
    Fault {
        fault: "another is written whose time lies before all time",
        act: |service| {
            put(service, "10-a.wasm", &new());
            dated(&service.file("10-a.wasm"), SystemTime::UNIX_EPOCH);
        },
        settled: two_loads,
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "another of the same size and time is written over it",
        act: |service| {
            let path = service.file("10-a.wasm");
            let before = fs::metadata(&path).unwrap();
            put(service, "10-a.wasm", &new());
            dated(&path, before.modified().unwrap());
            assert_eq!(fs::metadata(&path).unwrap().len(), before.len());
        },
        settled: two_loads,
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
    Fault {
        fault: "names that are no text, have a line in them, and are as long as can be",
        act: |service| {
            let long = format!("07-{}.wasm", "x".repeat(247));
            for name in [&b"05-\xff\xfe.wasm"[..], b"06-a\nb.wasm", long.as_bytes()] {
                fs::write(service.live().join(OsStr::from_bytes(name)), new()).unwrap();
            }
        },
        settled: |status| {
            status
                .files
                .iter()
                .filter(|file| file.active.is_some())
                .count()
                == 4
        },
        allowed: OLD_OR_NEW,
        last: "datadog",
        recorded: loaded,
    },
];

fn dated(path: &Path, time: SystemTime) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

#[test]
fn directory_faults_lose_no_selection() {
    let mut table = Kept::new(
        "directory-faults.md",
        "faults",
        &[
            "fault",
            "the caller got",
            "in the end",
            "recorded",
            "longest",
            "memory",
        ],
        4,
    );
    for fault in FAULTS {
        let memory = resident_bytes().unwrap_or_default();
        let tried = [true, false].map(|events| tried(&fault, events));
        assert_eq!(
            tried[0].1, tried[1].1,
            "{}: with events and without",
            fault.fault
        );
        let longest = tried[0].0.max(tried[1].0);
        table.row([
            fault.fault.to_owned(),
            fault.allowed.join(" or "),
            fault.last.to_owned(),
            tried[0].1.clone(),
            format!("{} ms", longest.as_millis()),
            format!(
                "{} → {} MiB",
                memory >> 20,
                resident_bytes().unwrap_or_default() >> 20
            ),
        ]);
    }
    table.hold();
}

/// Returns the time until the directory had recovered, and the recorded status.
fn tried(fault: &Fault, events: bool) -> (Duration, String) {
    let settings = quick().use_events(events);
    let service = Service::start(settings, &[("10-a.wasm", &answers("console", 0))]);
    let over = AtomicBool::new(false);
    let (took, status, seen) = thread::scope(|scope| {
        let reading = scope.spawn(|| read(&service, &over));
        let begun = Instant::now();
        (fault.act)(&service);
        let status = service.until(fault.settled);
        let took = begun.elapsed();
        over.store(true, Ordering::Relaxed);
        (took, status, reading.join().unwrap())
    });
    for outcome in &seen {
        assert!(
            fault.allowed.contains(&outcome.as_str()),
            "{}: {seen:?} and not {:?}",
            fault.fault,
            fault.allowed
        );
    }
    assert_eq!(
        selected(&service),
        fault.last,
        "{}: {status:#?}",
        fault.fault
    );
    assert!(
        active(&status, "10-a").is_some() || status.trouble.is_some(),
        "{}",
        fault.fault
    );
    (took, (fault.recorded)(&status))
}

/// Selects until `over` is set, and returns the distinct outcomes.
fn read(service: &Service, over: &AtomicBool) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    while !over.load(Ordering::Relaxed) {
        seen.insert(selected(service));
    }
    seen
}

fn selected(service: &Service) -> String {
    let selection = service.registry.select(&RuntimeContext::empty().view());
    let name = selection
        .tracer_name()
        .expect("a registered tracer")
        .to_owned();
    match selection.reason().cause() {
        None => name,
        Some(Cause::Abstained) => panic!("{name}"),
        Some(kind) => format!("{name} ({kind})"),
    }
}
