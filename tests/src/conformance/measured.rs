//! What a component costs: for the table of languages, not for a test.

use std::time::{Duration, Instant};

use spanmux::{CompileCache, Mode, Selector as _, SelectorHost, TracerNames};
use wasmparser::{Parser, Payload};

use crate::{TRACERS, environment, limits};

/// What one component costs.
pub struct Measured {
    /// Bytes of the file.
    pub bytes: usize,
    /// What it imports.
    pub imports: Vec<String>,
    /// Bytes of linear memory that an instance starts with.
    pub memory_bytes: u64,
    /// To load it: with nothing kept, and compiled before.
    pub cold: Duration,
    /// To load it once it was compiled.
    pub warm: Duration,
    /// The median of a decision in a fresh sandbox.
    pub fresh: Duration,
    /// The median of a decision that was learned.
    pub hit: Duration,
}

const RUNS: u32 = 200;
const HITS: u32 = 100_000;

/// Loads and asks one component.
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

/// The memories that a component declares.
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
