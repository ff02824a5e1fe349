//! The events of a policy reach its callback, in order and once each.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use spanmux::{CompileCache, Limits, RuntimeContext, SelectorEvent};
use spanmux_embed::{Policy, PolicyBuilder, PolicyEvent};
use spanmux_tests::{guest, zoo};

use super::{NAMES, directory, example};

/// Opens a policy whose events arrive in the channel.
fn observed(settings: PolicyBuilder) -> (Policy, Receiver<PolicyEvent>) {
    let (send, events) = mpsc::channel();
    let settings = settings.on_event(move |event| drop(send.send(event.clone())));
    (settings.open().unwrap(), events)
}

fn next(events: &Receiver<PolicyEvent>) -> PolicyEvent {
    events.recv_timeout(Duration::from_secs(60)).unwrap()
}

fn kinds(events: &Receiver<PolicyEvent>, count: usize) -> Vec<&'static str> {
    (0..count).map(|_| next(events).kind()).collect()
}

/// Moves a complete file into place.
fn move_in(directory: &Path, name: &str, bytes: &[u8]) {
    let temporary = directory.join("incomplete");
    fs::write(&temporary, bytes).unwrap();
    fs::rename(temporary, directory.join(name)).unwrap();
}

fn changed(selectors: &[&str]) -> PolicyEvent {
    let selectors = selectors.iter().map(|name| (*name).to_owned()).collect();
    PolicyEvent::Selector(SelectorEvent::Changed { selectors })
}

#[test]
fn changes_of_a_watched_directory_are_events() {
    let directory = directory(&["20-tenant.wasm"]);
    let path = directory.path();
    let (_policy, events) = observed(Policy::builder(path));
    let loaded = next(&events);
    let PolicyEvent::Selector(SelectorEvent::Loaded {
        selector,
        path: file,
        digest,
        bytes,
    }) = &loaded
    else {
        panic!("{loaded:?}");
    };
    assert_eq!(selector, "20-tenant");
    assert_eq!(*file, path.join("20-tenant.wasm"));
    assert_eq!(digest.len(), 64);
    assert_eq!(*bytes as u64, fs::metadata(file).unwrap().len());
    assert_eq!(next(&events), changed(&["20-tenant"]));

    // The previous content stays live, so the chain is unchanged.
    move_in(path, "20-tenant.wasm", b"no component");
    let refused = next(&events);
    assert!(
        matches!(
            &refused,
            PolicyEvent::Selector(SelectorEvent::Refused { kept: true, reason, .. })
                if reason.contains("component")
        ),
        "{refused:?}"
    );
    move_in(path, "30-new.wasm", b"no component");
    let refused = next(&events);
    assert!(
        matches!(
            refused,
            PolicyEvent::Selector(SelectorEvent::Refused { kept: false, .. })
        ),
        "{refused:?}"
    );
    assert_eq!(next(&events), changed(&["20-tenant", "30-new"]));

    fs::remove_file(path.join("30-new.wasm")).unwrap();
    assert_eq!(kinds(&events, 1), ["removed"]);
    assert_eq!(next(&events), changed(&["20-tenant"]));

    fs::rename(path, path.with_extension("away")).unwrap();
    let unreadable = next(&events);
    assert_eq!(unreadable.kind(), "unreadable");
    assert!(unreadable.to_string().contains("does not exist"));
    fs::rename(path.with_extension("away"), path).unwrap();
}

