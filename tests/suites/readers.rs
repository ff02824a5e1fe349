//! Who selects waits for nobody while the chain is swapped. In a process of its own: the
//! kernel counts how often a thread gave its processor away to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use spanmux::{Origin, Selector, TracerRegistry, selector_fn};
use spanmux_tests::{TRACERS, environment, guest, host};

const SWAPS: usize = 500;
const READERS: usize = 2;

/// How often this thread waited; none where the system does not tell.
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
fn nobody_waits_while_the_chain_is_swapped() {
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
        // The system itself lets a thread wait now and then, for memory; a lock of ours
        // would be met in every round.
        let rounds: Vec<u64> = (0..3).map(|_| round(&selector)).collect();
        println!("{what}: {SWAPS} swaps a round, waits {rounds:?}");
        assert_eq!(rounds.iter().min(), Some(&0), "{what}: {rounds:?}");
    }
}

/// How often readers waited while the chain was swapped.
fn round(selector: &Arc<dyn Selector>) -> u64 {
    let registry = registry(selector.clone());
    // What is learned here is known under every chain.
    registry.select(&environment("test").view());
    let (over, selections) = (AtomicBool::new(false), AtomicU64::new(0));
    let waited = thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|_| scope.spawn(|| read(&registry, &over, &selections)))
            .collect();
        for _ in 0..SWAPS {
            registry.set_selectors(selector.clone());
            // Readers are to have met this chain.
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

/// Selects until it is over, and says how often it waited meanwhile.
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
