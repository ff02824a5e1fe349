//! What a selector may use, as a page of promises: each limit a named constant
//! with its reason, each to be changed by the embedder.

use std::time::Duration;

use spanmux_core::internal::{CacheLimits, Patience};

/// What a component may use. Build it from [`Default`] and change what you need.
///
/// # Examples
/// ```
/// use spanmux::Limits;
/// use std::time::Duration;
///
/// let limits = Limits::default().wall_clock(Duration::from_millis(20));
/// assert_eq!(limits.fuel, Limits::FUEL);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a component's file.
    pub component_bytes: usize,
    /// Bytes of linear memory, over all memories of an instance.
    pub memory_bytes: usize,
    /// Elements of tables, over all tables of an instance.
    pub table_elements: usize,
    /// Core instances inside a component.
    pub instances: usize,
    /// Linear memories inside a component.
    pub memories: usize,
    /// Tables inside a component.
    pub tables: usize,
    /// Bytes of stack for a guest's own frames.
    pub stack_bytes: usize,
    /// Fuel for one decision: about one for each instruction, for each byte that
    /// is copied in bulk and for each byte that a question hands over.
    pub fuel: u64,
    /// Wall-clock time for one decision, the backstop behind fuel. Ticks of
    /// [`TICK`](Self::TICK), so it may last one tick longer.
    pub wall_clock: Duration,
    /// Bytes that a guest may hand to the host at once: a key, a salt, its answer.
    pub answer_bytes: usize,
    /// Bytes of an error message that are kept.
    pub message_bytes: usize,
    /// Bytes that a guest may print in one decision; what it prints beyond is
    /// dropped.
    pub printed_bytes: usize,
    /// Decisions that may run at once.
    pub sandboxes: usize,
    /// How long a decision waits for a sandbox to come free.
    pub admission_wait: Duration,
    /// Engines that run small selectors beside each other, so that threads do not
    /// hold each other up. Each selector is compiled for each.
    pub engines: usize,
    /// Selectors in one directory.
    pub selectors: usize,
    /// Components of a directory that are compiled at once, each on a thread.
    pub compile_threads: usize,
    /// Answers that are learned of one selector, over all of its questions.
    pub cached_answers: usize,
    /// Bytes that what is learned of one selector may take.
    pub cached_bytes: usize,
    /// Runs in a row that trap, use up a budget or cannot be made, after which a
    /// selector is suspended. Never, if this is 0.
    pub suspend_after: u32,
    /// How long a selector is suspended the first time, before a run is tried. Each
    /// time after that it is twice as long.
    pub suspend_first: Duration,
    /// How long a selector is suspended at most.
    pub suspend_longest: Duration,
}

impl Limits {
    /// Sets [`component_bytes`](#structfield.component_bytes).
    #[must_use]
    pub fn component_bytes(mut self, component_bytes: usize) -> Self {
        self.component_bytes = component_bytes;
        self
    }

    /// Sets [`memory_bytes`](#structfield.memory_bytes).
    #[must_use]
    pub fn memory_bytes(mut self, memory_bytes: usize) -> Self {
        self.memory_bytes = memory_bytes;
        self
    }

    /// Sets [`table_elements`](#structfield.table_elements).
    #[must_use]
    pub fn table_elements(mut self, table_elements: usize) -> Self {
        self.table_elements = table_elements;
        self
    }

    /// Sets [`instances`](#structfield.instances).
    #[must_use]
    pub fn instances(mut self, instances: usize) -> Self {
        self.instances = instances;
        self
    }

    /// Sets [`memories`](#structfield.memories).
    #[must_use]
    pub fn memories(mut self, memories: usize) -> Self {
        self.memories = memories;
        self
    }

    /// Sets [`tables`](#structfield.tables).
    #[must_use]
    pub fn tables(mut self, tables: usize) -> Self {
        self.tables = tables;
        self
    }

    /// Sets [`stack_bytes`](#structfield.stack_bytes).
    #[must_use]
    pub fn stack_bytes(mut self, stack_bytes: usize) -> Self {
        self.stack_bytes = stack_bytes;
        self
    }

    /// Sets [`fuel`](#structfield.fuel).
    #[must_use]
    pub fn fuel(mut self, fuel: u64) -> Self {
        self.fuel = fuel;
        self
    }

