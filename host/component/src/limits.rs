//! The limits of selectors: each a named constant with its reason, and each adjustable.

use std::time::Duration;

use spanmux_core::internal::{CacheLimits, Patience};

/// The limits of components. Start from [`Default`] and change individual limits with methods.
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
    /// Size of a component's file in bytes.
    pub component_bytes: usize,
    /// Linear memory of an instance, over all of its memories, in bytes.
    pub memory_bytes: usize,
    /// Table elements of an instance, over all of its tables.
    pub table_elements: usize,
    /// Core instances inside a component.
    pub instances: usize,
    /// Linear memories inside a component.
    pub memories: usize,
    /// Tables inside a component.
    pub tables: usize,
    /// Stack for a guest's own frames, in bytes.
    pub stack_bytes: usize,
    /// Fuel for one decision: about one unit per instruction, per byte that is copied in bulk, and
    /// per byte that an answer transfers.
    pub fuel: u64,
    /// Wall-clock time for one decision, the backstop behind fuel. Measured in ticks of
    /// [`TICK`](Self::TICK), so it may last one tick longer.
    pub wall_clock: Duration,
    /// Bytes that a guest may pass to the host at once: a key, a salt, its answer.
    pub answer_bytes: usize,
    /// Bytes of an error message that are kept.
    pub message_bytes: usize,
    /// Bytes that a guest may print in one decision. Further output is dropped.
    pub printed_bytes: usize,
    /// Maximum number of concurrent decisions.
    pub sandboxes: usize,
    /// Maximum time that a decision waits for a sandbox slot.
    pub admission_wait: Duration,
    /// Engines for small selectors, so that threads do not contend for one. Each selector is
    /// compiled for every engine.
    pub engines: usize,
    /// Selectors in one directory.
    pub selectors: usize,
    /// Components of a directory that are compiled concurrently, each on a thread.
    pub compile_threads: usize,
    /// Answers that are cached per selector, over all of its questions.
    pub cached_answers: usize,
    /// Size of the decision cache of one selector in bytes.
    pub cached_bytes: usize,
    /// Consecutive runs within a minute that trap, exhaust a budget or cannot be started, after which
    /// a selector is checked: it is suspended if it also fails with a context that worked before, or
    /// with an empty one if none did. Zero disables suspension.
    pub suspend_after: u32,
    /// Duration of the first suspension. Each further one is twice as long.
    pub suspend_first: Duration,
    /// Maximum duration of a suspension.
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
    /// 64 MiB. The largest known toolchain, Python's, produces 18 MB.
    pub const COMPONENT_BYTES: usize = 64 << 20;
    /// 64 MiB. A Python interpreter starts with 13 MB; a Rust selector needs 64 KiB.
    pub const MEMORY_BYTES: usize = 64 << 20;
    /// The largest known interpreter has 7,690.
    pub const TABLE_ELEMENTS: usize = 65_536;
    /// A component that is linked from shared libraries, as Python's is, needs dozens.
    pub const INSTANCES: usize = 64;
    /// One, plus one for each adapter with a memory of its own.
    pub const MEMORIES: usize = 4;
    /// One per module of a component.
    pub const TABLES: usize = 16;
    /// 512 KiB. Sufficient for the recursion of an interpreter. If the caller's thread has less
    /// left, a stack is allocated for the decision.
    pub const STACK_BYTES: usize = 512 << 10;
    /// A Rust selector consumes some thousands, an interpreter about two million. This number takes
    /// some ten milliseconds.
    pub const FUEL: u64 = 20_000_000;
    /// Far longer than the fuel lasts on a healthy machine, and short enough for a single wait.
    pub const WALL_CLOCK: Duration = Duration::from_millis(100);
    /// The interval of the epoch ticker while decisions run.
    pub const TICK: Duration = Duration::from_millis(5);
    /// 64 KiB. A tracer's name has at most 256 bytes, and a key some dozens.
    pub const ANSWER_BYTES: usize = 64 << 10;
    /// A sentence or two.
    pub const MESSAGE_BYTES: usize = 1024;
    /// About a page of output per decision.
    pub const PRINTED_BYTES: usize = 4096;
    /// Two per core: a decision computes and does not wait, so more slots would only occupy memory.
    /// At least four.
    pub const SANDBOXES_PER_CORE: usize = 2;
    /// As long as a thousand decisions in Rust, or ten of an interpreter.
    pub const ADMISSION_WAIT: Duration = Duration::from_millis(20);
    /// One per core, up to this number, because each engine compiles for itself: a few milliseconds
    /// for a selector in Rust. With an engine each, two threads make 1.9 times as many decisions as
    /// one, and with a shared engine between 1.0 and 1.5 times.
    pub const ENGINES: usize = 4;
    /// A chain runs its selectors one after the other. A longer chain is a mistake.
    pub const SELECTORS: usize = 64;
    /// One per core, up to this number: compiling a language runtime temporarily takes some
    /// hundreds of megabytes.
    pub const COMPILE_THREADS: usize = 4;

    /// Stateful selectors that keep a sandbox in addition to those for decisions. A further one may
    /// find none, and its decisions go to the fallback tracer.
    pub const STATEFUL: usize = 8;
    /// As many as fit into [`CACHED_BYTES`](Self::CACHED_BYTES).
    pub const CACHED_ANSWERS: usize = 65_536;
    /// 4 MiB. A selector that asks for a tenant and an environment takes a few kilobytes. The rest
    /// is for selectors that ask for each user.
    pub const CACHED_BYTES: usize = 4 << 20;

    /// One or two failures may be due to one request or to the machine. A failure that repeats for
    /// the same answers is cached and runs once.
    pub const SUSPEND_AFTER: u32 = 5;
    /// Long enough for a machine to recover from a temporary shortage.
    pub const SUSPEND_FIRST: Duration = Duration::from_secs(1);
    /// Short enough that nobody restarts a service to retry a selector.
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

    /// Replaces values that no machine can provide by the largest useful ones, so that "no limit" may
    /// be written as the largest number.
    pub(crate) fn within_reach(mut self) -> Self {
        let at_most = |limit: &mut usize, most: usize| *limit = (*limit).min(most);
        // Reading one byte more than the limit shows that a file is too large.
        at_most(&mut self.component_bytes, isize::MAX as usize);
        // All that 32-bit code can address.
        at_most(
            &mut self.memory_bytes,
            usize::try_from(4_u64 << 30).unwrap_or(usize::MAX),
        );
        at_most(&mut self.table_elements, u32::MAX as usize);
        // Address space that a 64-bit machine can map for each decision.
        at_most(&mut self.stack_bytes, 1 << 30);
        at_most(&mut self.engines, Self::MOST_ENGINES);
        at_most(&mut self.cached_answers, Self::MOST_CACHED_ANSWERS);
        self
    }

    /// Returns [`wall_clock`](Self::wall_clock) in ticks: at least two, because the first one may
    /// be about to end.
    pub(crate) fn ticks(&self) -> u64 {
        let ticks = self.wall_clock.as_nanos().div_ceil(Self::TICK.as_nanos());
        u64::try_from(ticks)
            .unwrap_or(u64::MAX / 2)
            .saturating_add(1)
    }
}

impl Limits {
    /// Beyond this number, further engines only occupy address space.
    const MOST_ENGINES: usize = 64;
    /// The table of the decision cache for this many answers takes 8 MiB as soon as it is used.
    const MOST_CACHED_ANSWERS: usize = 1 << 24;
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
            cached_answers: Self::CACHED_ANSWERS,
            cached_bytes: Self::CACHED_BYTES,
            suspend_after: Self::SUSPEND_AFTER,
            suspend_first: Self::SUSPEND_FIRST,
            suspend_longest: Self::SUSPEND_LONGEST,
        }
    }
}
