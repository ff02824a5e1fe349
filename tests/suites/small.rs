//! A small host reserves no address space, and decides as any other. This test has its own process,
//! so that no other test's address space is counted.

use std::fs;
use std::thread;

use spanmux::{Choice, CompileCache, Decision, Fallback, Origin, SelectorHost};
use spanmux_tests::{address_bytes, decide, environment, folder_of, guest, limits, load, zoo};

/// Far more than the threads and the allocator of a small host take.
const SMALL: usize = 512 << 20;
/// Far less than the pools of any other host take.
const POOLED: usize = 2 << 30;

fn host(small: bool) -> SelectorHost {
    // The same faults in less time.
    let limits = limits().fuel(1_000_000);
    SelectorHost::builder()
        .limits(limits)
        .small(small)
        .build()
        .unwrap()
}

/// Returns the decision without its duration and without the text of a trap, in which an engine
/// may name an address.
fn outcome(decision: &Decision) -> (Choice, Option<u64>) {
    let choice = match &decision.choice {
        Choice::Fallback(Fallback::Trapped(_)) => {
            Choice::Fallback(Fallback::Trapped(String::new()))
        }
        choice => choice.clone(),
    };
    let fuel = match decision.origin {
        Origin::Run(cost) => Some(cost.fuel),
        _ => None,
    };
    (choice, fuel)
}

#[test]
fn small_host_reserves_nothing_and_decides_as_any_other() {
    let reserved = |host: &SelectorHost, before: usize| {
        let selector = load(host, "console", &guest("console"));
        decide(&selector, &environment("test"));
        address_bytes().map(|after| after.saturating_sub(before))
    };
    let Some(before) = address_bytes() else {
        println!("skipped: this system does not report its address space");
        return;
    };
    let small = host(true);
    let taken = reserved(&small, before).unwrap();
    assert!(taken < SMALL, "{} MiB", taken >> 20);
    let before = address_bytes().unwrap();
    let pooled = host(false);
    let taken = reserved(&pooled, before).unwrap();
    assert!(taken > POOLED, "{} MiB", taken >> 20);

    // Hostile components end at the same instruction.
    let mut compared = 0;
    for file in fs::read_dir(folder_of("zoo")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let bytes = zoo(name);
        let loaded = [&small, &pooled].map(|host| host.load(name, &bytes));
        match loaded {
            [Ok(one), Ok(other)] => {
                let context = environment("test");
                let [one, other] = [one, other].map(|selector| decide(&selector, &context));
                assert_eq!(outcome(&one), outcome(&other), "{name}");
                compared += 1;
            }
            [Err(one), Err(other)] => {
                let kind = std::mem::discriminant(&one);
                assert_eq!(
                    kind,
                    std::mem::discriminant(&other),
                    "{name}: {one}; {other}"
                );
            }
            [one, other] => panic!("{name}: {one:?}, {other:?}"),
        }
    }
    assert!(compared > 20, "{compared}");

    // Several threads share the one engine.
    let selector = load(&small, "asker", &guest("by-environment"));
    thread::scope(|scope| {
        for number in 0..4 {
            let selector = &selector;
            scope.spawn(move || {
                for turn in 0..50 {
                    let context = environment(&format!("{number}-{turn}"));
                    let decision = decide(selector, &context);
                    assert!(!matches!(decision.choice, Choice::Fallback(_)));
                }
            });
        }
    });
}

#[test]
fn small_host_uses_the_same_compile_cache() {
    let directory = tempfile::tempdir().unwrap();
    let compiled = || {
        let cache = CompileCache::in_directory(directory.path());
        let host = SelectorHost::builder().small(true).cache(cache).build();
        let host = host.unwrap();
        load(&host, "console", &guest("console"));
        host.compile_status()
    };
    assert_eq!(compiled().found, 0);
    assert_eq!(compiled().found, 1);
}
