//! The shape of `[selectors.limits]`, which is that of [`Limits`].

use std::num::{NonZeroU64, NonZeroUsize};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::values::Period;
use spanmux_component::Limits;

/// Limits of selectors. Each defaults to the library's value.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    /// Size of a component's file in bytes.
    component_bytes: Option<NonZeroUsize>,
    /// Linear memory of an instance in bytes.
    memory_bytes: Option<NonZeroUsize>,
    /// Table elements of an instance.
    table_elements: Option<NonZeroUsize>,
    /// Core instances inside a component.
    instances: Option<NonZeroUsize>,
    /// Linear memories inside a component.
    memories: Option<NonZeroUsize>,
    /// Tables inside a component.
    tables: Option<NonZeroUsize>,
    /// Stack for a guest's own frames in bytes.
    stack_bytes: Option<NonZeroUsize>,
    /// Fuel for one decision: about one unit per instruction.
    fuel: Option<NonZeroU64>,
    /// Wall-clock time for one decision, the backstop behind fuel.
    wall_clock: Option<Period>,
    /// Bytes that a guest may pass to the host at once.
    answer_bytes: Option<NonZeroUsize>,
    /// Bytes of an error message that are kept.
    message_bytes: Option<NonZeroUsize>,
    /// Bytes that a guest may print in one decision.
    printed_bytes: Option<NonZeroUsize>,
    /// Maximum number of concurrent decisions.
    sandboxes: Option<NonZeroUsize>,
    /// Maximum time that a decision waits for a sandbox slot.
    admission_wait: Option<Period>,
    /// Engines that run small selectors in parallel.
    engines: Option<NonZeroUsize>,
    /// Selectors in the directory.
    selectors: Option<NonZeroUsize>,
    /// Components that are compiled concurrently.
    compile_threads: Option<NonZeroUsize>,
    /// Answers that are cached per selector.
    cached_answers: Option<NonZeroUsize>,
    /// Size of the decision cache of one selector in bytes.
    cached_bytes: Option<NonZeroUsize>,
    /// Consecutive runs that trap, exhaust a budget or cannot be started, after which a selector is
    /// suspended; 0 for never.
    suspend_after: Option<u32>,
    /// Duration of the first suspension. Each further one is twice as long.
    suspend_first: Option<Period>,
    /// Maximum duration of a suspension.
    suspend_longest: Option<Period>,
}

impl From<&LimitsTable> for Limits {
    fn from(table: &LimitsTable) -> Self {
        let mut limits = Self::default();
        let count = |said: Option<NonZeroUsize>, limit| said.map_or(limit, NonZeroUsize::get);
        let time = |said: Option<Period>, limit| said.map_or(limit, |Period(time)| time);
        limits.component_bytes = count(table.component_bytes, limits.component_bytes);
        limits.memory_bytes = count(table.memory_bytes, limits.memory_bytes);
        limits.table_elements = count(table.table_elements, limits.table_elements);
        limits.instances = count(table.instances, limits.instances);
        limits.memories = count(table.memories, limits.memories);
        limits.tables = count(table.tables, limits.tables);
        limits.stack_bytes = count(table.stack_bytes, limits.stack_bytes);
        limits.fuel = table.fuel.map_or(limits.fuel, NonZeroU64::get);
        limits.wall_clock = time(table.wall_clock, limits.wall_clock);
        limits.answer_bytes = count(table.answer_bytes, limits.answer_bytes);
        limits.message_bytes = count(table.message_bytes, limits.message_bytes);
        limits.printed_bytes = count(table.printed_bytes, limits.printed_bytes);
        limits.sandboxes = count(table.sandboxes, limits.sandboxes);
        limits.admission_wait = time(table.admission_wait, limits.admission_wait);
        limits.engines = count(table.engines, limits.engines);
        limits.selectors = count(table.selectors, limits.selectors);
        limits.compile_threads = count(table.compile_threads, limits.compile_threads);
        limits.cached_answers = count(table.cached_answers, limits.cached_answers);
        limits.cached_bytes = count(table.cached_bytes, limits.cached_bytes);
        limits.suspend_after = table.suspend_after.unwrap_or(limits.suspend_after);
        limits.suspend_first = time(table.suspend_first, limits.suspend_first);
        limits.suspend_longest = time(table.suspend_longest, limits.suspend_longest);
        limits
    }
}
