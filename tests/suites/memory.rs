//! The worst components of the zoo do not leak memory. This test has its own process, so that no
//! other test's memory is counted.

use spanmux_tests::{decide, environment, guest, host_within, limits, load, resident_bytes, zoo};

/// Far more than a busy allocator retains, and far less than the attacks would leak.
const BOUND: usize = 48 << 20;

/// Returns the growth of the process over `more` turns. The `first` turns fill the pool of
/// sandboxes.
fn growth(first: usize, more: usize, mut turn: impl FnMut()) -> usize {
    (0..first).for_each(|_| turn());
    let before = resident_bytes().unwrap_or_default();
    (0..more).for_each(|_| turn());
    resident_bytes().unwrap_or_default().saturating_sub(before)
}

#[test]
fn faults_do_not_leak_memory() {
    let host = host_within(
        limits()
            // The same faults in less time.
            .fuel(1_000_000),
    );
    let context = environment("test");
    for name in [
        "trap",
        "recursion",
        "memory-grow",
        "memory-grow-forever",
        "table-grow",
        "string-of-60-megabytes",
        "key-of-10-megabytes",
        "keys-forever",
        "prints-forever",
        "sleeps-forever",
        "realloc-traps",
        "exits",
    ] {
        let selector = load(&host, name, &zoo(name));
        let grown = growth(20, 200, || drop(decide(&selector, &context)));
        assert!(
            grown < BOUND,
            "{name}: {grown} bytes more after 200 decisions"
        );
    }

    let refused = [
        "start-traps",
        "start-recurses",
        "memory-declared",
        "other-world",
        "select-of-another-shape",
    ];
    for name in refused {
        let file = zoo(name);
        let grown = growth(20, 200, || {
            host.load(name, &file).expect_err(name);
        });
        assert!(
            grown < BOUND,
            "{name}: {grown} bytes more after 200 refusals"
        );
    }

    let file = guest("console");
    let grown = growth(20, 200, || drop(load(&host, "console", &file)));
    assert!(grown < BOUND, "{grown} bytes more after 200 loads");

    let grown = growth(5, 50, || {
        drop(load(&host_within(limits()), "console", &file))
    });
    assert!(grown < BOUND, "{grown} bytes more after 50 hosts");
}