    /// Sets [`wall_clock`](#structfield.wall_clock).
    #[must_use]
    pub fn wall_clock(mut self, wall_clock: Duration) -> Self {
        self.wall_clock = wall_clock;
        self
    }

    /// Sets [`answer_bytes`](#structfield.answer_bytes).
    #[must_use]
    pub fn answer_bytes(mut self, answer_bytes: usize) -> Self {
        self.answer_bytes = answer_bytes;
        self
    }

    /// Sets [`message_bytes`](#structfield.message_bytes).
    #[must_use]
    pub fn message_bytes(mut self, message_bytes: usize) -> Self {
        self.message_bytes = message_bytes;
        self
    }

    /// Sets [`printed_bytes`](#structfield.printed_bytes).
    #[must_use]
    pub fn printed_bytes(mut self, printed_bytes: usize) -> Self {
        self.printed_bytes = printed_bytes;
        self
    }

    /// Sets [`sandboxes`](#structfield.sandboxes).
    #[must_use]
    pub fn sandboxes(mut self, sandboxes: usize) -> Self {
        self.sandboxes = sandboxes;
        self
    }

    /// Sets [`admission_wait`](#structfield.admission_wait).
    #[must_use]
    pub fn admission_wait(mut self, admission_wait: Duration) -> Self {
        self.admission_wait = admission_wait;
        self
    }

    /// Sets [`engines`](#structfield.engines).
    #[must_use]
    pub fn engines(mut self, engines: usize) -> Self {
        self.engines = engines;
        self
    }

    /// Sets [`selectors`](#structfield.selectors).
    #[must_use]
    pub fn selectors(mut self, selectors: usize) -> Self {
        self.selectors = selectors;
        self
    }

    /// Sets [`compile_threads`](#structfield.compile_threads).
    #[must_use]
    pub fn compile_threads(mut self, compile_threads: usize) -> Self {
        self.compile_threads = compile_threads;
        self
    }

    /// Sets [`cached_answers`](#structfield.cached_answers).
    #[must_use]
    pub fn cached_answers(mut self, cached_answers: usize) -> Self {
        self.cached_answers = cached_answers;
        self
    }

    /// Sets [`cached_bytes`](#structfield.cached_bytes).
    #[must_use]
    pub fn cached_bytes(mut self, cached_bytes: usize) -> Self {
        self.cached_bytes = cached_bytes;
        self
    }

    /// Sets [`suspend_after`](#structfield.suspend_after).
    #[must_use]
    pub fn suspend_after(mut self, suspend_after: u32) -> Self {
        self.suspend_after = suspend_after;
        self
    }

    /// Sets [`suspend_first`](#structfield.suspend_first).
    #[must_use]
    pub fn suspend_first(mut self, suspend_first: Duration) -> Self {
        self.suspend_first = suspend_first;
        self
    }

    /// Sets [`suspend_longest`](#structfield.suspend_longest).
    #[must_use]
    pub fn suspend_longest(mut self, suspend_longest: Duration) -> Self {
        self.suspend_longest = suspend_longest;
        self
    }
}

