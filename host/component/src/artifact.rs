//! Compiled components: one per content, whatever the names of the files.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use wasmtime::Engine;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::cache::{CacheState, Disk, Made};
use super::error::LoadError;
use super::sandbox::Sandbox;

/// A component that can be instantiated. It is dropped with its last selector.
pub(super) struct Artifact {
    pub(super) digest: String,
    pub(super) bytes: usize,
    pub(super) imports: Vec<String>,
    pub(super) first: Start,
    pub(super) others: Vec<Start>,
}

/// The template of an instance in one shard.
pub(super) struct Start {
    pub(super) pre: InstancePre<Sandbox>,
    pub(super) select: ComponentExportIndex,
}

impl Artifact {
    /// Returns the template for the thread of this number.
    pub(super) fn start(&self, thread: usize) -> &Start {
        let lane = thread % (1 + self.others.len());
        let other = lane.checked_sub(1).and_then(|lane| self.others.get(lane));
        other.unwrap_or(&self.first)
    }
}

/// Counts of how a [`SelectorHost`](crate::SelectorHost) obtained its components.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompileStatus {
    /// Components that were compiled, including those that failed to load. Each is counted once,
    /// regardless of the number of [`Limits::engines`](crate::Limits).
    pub compiled: u64,
    /// Components that were found in the compile cache.
    pub found: u64,
    /// Loads that needed neither, because a selector with the same bytes exists.
    pub shared: u64,
    /// The state of the compile cache.
    pub cache: CacheState,
}

/// The components of one host in use, by digest.
pub(super) struct Artifacts {
    disk: Disk,
    live: Mutex<HashMap<String, Arc<Slot>>>,
    compiled: AtomicU64,
    found: AtomicU64,
    shared: AtomicU64,
}

/// Locked while the component is compiled, so that a second load of the same bytes waits for the
/// first.
type Slot = Mutex<Weak<Artifact>>;

impl Artifacts {
    pub(super) fn new(disk: Disk) -> Self {
        Self {
            disk,
            live: Mutex::default(),
            compiled: AtomicU64::new(0),
            found: AtomicU64::new(0),
            shared: AtomicU64::new(0),
        }
    }

    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Returns the component with this digest, or creates it.
    pub(super) fn get_or_make(
        &self,
        digest: &str,
        make: impl FnOnce() -> Result<Arc<Artifact>, LoadError>,
    ) -> Result<Arc<Artifact>, LoadError> {
        let slot = self.slot(digest);
        let mut slot = slot.lock();
        if let Some(artifact) = slot.upgrade() {
            self.shared.fetch_add(1, Ordering::Relaxed);
            return Ok(artifact);
        }
        let artifact = make()?;
        *slot = Arc::downgrade(&artifact);
        Ok(artifact)
    }

    fn slot(&self, digest: &str) -> Arc<Slot> {
        let mut live = self.live.lock();
        // Entries that no load and no selector uses.
        live.retain(|_, slot| {
            Arc::strong_count(slot) > 1 || slot.try_lock().is_none_or(|c| c.strong_count() > 0)
        });
        Arc::clone(live.entry(digest.to_owned()).or_default())
    }

    /// Loads the component from the compile cache, or compiles it.
    pub(super) fn compile(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Made> {
        let made = match self.disk.entries() {
            Some(entries) => entries.compile(engine, bytes)?,
            None => Made {
                component: Component::new(engine, bytes)?,
                found: false,
                starts: false,
                name: String::new(),
            },
        };
        let count = if made.found {
            &self.found
        } else {
            &self.compiled
        };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(made)
    }

    /// Records that a component was started, so that it is not started again after a restart.
    pub(super) fn started(&self, name: &str) {
        if let Some(entries) = self.disk.entries() {
            entries.vouch(name);
        }
    }

    /// Compiles a component for a further engine. With a compile cache, the result is found there.
    pub(super) fn compile_again(
        &self,
        engine: &Engine,
        bytes: &[u8],
    ) -> wasmtime::Result<Component> {
        Component::new(engine, bytes)
    }

    pub(super) fn status(&self) -> CompileStatus {
        CompileStatus {
            compiled: self.compiled.load(Ordering::Relaxed),
            found: self.found.load(Ordering::Relaxed),
            shared: self.shared.load(Ordering::Relaxed),
            cache: self.disk.state(),
        }
    }
}