#[test]
fn suspension_and_its_end_are_events() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("breaks.wasm"), guest("breaks")).unwrap();
    let back_off = Duration::from_millis(1);
    let limits = Limits::default().suspend_after(3).suspend_first(back_off);
    let settings = Policy::builder(folder.path().join("breaks.wasm")).limits(limits);
    let (policy, events) = observed(settings);
    assert_eq!(kinds(&events, 1), ["loaded"]);

    // The guest traps for a list of this length, whatever the context is.
    let names: Vec<String> = (0..100 + u32::from(b't'))
        .map(|number| format!("tracer-{number}"))
        .collect();
    let unhealthy = policy
        .tracers(names.iter().map(String::as_str), None, None)
        .unwrap();
    for number in 0..3 {
        let context = RuntimeContext::builder().set("do", number).build();
        unhealthy.decide(&context.view());
    }
    let suspended = next(&events);
    assert!(
        matches!(
            &suspended,
            PolicyEvent::Selector(SelectorEvent::Suspended { selector, back_off: lasts, .. })
                if selector == "breaks" && *lasts == back_off
        ),
        "{suspended:?}"
    );
    std::thread::sleep(2 * back_off);
    let tracers = policy.tracers(NAMES, None, None).unwrap();
    tracers.decide(&RuntimeContext::empty().view());
    assert_eq!(kinds(&events, 1), ["resumed"]);
}

#[test]
fn output_of_a_selector_is_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prints.wasm");
    fs::write(&path, zoo("prints-forever")).unwrap();
    let (policy, events) = observed(Policy::builder(&path));
    let tracers = policy.tracers(NAMES, None, None).unwrap();
    tracers.decide(&RuntimeContext::empty().view());
    assert_eq!(kinds(&events, 2), ["loaded", "printed"]);
}

#[test]
fn unusable_compile_cache_is_an_event() {
    let cache = CompileCache::in_directory("/dev/null");
    let settings = Policy::builder(example("20-tenant.wasm")).cache(cache);
    let (_policy, events) = observed(settings);
    assert_eq!(kinds(&events, 2), ["cache_unusable", "loaded"]);
}

#[test]
fn files_of_a_configuration_are_reported_once() {
    let directory = directory(&["20-tenant.wasm", "50-environment.wasm"]);
    let path = directory.path().join("spanmux.toml");
    let text = "service = 'shop'\ntracers.console.exporter = { type = 'console' }\n\
                selectors.directory = '.'\n";
    fs::write(&path, text).unwrap();
    for (watch, expected) in [
        (false, &["loaded", "loaded"][..]),
        (true, &["loaded", "loaded", "changed"][..]),
    ] {
        let (policy, events) = observed(Policy::builder(&path).watch(watch));
        assert_eq!(kinds(&events, expected.len()), expected);
        // The thread ends with the policy, after the last event.
        drop(policy);
        let ended = events.recv_timeout(Duration::from_secs(60));
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected));
    }
}

#[test]
fn child_of_a_fork_has_events_of_its_own() {
    let directory = directory(&["20-tenant.wasm"]);
    let (policy, events) = observed(Policy::builder(directory.path()));
    assert_eq!(kinds(&events, 2), ["loaded", "changed"]);
    policy.before_fork();
    policy.after_fork(true).unwrap();
    assert_eq!(kinds(&events, 2), ["loaded", "changed"]);

    let away = directory.path().with_extension("away");
    policy.before_fork();
    fs::rename(directory.path(), &away).unwrap();
    policy.after_fork(true).unwrap();
    let found = std::iter::repeat_with(|| next(&events)).find(|event| {
        // The watch of the parent notices it too.
        event.kind() != "unreadable"
    });
    assert_eq!(found.map(|event| event.kind()), Some("restart_failed"));
    fs::rename(away, directory.path()).unwrap();
}

#[test]
fn panic_of_the_callback_reaches_nobody() {
    let directory = directory(&["20-tenant.wasm"]);
    let (send, events) = mpsc::channel();
    let policy = Policy::builder(directory.path())
        .on_event(move |event| {
            send.send(event.kind()).unwrap();
            panic!("a mistake of the application");
        })
        .open()
        .unwrap();
    for expected in ["loaded", "changed"] {
        let kind = events.recv_timeout(Duration::from_secs(60));
        assert_eq!(kind, Ok(expected));
    }
    let tracers = policy.tracers(NAMES, None, None).unwrap();
    let decided = tracers.decide(&super::tenant("acme").view());
    assert_eq!(decided.tracer.as_deref(), Some("tenant-acme"));
}
