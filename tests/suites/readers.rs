//! `select` never blocks while the chain changes. The suite has its own process: the kernel counts
//! how often each thread gave up its processor to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use spanmux::{Origin, Selector, TracerRegistry, selector_fn};
use spanmux_tests::{TRACERS, environment, guest, host};

const SWAPS: usize = 500;
const READERS: usize = 2;

/// Returns how often this thread has waited, or `None` if the system does not count it.
fn waits() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    let line = status
        .lines()
        .find(|line| line.starts_with("voluntary_ctxt_switches"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn registry(selector: Arc<dyn Selector>) -> TracerRegistry<()> {
    let registry = TracerRegistry::new();
    for name in TRACERS {
        registry.register(name, ()).unwrap();
    }
    registry.set_selectors(selector);
    registry
}

#[test]
fn select_never_blocks_while_the_chain_changes() {
    if waits().is_none() {
        println!("skipped: this system does not count how often a thread waits");
        return;
    }
    let cached = host()
        .load("by-environment", &guest("by-environment"))
        .unwrap();
    let closure = selector_fn("closure", |_, tracers| tracers.choose("console"));
    for (what, selector) in [
        ("cached", Arc::new(cached) as Arc<dyn Selector>),
        ("native", Arc::new(closure)),
    ] {
        // The system itself sometimes makes a thread wait for memory. A lock of ours would make
        // threads wait in every round.
        let rounds: Vec<u64> = (0..3).map(|_| round(&selector)).collect();
        println!("{what}: {SWAPS} swaps a round, waits {rounds:?}");
        assert_eq!(rounds.iter().min(), Some(&0), "{what}: {rounds:?}");
    }
}

/// Returns how often the readers waited while the chain was replaced.
fn round(selector: &Arc<dyn Selector>) -> u64 {
    let registry = registry(selector.clone());
    // The decision that is cached here is a hit in every chain.
    registry.select(&environment("test").view());
    let (over, selections) = (AtomicBool::new(false), AtomicU64::new(0));
    let waited = thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|_| scope.spawn(|| read(&registry, &over, &selections)))
            .collect();
        for _ in 0..SWAPS {
            registry.set_selectors(selector.clone());
            // Wait until the readers have used this chain.
            let before = selections.load(Ordering::Relaxed);
            while selections.load(Ordering::Relaxed) < before + 10 {
                thread::yield_now();
            }
        }
        over.store(true, Ordering::Relaxed);
        let joined = readers.into_iter().map(|reader| reader.join().unwrap());
        joined.sum()
    });
    assert!(registry.chains_set() > SWAPS as u64);
    waited
}

/// Selects until `over` is set, and returns how often the thread waited.
fn read(registry: &TracerRegistry<()>, over: &AtomicBool, selections: &AtomicU64) -> u64 {
    let context = environment("test");
    let before = waits().unwrap();
    while !over.load(Ordering::Relaxed) {
        let selection = registry.select(&context.view());
        assert_eq!(selection.tracer_name(), Some("console"));
        assert!(!matches!(selection.origin(), Origin::Run(_)));
        selections.fetch_add(1, Ordering::Relaxed);
    }
    waits().unwrap() - before
}
