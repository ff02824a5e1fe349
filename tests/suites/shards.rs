//! Engine shards, for several threads and for different memory sizes: a decision does not depend on
//! the shard in which it ran.

use std::time::Duration;

use spanmux::{Budget, CompileCache, Fallback, Limits, Mode, SelectorHost};
use spanmux_tests::{
    chose, component, decide, environment, fallback, fuel, guest, host_within, limits, load, text,
    zoo,
};

/// Number of threads that decide concurrently, so that each shard is used.
const THREADS: usize = 4;

fn lanes(engines: usize) -> Limits {
    limits().engines(engines).sandboxes(THREADS)
}

/// Calls `run` on several threads at once.
fn at_once(run: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(&run);
        }
    });
}

/// Returns a guest that detects a used sandbox, with a memory of `pages` pages. Small and large
/// memories are reset in different ways.
fn marks(pages: usize) -> Vec<u8> {
    component(&text("guests", "marks").replace("PAGES", &pages.to_string()))
}

#[test]
fn sandbox_is_fresh_in_every_shard_and_memory_size() {
    for engines in [1, 3] {
        let host = host_within(lanes(engines));
        for pages in [1, 2, 40, 100] {
            let selector = load(&host, "marks", &marks(pages)).with_mode(Mode::Fresh);
            let context = environment("test");
            at_once(|| {
                for _ in 0..50 {
                    let decision = decide(&selector, &context);
                    assert!(chose(&decision, "console"), "{pages} pages: {decision:?}");
                }
            });
        }
    }
}

#[test]
fn marks_are_detected_in_a_stateful_instance() {
    let host = host_within(lanes(1));
    for pages in [1, 40] {
        let kept = load(&host, "marks", &marks(pages)).with_mode(Mode::Stateful);
        assert!(chose(&decide(&kept, &environment("test")), "console"));
        let again = decide(&kept, &environment("test"));
        assert!(matches!(fallback(&again), Some(Fallback::Trapped(_))));
    }
}

#[test]
fn fuel_is_equal_in_every_shard() {
    let host = host_within(lanes(THREADS));
    let selector = load(&host, "selector", &guest("by-environment")).with_mode(Mode::Fresh);
    let context = environment("test");
    let expected = fuel(&decide(&selector, &context));
    at_once(|| {
        for _ in 0..20 {
            assert_eq!(fuel(&decide(&selector, &context)), expected);
        }
    });
}

#[test]
fn wall_clock_limit_applies_in_every_shard() {
    let host = host_within(
        lanes(3)
            .fuel(u64::MAX)
            .wall_clock(Duration::from_millis(20)),
    );
    let large = text("zoo", "loop").replace(
        "(memory (export \"memory\") 1)",
        "(memory (export \"memory\") 9)",
    );
    assert!(large.contains(" 9)"));
    for bytes in [zoo("loop"), component(&large)] {
        let selector = load(&host, "loop", &bytes).with_mode(Mode::Fresh);
        at_once(|| {
            let decision = decide(&selector, &environment("test"));
            let stopped = Fallback::OutOfBudget(Budget::WallClock);
            assert_eq!(fallback(&decision), Some(&stopped));
        });
    }
}

#[test]
fn component_is_counted_and_cached_once_for_all_shards() {
    let cache = tempfile::tempdir().unwrap();
    for expected in [(1, 0), (0, 1)] {
        let host = SelectorHost::builder()
            .limits(lanes(3))
            .cache(CompileCache::in_directory(cache.path()))
            .build()
            .unwrap();
        load(&host, "selector", &guest("by-environment"));
        let status = host.compile_status();
        assert_eq!((status.compiled, status.found), expected);
    }
}

#[test]
fn nested_components_are_linked() {
    let host = host_within(limits());
    let selector = load(&host, "joined", &guest("joined"));
    assert!(chose(&decide(&selector, &environment("test")), "console"));
}
