//! The engine: the WebAssembly features that a selector may use, and the ways to stop it.

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OperatorCost, OptLevel,
    PoolingAllocationConfig, RegallocAlgorithm, VariableOperatorCost, WasmFeatures,
};

use super::cache::Disk;
use super::limits::Limits;
use super::tier::CompileTier;

/// The enabled WebAssembly proposals. All others are disabled, including those that a later
/// wasmtime enables by default. docs/wasmtime.md gives the reasons.
const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::COMPONENT_MODEL)
    // Not for selectors, which are refused if they use it (`requirements`), but for the modules
    // with which the engine connects the components inside a component.
    .union(WasmFeatures::MULTI_MEMORY);

/// Fuel per page by which a guest grows its memory, because the host clears it.
const FUEL_PER_PAGE: u8 = u8::MAX;

/// Part of a sandbox's memory that stays mapped and is cleared by the host. A guest of the Rust kit
/// fits, so that a decision makes no system call.
const KEPT_OF_SMALL: usize = 64 << 10;

/// The same for a large memory, of which only the pages are cleared that the kernel reports as
/// written. An interpreter writes about one mebibyte per decision.
const KEPT_OF_LARGE: usize = 2 << 20;

/// The initial memory of a component, which determines how it is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    /// Clearing all of it is faster than asking the kernel which pages were written.
    Small,
    /// Anything larger.
    Large,
}

impl Memory {
    pub(super) fn of(bytes: u64) -> Self {
        if bytes <= KEPT_OF_SMALL as u64 {
            Self::Small
        } else {
            Self::Large
        }
    }
}

/// The source of a sandbox's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allocation {
    /// A pool that matches the limits. If the system refuses that much address space, `OnDemand`.
    Pool,
    /// The system, for each sandbox: slower, without address space in advance, and otherwise
    /// equivalent.
    OnDemand,
}

/// Returns `true` if the kernel reports written pages (Linux 6.7 and later). Without that, a large
/// memory is treated as a small one.
pub(super) fn tells_large() -> bool {
    PoolingAllocationConfig::is_pagemap_scan_available()
}

/// Creates an engine. Engines share nothing.
pub(super) fn engine(
    limits: &Limits,
    memory: Memory,
    disk: &Disk,
    allocation: Allocation,
    tier: CompileTier,
) -> wasmtime::Result<Engine> {
    let mut config = config(limits, tier.is_fast(memory));
    config.cache(disk.entries().map(|entries| entries.wasmtime().clone()));
    if allocation == Allocation::OnDemand {
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        return Engine::new(&config);
    }
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, memory)));
    Engine::new(&config).or_else(|error| {
        tracing::debug!(%error, "no pool of sandboxes; they are allocated on demand");
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    })
}

fn config(limits: &Limits, is_fast: bool) -> Config {
    let mut config = Config::new();

    // Fuel is counted in the code before it is compiled, so both ways count the same.
    if is_fast {
        config.cranelift_opt_level(OptLevel::None);
        config.cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
    }

    // Fuel stops a decision at the same point on every machine. The epoch is the backstop for
    // effects that fuel does not measure.
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
    // No such stack is created, but the engine requires it to be no smaller than the other.
    config.async_stack_size(limits.stack_bytes);

    // The same answer on every machine: a selector is a pure function.
    config.cranelift_nan_canonicalization(true);

    // A selector computes a name. Features that it does not need stay disabled, because most faults
    // of an engine are in new features.
    config.wasm_features(FEATURES, true);
    config.wasm_features(!FEATURES, false);
    config.concurrency_support(false);
    config.shared_memory(false);

    // Addresses are checked against the limit of a sandbox, and not against the four gibibytes that
    // a module can address: the pool must fit any machine.
    config.memory_reservation(limits.memory_bytes as u64);
    config.memory_guard_size(64 << 10);
    config.memory_reservation_for_growth(0);
    config.parallel_compilation(false);
    // Traps are reported by kind. Backtraces of guests are not used.
    config.wasm_backtrace_max_frames(None);
    config
}

fn pool(limits: &Limits, memory: Memory) -> PoolingAllocationConfig {
    let count = |each: usize| u32::try_from(each.saturating_mul(slots(limits))).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count(1))
        .total_core_instances(count(limits.instances))
        .total_memories(count(limits.memories))
        .total_tables(count(limits.tables))
        .total_gc_heaps(0)
        // Checked by this crate, with an error that names the limit.
        .max_core_instances_per_component(u32::MAX)
        .max_memories_per_component(u32::MAX)
        .max_tables_per_component(u32::MAX)
        .max_component_instance_size(2 << 20)
        .max_core_instance_size(2 << 20)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        .table_keep_resident(KEPT_OF_SMALL);
    match memory {
        Memory::Small => pool.linear_memory_keep_resident(KEPT_OF_SMALL),
        Memory::Large if !tells_large() => pool.linear_memory_keep_resident(KEPT_OF_SMALL),
        Memory::Large => pool
            .linear_memory_keep_resident(KEPT_OF_LARGE)
            .pagemap_scan(Enabled::Auto),
    };
    pool
}

/// Returns the number of slots: one per concurrent decision, one for a component that is being
/// loaded, and those of stateful selectors.
fn slots(limits: &Limits) -> usize {
    limits.sandboxes.saturating_add(1 + Limits::STATEFUL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/wasmtime.md");
        std::fs::read_to_string(path).unwrap()
    }

    /// Returns the flags in docs/wasmtime.md and whether each is on.
    fn documented() -> Vec<(String, bool)> {
        let page = page();
        let (_, table) = page.split_once("## Proposals").unwrap();
        let (table, _) = table.split_once("\n## ").unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
        rows.map(|row| {
            let (flag, rest) = row.split_once("` |").unwrap();
            (flag.to_owned(), rest.trim_start().starts_with("on"))
        })
        .collect()
    }

    #[test]
    fn every_proposal_is_on_or_off_as_the_document_says() {
        let documented = documented();
        let known: Vec<&str> = WasmFeatures::all()
            .iter_names()
            .map(|(name, _)| name)
            .collect();
        let named: Vec<&str> = documented.iter().map(|(flag, _)| flag.as_str()).collect();
        for flag in &known {
            assert!(named.contains(flag), "{flag} is not in docs/wasmtime.md");
        }
        let disk = Disk::open(None, &Limits::default());
        for (memory, allocation) in [
            (Memory::Small, Allocation::Pool),
            (Memory::Large, Allocation::Pool),
            (Memory::Small, Allocation::OnDemand),
        ] {
            let engine = engine(
                &Limits::default(),
                memory,
                &disk,
                allocation,
                CompileTier::default(),
            )
            .unwrap();
            for (flag, on) in &documented {
                let is_on = WasmFeatures::from_name(flag).unwrap();
                let is_on = engine.get_wasm_features().contains(is_on);
                assert_eq!(is_on, *on, "{flag}");
            }
        }
    }

    /// Compares the settings in docs/wasmtime.md with the names in `config`.
    #[test]
    fn every_setting_is_in_the_document() {
        let page = page();
        let source = include_str!("engine.rs");
        let (_, config) = source.split_once("fn config(").unwrap();
        let (config, _) = config.split_once("fn pool(").unwrap();
        let calls = config
            .lines()
            .filter_map(|line| line.trim().strip_prefix("config."));
        let settings: Vec<&str> = calls.filter_map(|call| call.split('(').next()).collect();
        assert!(settings.len() > 10, "{settings:?}");
        for setting in settings {
            assert!(page.contains(&format!("`{setting}`")), "{setting}");
        }
    }
}
