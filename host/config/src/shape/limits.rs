//! The shape of `[selectors.limits]`, which is that of [`Limits`].

use std::num::{NonZeroU64, NonZeroUsize};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::values::Period;
use spanmux_component::Limits;

/// What selectors may use. What is not said is as the library has it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    /// Bytes of a component's file.
    component_bytes: Option<NonZeroUsize>,
    /// Bytes of linear memory of an instance.
    memory_bytes: Option<NonZeroUsize>,
    /// Elements of all tables of an instance.
    table_elements: Option<NonZeroUsize>,
    /// Core instances inside a component.
    instances: Option<NonZeroUsize>,
    /// Linear memories inside a component.
    memories: Option<NonZeroUsize>,
    /// Tables inside a component.
    tables: Option<NonZeroUsize>,
    /// Bytes of stack for a guest's own frames.
    stack_bytes: Option<NonZeroUsize>,
    /// Fuel for one decision: about one for each instruction.
    fuel: Option<NonZeroU64>,
    /// Wall-clock time for one decision, the backstop behind fuel.
    wall_clock: Option<Period>,
    /// Bytes that a guest may hand to the host at once.
    answer_bytes: Option<NonZeroUsize>,
    /// Bytes of an error message that are kept.
    message_bytes: Option<NonZeroUsize>,
    /// Bytes that a guest may print in one decision.
    printed_bytes: Option<NonZeroUsize>,
    /// Decisions that may run at once.
    sandboxes: Option<NonZeroUsize>,
    /// How long a decision waits for a sandbox to come free.
    admission_wait: Option<Period>,
    /// Engines that run small selectors beside each other.
    engines: Option<NonZeroUsize>,
    /// Selectors in the directory.
    selectors: Option<NonZeroUsize>,
    /// Components that are compiled at once.
    compile_threads: Option<NonZeroUsize>,
    /// Answers that are learned of one selector.
    cached_answers: Option<NonZeroUsize>,
    /// Bytes that what is learned of one selector may take.
    cached_bytes: Option<NonZeroUsize>,
    /// Runs in a row that trap, use up a budget or cannot be made, after which a
    /// selector is suspended; 0 for never.
    suspend_after: Option<u32>,
    /// How long a selector is suspended the first time; twice as long each time after.
    suspend_first: Option<Period>,
    /// How long a selector is suspended at most.
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
