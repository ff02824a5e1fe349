//! EngineShards: engines beside each other, so that threads do not meet in the counters and
//! locks of one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use thread_local::ThreadLocal;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::cache::Disk;
use super::engine::{self, Memory};
use super::epoch::EpochTicker;
use super::limits::Limits;
use super::questions;
use super::sandbox::Sandbox;
use super::wasi;

/// A component larger than this runs in one lane: compiling it again for each would
/// take longer than threads would gain.
const LANED_BYTES: usize = 256 << 10;

/// One engine, and what its components may import.
pub(super) struct EngineShard {
    pub(super) engine: Engine,
    pub(super) linker: Linker<Sandbox>,
}

impl EngineShard {
    fn new(limits: &Limits, memory: Memory, disk: &Disk) -> wasmtime::Result<Self> {
        let engine = engine::engine(limits, memory, disk)?;
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
    /// For components with a large memory, made with the first of them; none if the
    /// first lane is as good for them.
    large: OnceLock<Option<EngineShard>>,
    threads: AtomicUsize,
    thread: ThreadLocal<usize>,
}

impl EngineShards {
    /// Makes those for components with a small memory.
    pub(super) fn new(limits: &Limits, disk: &Disk) -> wasmtime::Result<Self> {
        let first = EngineShard::new(limits, Memory::Small, disk)?;
        // What the system does not give is a lane less.
        let others = (1..limits.engines.min(limits.sandboxes))
            .map_while(|_| EngineShard::new(limits, Memory::Small, disk).ok())
            .collect();
        Ok(Self {
            first,
            others,
            large: OnceLock::new(),
            threads: AtomicUsize::new(0),
            thread: ThreadLocal::new(),
        })
    }

    /// The engines that are made with the host.
    pub(super) fn engines(&self) -> impl Iterator<Item = &Engine> {
        let others = self.others.iter().map(|lane| &lane.engine);
        std::iter::once(&self.first.engine).chain(others)
    }

    /// The lanes that a component of this size with this much memory runs in: the
    /// first, and others.
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
                    let lane = EngineShard::new(limits, memory, disk).ok()?;
                    clock.watch(&lane.engine);
                    Some(lane)
                };
                let large = self.large.get_or_init(|| engine::tells_large().then(make)?);
                (large.as_ref().unwrap_or(&self.first), &[])
            }
        }
    }

    /// The number of this thread: threads take turns, and each keeps its own.
    pub(super) fn thread(&self) -> usize {
        let next = || self.threads.fetch_add(1, Ordering::Relaxed);
        *self.thread.get_or(next)
    }
}