impl Limits {
    /// 64 MiB. The largest toolchain we know of, Python's, makes 18 MB.
    pub const COMPONENT_BYTES: usize = 64 << 20;
    /// 64 MiB. A Python interpreter starts with 13 MB, a Rust selector needs 64
    /// KiB.
    pub const MEMORY_BYTES: usize = 64 << 20;
    /// The largest interpreter we know of has 7,690.
    pub const TABLE_ELEMENTS: usize = 65_536;
    /// A component linked from shared libraries, as Python's, needs dozens.
    pub const INSTANCES: usize = 64;
    /// One, and one for each adapter with a memory of its own.
    pub const MEMORIES: usize = 4;
    /// One for each module of a component.
    pub const TABLES: usize = 16;
    /// 512 KiB. Enough for the recursion of an interpreter; a caller's thread that
    /// has less left borrows a stack for the decision.
    pub const STACK_BYTES: usize = 512 << 10;
    /// A Rust selector burns some thousands, an interpreter about two millions;
    /// this many take some ten milliseconds.
    pub const FUEL: u64 = 20_000_000;
    /// Far beyond what the fuel lasts on a healthy machine, and short enough to
    /// wait for once.
    pub const WALL_CLOCK: Duration = Duration::from_millis(100);
    /// How often the clock is looked at while decisions run.
    pub const TICK: Duration = Duration::from_millis(5);
    /// 64 KiB. A tracer's name has at most 256 bytes and a key some dozens.
    pub const ANSWER_BYTES: usize = 64 << 10;
    /// A sentence or two for a person.
    pub const MESSAGE_BYTES: usize = 1024;
    /// What a person would read of one decision's output.
    pub const PRINTED_BYTES: usize = 4096;
    /// Two for each core: a decision computes and does not wait, so more would
    /// only hold memory. At least four.
    pub const SANDBOXES_PER_CORE: usize = 2;
    /// A thousand Rust decisions long, or ten of an interpreter.
    pub const ADMISSION_WAIT: Duration = Duration::from_millis(20);
    /// One for each core, and no more than this, because each engine compiles for
    /// itself: a few milliseconds for a selector in Rust. Where decisions run, two
    /// threads come to 1.9 times as many as one with an engine for each, and to
    /// between 1.0 and 1.5 times in one.
    pub const ENGINES: usize = 4;
    /// A chain is asked one after the other; more than this is a mistake.
    pub const SELECTORS: usize = 64;
    /// One for each core and no more than this: to compile a language runtime takes
    /// some hundreds of megabytes while it lasts.
    pub const COMPILE_THREADS: usize = 4;

    /// Stateful selectors that keep a sandbox beside those for decisions. One more may
    /// find none, and its decisions go to the fallback tracer.
    pub const STATEFUL: usize = 8;
    /// As many as fit into [`LEARNED_BYTES`](Self::LEARNED_BYTES).
    pub const LEARNED_ANSWERS: usize = 65_536;
    /// 4 MiB, of which a selector that asks for a tenant and an environment takes a
    /// few kilobytes. More is for one that asks for each user.
    pub const LEARNED_BYTES: usize = 4 << 20;

    /// Once or twice may be one request, or the machine; what breaks alike for the same
    /// answers is learned and runs once.
    pub const SUSPEND_AFTER: u32 = 5;
    /// A machine that was short of something may have it again.
    pub const SUSPEND_FIRST: Duration = Duration::from_secs(1);
    /// Short enough that nobody restarts a service to have a selector tried again.
    pub const SUSPEND_LONGEST: Duration = Duration::from_secs(300);

    pub(crate) fn patience(&self) -> Patience {
        Patience {
            after: self.suspend_after,
            first: self.suspend_first,
            longest: self.suspend_longest.max(self.suspend_first),
        }
    }

    pub(super) fn room(&self) -> CacheLimits {
        CacheLimits {
            answers: self.cached_answers,
            bytes: self.cached_bytes,
        }
    }

    /// [`wall_clock`](Self::wall_clock) in ticks: at least two, because the first
    /// may be about to end.
    pub(crate) fn ticks(&self) -> u64 {
        let ticks = self.wall_clock.as_nanos().div_ceil(Self::TICK.as_nanos());
        u64::try_from(ticks)
            .unwrap_or(u64::MAX / 2)
            .saturating_add(1)
    }
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            component_bytes: Self::COMPONENT_BYTES,
            memory_bytes: Self::MEMORY_BYTES,
            table_elements: Self::TABLE_ELEMENTS,
            instances: Self::INSTANCES,
            memories: Self::MEMORIES,
            tables: Self::TABLES,
            stack_bytes: Self::STACK_BYTES,
            fuel: Self::FUEL,
            wall_clock: Self::WALL_CLOCK,
            answer_bytes: Self::ANSWER_BYTES,
            message_bytes: Self::MESSAGE_BYTES,
            printed_bytes: Self::PRINTED_BYTES,
            sandboxes: (cores * Self::SANDBOXES_PER_CORE).max(4),
            admission_wait: Self::ADMISSION_WAIT,
            engines: cores.min(Self::ENGINES),
            selectors: Self::SELECTORS,
            compile_threads: cores.min(Self::COMPILE_THREADS),
            cached_answers: Self::LEARNED_ANSWERS,
            cached_bytes: Self::LEARNED_BYTES,
            suspend_after: Self::SUSPEND_AFTER,
            suspend_first: Self::SUSPEND_FIRST,
            suspend_longest: Self::SUSPEND_LONGEST,
        }
    }
}
