//! Engine shards: several engines, so that threads do not contend for the counters and locks of
//! one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use thread_local::ThreadLocal;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::cache::Disk;
use super::engine::{self, Allocation, Memory};
use super::epoch::EpochTicker;
use super::limits::Limits;
use super::questions;
use super::sandbox::Sandbox;
use super::tier::CompileTier;
use super::wasi;

/// Larger components run in one shard: compiling them once per shard would cost more than threads
/// gain.
const LANED_BYTES: usize = 256 << 10;

/// One engine with its linker.
pub(super) struct EngineShard {
    pub(super) engine: Engine,
    pub(super) linker: Linker<Sandbox>,
}

impl EngineShard {
    fn new(
        limits: &Limits,
        memory: Memory,
        disk: &Disk,
        allocation: Allocation,
        tier: CompileTier,
    ) -> wasmtime::Result<Self> {
        let engine = engine::engine(limits, memory, disk, allocation, tier)?;
        let mut linker = Linker::new(&engine);
        questions::link(&mut linker)?;
        wasi::link(&mut linker)?;
        Ok(Self { engine, linker })
    }
}

/// The engines of one host.
pub(super) struct EngineShards {
    first: EngineShard,
    others: Vec<EngineShard>,
    /// The shard for components with a large memory, created on first use. `None` if the first
    /// shard serves them equally well, or if the system refuses an engine.
    large: OnceLock<Option<EngineShard>>,
    allocation: Allocation,
    tier: CompileTier,
    threads: AtomicUsize,
    thread: ThreadLocal<usize>,
}

impl EngineShards {
    /// Creates the shards for components with a small memory. A small host has one shard.
    pub(super) fn new(
        limits: &Limits,
        disk: &Disk,
        small: bool,
        tier: CompileTier,
    ) -> wasmtime::Result<Self> {
        let (allocation, count) = if small {
            (Allocation::OnDemand, 1)
        } else {
            (Allocation::Pool, limits.engines.min(limits.sandboxes))
        };
        let shard = || EngineShard::new(limits, Memory::Small, disk, allocation, tier);
        let first = shard()?;
        // If the system refuses an engine, there is one shard less.
        let others = (1..count).map_while(|_| shard().ok()).collect();
        Ok(Self {
            first,
            others,
            large: OnceLock::new(),
            allocation,
            tier,
            threads: AtomicUsize::new(0),
            thread: ThreadLocal::new(),
        })
    }

    /// Returns the engines that exist from the start.
    pub(super) fn engines(&self) -> impl Iterator<Item = &Engine> {
        let others = self.others.iter().map(|lane| &lane.engine);
        std::iter::once(&self.first.engine).chain(others)
    }

    /// Returns the shards for a component of this size with this much memory: the first one, and
    /// others.
    pub(super) fn of(
        &self,
        bytes: usize,
        memory: Memory,
        limits: &Limits,
        disk: &Disk,
        clock: &EpochTicker,
    ) -> (&EngineShard, &[EngineShard]) {
        match memory {
            Memory::Small if bytes <= LANED_BYTES => (&self.first, &self.others),
            Memory::Small => (&self.first, &[]),
            Memory::Large => {
                let make = || {
                    let (allocation, tier) = (self.allocation, self.tier);
                    let lane = EngineShard::new(limits, memory, disk, allocation, tier).ok()?;
                    clock.watch(&lane.engine);
                    Some(lane)
                };
                // A shard without a pool clears no memory, so the size of a memory does not matter.
                let clears = self.allocation == Allocation::Pool && engine::tells_large();
                let compiles = self.tier.is_fast(memory) != self.tier.is_fast(Memory::Small);
                let large = self.large.get_or_init(|| (clears || compiles).then(make)?);
                (large.as_ref().unwrap_or(&self.first), &[])
            }
        }
    }

    /// Returns the number of this thread. Threads are numbered in turn, and each keeps its number.
    pub(super) fn thread(&self) -> usize {
        let next = || self.threads.fetch_add(1, Ordering::Relaxed);
        *self.thread.get_or(next)
    }
}
