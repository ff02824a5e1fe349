//! Limits of memory and tables for one instance.

use wasmtime::ResourceLimiter;

use super::guest_fault::GuestFault;
use super::limits::Limits;

/// Memory and tables of one instance. The quota's refusal is visible to the guest and the same on
/// every machine. A refusal by the system is an error: a guest that could see it would not be
/// deterministic.
pub(super) struct Quota {
    memory_left: usize,
    table_left: usize,
    instances: usize,
    memories: usize,
    tables: usize,
    /// `true` if the quota refused growth.
    pub(super) refused: bool,
}

impl Quota {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory_left: limits.memory_bytes,
            table_left: limits.table_elements,
            instances: limits.instances,
            memories: limits.memories,
            tables: limits.tables,
            refused: false,
        }
    }
}

impl ResourceLimiter for Quota {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = take(&mut self.memory_left, current, desired, maximum);
        self.refused |= !granted;
        Ok(granted)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(GuestFault::NoMemory(error.to_string()).into())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = take(&mut self.table_left, current, desired, maximum);
        self.refused |= !granted;
        Ok(granted)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(GuestFault::NoMemory(error.to_string()).into())
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.memories
    }

    fn tables(&self) -> usize {
        self.tables
    }
}

/// Reserves growth if it is possible and within the quota.
fn take(left: &mut usize, current: usize, desired: usize, maximum: Option<usize>) -> bool {
    if maximum.is_some_and(|maximum| desired > maximum) {
        return false;
    }
    match left.checked_sub(desired.saturating_sub(current)) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}
