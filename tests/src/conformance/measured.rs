//! The cost of a component, for the table of languages and not for a test.

use std::time::{Duration, Instant};

use spanmux::{CompileCache, Mode, Selector as _, SelectorHost, TracerNames};
use wasmparser::{Parser, Payload};

use crate::{TRACERS, environment, limits};

/// The cost of one component.
pub struct Measured {
    /// Size of the file in bytes.
    pub bytes: usize,
    /// Its imports.
    pub imports: Vec<String>,
    /// Linear memory at the start of an instance in bytes.
    pub memory_bytes: u64,
    /// Time to load it without a cache, including compilation.
    pub cold: Duration,
    /// Time to load it from the cache.
    pub warm: Duration,
    /// Median time of a decision in a fresh instance.
    pub fresh: Duration,
    /// Median time of a cached decision.
    pub hit: Duration,
}

const RUNS: u32 = 200;
const HITS: u32 = 100_000;

/// Loads and runs one component.
///
/// # Panics
/// If it does not load.
pub fn measure(name: &str, bytes: &[u8]) -> Measured {
    let folder = tempfile::tempdir().expect("a folder for the cache");
    let load = || {
        let host = SelectorHost::builder()
            .limits(limits())
            .cache(CompileCache::in_directory(folder.path()))
            .build()
            .expect("a host");
        let started = Instant::now();
        let selector = host.load(name, bytes).expect("a selector");
        (selector, started.elapsed())
    };
    let (_, cold) = load();
    let (selector, warm) = load();
    let context = environment("production");
    let tracers = TracerNames::new(TRACERS);

    let fresh = selector.with_mode(Mode::Fresh);
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            fresh.decision(&context.view(), &tracers);
            started.elapsed()
        })
        .collect();
    times.sort_unstable();

    let cached = selector.with_mode(Mode::Cached);
    cached.decision(&context.view(), &tracers);
    let started = Instant::now();
    for _ in 0..HITS {
        std::hint::black_box(cached.decision(&context.view(), &tracers));
    }
    Measured {
        bytes: bytes.len(),
        imports: selector.imports().to_vec(),
        memory_bytes: memory(bytes),
        cold,
        warm,
        fresh: times[times.len() / 2],
        hit: started.elapsed() / HITS,
    }
}

/// Returns the memories that a component declares.
fn memory(bytes: &[u8]) -> u64 {
    let mut pages = 0;
    for payload in Parser::new(0).parse_all(bytes).flatten() {
        if let Payload::MemorySection(memories) = payload {
            pages += memories
                .into_iter()
                .flatten()
                .map(|each| each.initial)
                .sum::<u64>();
        }
    }
    pages * 65_536
}
