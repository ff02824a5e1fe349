//! The engine: which WebAssembly a selector may be, and how it is stopped.

use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OperatorCost, PoolingAllocationConfig,
    VariableOperatorCost,
};

use super::cache::Disk;
use super::limits::Limits;

/// Fuel for each page that a guest grows its memory by: the host clears it.
const FUEL_PER_PAGE: u8 = u8::MAX;

/// How much of a sandbox's memory stays in place for the next one. A guest of the
/// Rust kit fits, and then a decision makes no system call.
const KEEP_RESIDENT: usize = 64 << 10;

/// Makes an engine of its own for one host value: engines share nothing.
///
/// Sandboxes come from a pool that is as large as the limits allow. Where the
/// system does not give that much address space, they are made on demand: slower,
/// and the same otherwise.
pub(super) fn engine(limits: &Limits, disk: &Disk) -> wasmtime::Result<Engine> {
    let mut config = config(limits);
    config.cache(disk.entries().map(|entries| entries.wasmtime().clone()));
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    Engine::new(&config).or_else(|error| {
        tracing::debug!(%error, "no pool of sandboxes; they are made on demand");
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    })
}

fn config(limits: &Limits) -> Config {
    let mut config = Config::new();

    // A decision is cut off by fuel, the same on every machine; the epoch stands
    // behind it for what fuel does not see.
    config.consume_fuel(true);
    config.operator_cost(OperatorCost {
        variable: VariableOperatorCost {
            memory_grow_per_page: FUEL_PER_PAGE,
            ..VariableOperatorCost::new()
        },
        ..OperatorCost::new()
    });
    config.epoch_interruption(true);
    config.max_wasm_stack(limits.stack_bytes);
    // No such stack is made; the engine wants it no smaller than the other.
    config.async_stack_size(limits.stack_bytes);

    // The same answer on every machine: a selector is a pure function.
    config.cranelift_nan_canonicalization(true);
    config.wasm_relaxed_simd(false);

    // A selector computes a name. What it does not need for that stays off,
    // because most faults of an engine live in what is new.
    config.concurrency_support(false);
    config.wasm_threads(false);
    config.shared_memory(false);
    config.gc_support(false);
    config.wasm_gc(false);
    config.wasm_function_references(false);
    config.wasm_exceptions(false);
    config.wasm_memory64(false);
    config.wasm_multi_memory(false);
    config.wasm_tail_call(false);

    // Addresses are checked against what a sandbox may have and not against the
    // four gibibytes that a module could address: a pool must fit any machine.
    config.memory_reservation(limits.memory_bytes as u64);
    config.memory_guard_size(64 << 10);
    config.memory_reservation_for_growth(0);
    config.parallel_compilation(false);
    // A trap is told by its kind; nobody reads a guest's stack.
    config.wasm_backtrace_max_frames(None);
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let count = |each: usize| u32::try_from(each.saturating_mul(slots(limits))).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count(1))
        .total_core_instances(count(limits.instances))
        .total_memories(count(limits.memories))
        .total_tables(count(limits.tables))
        .total_gc_heaps(0)
        // Checked by ourselves, with an error that names the limit.
        .max_core_instances_per_component(u32::MAX)
        .max_memories_per_component(u32::MAX)
        .max_tables_per_component(u32::MAX)
        .max_component_instance_size(2 << 20)
        .max_core_instance_size(2 << 20)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT);
    pool
}

/// One sandbox for each decision that may run, and one for a component that is
/// being loaded.
fn slots(limits: &Limits) -> usize {
    limits.sandboxes.saturating_add(1)
}
