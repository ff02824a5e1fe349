//! The structure of `[selectors.limits]`, with the fields of [`Limits`].

use std::num::{NonZeroU64, NonZeroUsize};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::values::Period;
use spanmux_component::Limits;

/// The resource limits of selectors. Omitted limits keep the library's defaults.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    /// Maximum size of a component file in bytes.
    component_bytes: Option<NonZeroUsize>,
    /// Maximum linear memory of an instance in bytes.
    #[schemars(range(max = 4_294_967_296u64))]
    memory_bytes: Option<NonZeroUsize>,
    /// Maximum number of elements in all tables of an instance.
    #[schemars(range(max = 10_000_000))]
    table_elements: Option<NonZeroUsize>,
    /// Maximum number of core instances in a component.
    #[schemars(range(max = 1000))]
    instances: Option<NonZeroUsize>,
    /// Maximum number of linear memories in a component.
    #[schemars(range(max = 1000))]
    memories: Option<NonZeroUsize>,
    /// Maximum number of tables in a component.
    #[schemars(range(max = 1000))]
    tables: Option<NonZeroUsize>,
    /// Stack size for the guest's own frames in bytes.
    #[schemars(range(max = 67_108_864))]
    stack_bytes: Option<NonZeroUsize>,
    /// Fuel for one decision: about one unit per instruction.
    fuel: Option<NonZeroU64>,
    /// Maximum wall-clock time for one decision, as a backstop to fuel.
    wall_clock: Option<Period>,
    /// Maximum number of bytes that a guest may pass to the host in one value.
    answer_bytes: Option<NonZeroUsize>,
    /// Maximum number of bytes kept of an error message.
    message_bytes: Option<NonZeroUsize>,
    /// Maximum number of bytes that a guest may print in one decision.
    printed_bytes: Option<NonZeroUsize>,
    /// Maximum number of concurrent decisions.
    #[schemars(range(max = 10_000))]
    sandboxes: Option<NonZeroUsize>,
    /// Maximum time that a decision waits for a free sandbox slot.
    admission_wait: Option<Period>,
    /// Number of engines that run small selectors in parallel.
    #[schemars(range(max = 256))]
    engines: Option<NonZeroUsize>,
    /// Maximum number of selectors in the directory.
    #[schemars(range(max = 10_000))]
    selectors: Option<NonZeroUsize>,
    /// Maximum number of components compiled in parallel.
    #[schemars(range(max = 256))]
    compile_threads: Option<NonZeroUsize>,
    /// Maximum number of answers in the decision cache of one selector.
    cached_answers: Option<NonZeroUsize>,
    /// Maximum size of the decision cache of one selector in bytes.
    cached_bytes: Option<NonZeroUsize>,
    /// Number of consecutive runs that trap, exhaust a budget or fail to start, after which a
    /// selector is suspended; 0 disables suspension.
    suspend_after: Option<u32>,
    /// Duration of the first suspension. Each further suspension lasts twice as long.
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
