//! Settings at the ends of their types neither panic nor overflow.

use std::time::Duration;

use spanmux::{
    Chain, Limits, SelectorHost, SelectorsDirectory, TracerRegistry, WatchSettings, selector_fn,
};
use spanmux_tests::{chose, decide, environment, guest, host_within, limits};

/// Every limit at its largest value. Those that end a run stay as they are, one at a time.
fn largest() -> Vec<(&'static str, Limits)> {
    const MAX: usize = usize::MAX;
    vec![
        ("component_bytes", limits().component_bytes(MAX)),
        ("memory_bytes", limits().memory_bytes(MAX)),
        ("table_elements", limits().table_elements(MAX)),
        ("instances", limits().instances(MAX)),
        ("memories", limits().memories(MAX)),
        ("tables", limits().tables(MAX)),
        ("stack_bytes", limits().stack_bytes(MAX)),
        ("fuel", limits().fuel(u64::MAX)),
        ("wall_clock", limits().wall_clock(Duration::MAX)),
        ("answer_bytes", limits().answer_bytes(MAX)),
        ("message_bytes", limits().message_bytes(MAX)),
        ("printed_bytes", limits().printed_bytes(MAX)),
        ("sandboxes", limits().sandboxes(MAX)),
        ("admission_wait", limits().admission_wait(Duration::MAX)),
        ("engines", limits().engines(MAX).sandboxes(MAX)),
        ("selectors", limits().selectors(MAX)),
        ("compile_threads", limits().compile_threads(MAX)),
        ("cached_answers", limits().cached_answers(MAX)),
        ("cached_bytes", limits().cached_bytes(MAX)),
        (
            "both of the cache",
            limits().cached_answers(MAX).cached_bytes(MAX),
        ),
        ("suspend_after", limits().suspend_after(u32::MAX)),
        (
            "suspend_first",
            limits().suspend_first(Duration::MAX).suspend_after(1),
        ),
        (
            "suspend_longest",
            limits().suspend_longest(Duration::MAX).suspend_after(1),
        ),
    ]
}

#[test]
fn every_limit_works_at_its_largest_value() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("by-environment.wasm");
    std::fs::write(&file, guest("by-environment")).unwrap();
    for (limit, limits) in largest() {
        let host = host_within(limits);
        let selector = host.load_file(&file);
        let selector = selector.unwrap_or_else(|error| panic!("{limit}: {error}"));
        // More values than the first levels of the decision cache hold.
        for number in 0..80 {
            decide(&selector, &environment(&format!("other-{number}")));
        }
        let decision = decide(&selector, &environment("test"));
        assert!(chose(&decision, "console"), "{limit}: {decision:?}");
        let loaded = SelectorsDirectory::new(folder.path(), host).load();
        assert_eq!(loaded.unwrap().chain().len(), 1, "{limit}");
    }
}

#[test]
fn every_watch_setting_works_at_its_largest_value() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("10-one.wasm"), guest("console")).unwrap();
    let host = SelectorHost::new(limits()).unwrap();
    let quick = || {
        WatchSettings::default()
            .rescan_interval(Duration::from_millis(20))
            .debounce(Duration::from_millis(5))
    };
    for (setting, settings) in [
        ("rescan_interval", quick().rescan_interval(Duration::MAX)),
        ("debounce", quick().debounce(Duration::MAX)),
        ("max_debounce", quick().max_debounce(Duration::MAX)),
        ("load_timeout", quick().load_timeout(Duration::MAX)),
    ] {
        let watched = SelectorsDirectory::new(folder.path(), host.clone())
            .watch_with(settings, |_| {})
            .unwrap_or_else(|error| panic!("{setting}: {error}"));
        let is_live = |status: &spanmux::WatchStatus| {
            let file = status.file("10-one");
            file.is_some_and(|file| file.active.is_some())
        };
        let live = watched.wait_until(Duration::MAX, is_live);
        assert!(live.is_some(), "{setting}");
    }
}

/// The working directory may change while the directory is watched.
#[test]
fn watched_directory_is_resolved_when_the_watch_begins() {
    let host = SelectorHost::new(limits()).unwrap();
    let watched = SelectorsDirectory::new("no-such-directory", host).watch(|_| {});
    let message = watched.unwrap_err().to_string();
    let expected = std::env::current_dir().unwrap().join("no-such-directory");
    assert!(message.contains(expected.to_str().unwrap()), "{message}");
}

#[test]
fn lifecycle_calls_work_with_the_longest_timeout() {
    let registry = TracerRegistry::<super::threads::Quick>::new();
    registry.register("quick", super::threads::Quick).unwrap();
    registry.set_selectors(Chain::from(selector_fn("first", |_, tracers| {
        tracers.choose("quick")
    })));
    let flushed = registry.force_flush_with_timeout(Duration::MAX);
    assert_eq!(flushed.succeeded, ["quick"]);
    let stopped = registry.shutdown_with_timeout(Duration::MAX);
    assert_eq!(stopped.succeeded, ["quick"]);
}
