//! Decisions and their reasons as plain values.
//!
//! Nothing here can fail. A failed decision is a value too.

use std::fmt;
use std::time::{Duration, SystemTime};

/// The position of a tracer in [`TracerNames`](crate::TracerNames), issued by
/// [`TracerNames::choose`](crate::TracerNames::choose).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TracerIndex(pub(crate) usize);

/// The answer of one selector for one trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub choice: Choice,
    /// The origin of the answer.
    pub origin: Origin,
}

/// A selector's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This tracer receives the trace.
    Tracer(TracerIndex),
    /// The selector abstains: the next one runs.
    Abstain,
    /// The decision failed: the trace goes to the fallback tracer, and no other selector runs.
    Fallback(Fallback),
}

impl Choice {
    /// Creates a decision that the selector's author declares failed, with a readable reason.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Fallback(Fallback::Failed(message.into()))
    }
}

/// A decision in two words, so that it stays in registers between the selector and the selection.
/// Nearly all decisions fit.
///
/// The type cannot be named outside of this workspace.
#[derive(Debug)]
pub struct CompactDecision {
    /// Zero for an abstention, otherwise the tracer's position plus one; doubled, plus one if the
    /// decision was cached. Unused if `whole` is set.
    code: u64,
    whole: Option<Box<Decision>>,
}

#[allow(missing_docs)] // Shared within the workspace only.
impl CompactDecision {
    /// Creates a decision of native code or of the cache.
    #[inline]
    pub fn of(choice: Choice, cached: bool) -> Self {
        match choice {
            Choice::Tracer(index) => Self::tracer(index, cached),
            Choice::Abstain => Self::abstain(cached),
            choice => Self::failed(choice, cached),
        }
    }

    #[inline]
    pub fn tracer(index: TracerIndex, cached: bool) -> Self {
        // A position in a list in memory leaves the top bit free.
        let code = (index.0 as u64).wrapping_add(1) << 1 | u64::from(cached);
        Self { code, whole: None }
    }

    #[inline]
    pub fn abstain(cached: bool) -> Self {
        let code = u64::from(cached);
        Self { code, whole: None }
    }

    #[cold]
    fn failed(choice: Choice, cached: bool) -> Self {
        let origin = if cached {
            Origin::Cached
        } else {
            Origin::Native
        };
        Self::whole(Decision { choice, origin })
    }

    #[cold]
    fn whole(decision: Decision) -> Self {
        Self {
            code: 0,
            whole: Some(Box::new(decision)),
        }
    }

    /// Returns `true` if the next selector runs.
    #[inline]
    pub fn abstains(&self) -> bool {
        match &self.whole {
            None => self.code < 2,
            Some(decision) => decision.choice == Choice::Abstain,
        }
    }

    /// Returns the tracer's position if the decision is nothing more.
    #[inline]
    pub fn place(&self) -> Option<usize> {
        let place = (self.code >> 1).checked_sub(1)?;
        self.whole.is_none().then_some(place as usize)
    }

    /// Returns `true` if the decision was cached.
    #[inline]
    pub fn cached(&self) -> bool {
        match &self.whole {
            None => self.code & 1 == 1,
            Some(decision) => decision.origin == Origin::Cached,
        }
    }

    /// Returns the cost of running a component.
    #[inline]
    pub fn cost(&self) -> Option<RunCost> {
        match self.whole.as_ref()?.origin {
            Origin::Run(cost) => Some(cost),
            _ => None,
        }
    }

    /// Expands the decision.
    pub fn into_decision(self) -> Decision {
        let tracer = self.place();
        let origin = if self.cached() {
            Origin::Cached
        } else {
            Origin::Native
        };
        self.whole.map_or_else(
            || Decision {
                choice: tracer.map_or(Choice::Abstain, |index| Choice::Tracer(TracerIndex(index))),
                origin,
            },
            |whole| *whole,
        )
    }

    /// Returns the whole decision if it is more than a tracer or an abstention.
    #[inline]
    pub fn as_whole(&self) -> Option<&Decision> {
        self.whole.as_deref()
    }
}

impl From<Decision> for CompactDecision {
    fn from(decision: Decision) -> Self {
        match decision.origin {
            Origin::Native => Self::of(decision.choice, false),
            Origin::Cached => Self::of(decision.choice, true),
            Origin::Run(_) => Self::whole(decision),
        }
    }
}

/// The origin of a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Native code, or no selector at all.
    #[default]
    Native,
    /// The decision cache. The component did not run.
    Cached,
    /// A run of a component in a fresh instance, or in the instance of a stateful selector.
    Run(RunCost),
}

/// The cost of running a component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunCost {
    /// Wall-clock time including creation and disposal of the instance.
    pub took: Duration,
    /// Fuel consumed: about one unit per instruction, and more for work of the host. The same
    /// questions and answers consume the same fuel on every machine. For a run that was stopped,
    /// the fuel counted until then, which may be slightly less.
    pub fuel: u64,
}

impl RunCost {
    /// Adds the cost of a selector that ran before.
    #[cold]
    pub(crate) fn and(self, before: Option<Box<RunCost>>) -> Box<RunCost> {
        let before = before.map_or_else(Self::default, |before| *before);
        Box::new(Self {
            took: self.took.saturating_add(before.took),
            fuel: self.fuel.saturating_add(before.fuel),
        })
    }
}

/// The reason of a failed decision.
///
/// The trace goes to the fallback tracer, which is the default tracer unless the registry names
/// another one, and no further selector runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// The selector named a tracer that is not registered.
    UnknownTracer(String),
    /// The selector named a tracer that its allow-list does not contain
    /// ([`AllowedTracers`](crate::AllowedTracers)).
    ForbiddenTracer {
        /// The name of the selector.
        selector: String,
        /// The name that it answered.
        tracer: String,
    },
    /// The selector returned an error on purpose.
    Failed(String),
    /// The selector trapped, or a native selector panicked.
    Trapped(String),
    /// The selector exhausted a budget.
    OutOfBudget(Budget),
    /// No sandbox slot became free within the time that a decision may wait.
    Overloaded,
    /// The selector is suspended because its runs failed repeatedly; the last failure. Cached
    /// decisions stay available.
    Suspended(String),
    /// The selector's file in the directory could not be loaded and keeps its position.
    Unavailable(String),
    /// The host could not run the selector: the system refused memory, or the stack was too small.
    Host(String),
    /// The runtime context is incomplete, because a value exceeded a limit; the error. No selector
    /// ran.
    IncompleteContext(String),
}

/// The budget that a decision exhausted: one of the host's `Limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Budget {
    /// Fuel. The same decision exhausts it on every machine.
    Fuel,
    /// Wall-clock time, the backstop behind fuel.
    WallClock,
    /// Stack: unbounded recursion.
    Stack,
    /// Bytes passed to the host: an answer or a question that is too large.
    Bytes,
}

impl Fallback {
    /// Returns the size of the text in bytes.
    pub(crate) fn detail_bytes(&self) -> usize {
        match self {
            Fallback::UnknownTracer(text)
            | Fallback::Failed(text)
            | Fallback::Trapped(text)
            | Fallback::Suspended(text)
            | Fallback::Unavailable(text)
            | Fallback::Host(text)
            | Fallback::IncompleteContext(text) => text.len(),
            Fallback::ForbiddenTracer { selector, tracer } => selector.len() + tracer.len(),
            _ => 0,
        }
    }

    /// Returns the cause without details, for metrics, attributes and JSON.
    pub fn cause(&self) -> Cause {
        match self {
            Fallback::UnknownTracer(_) => Cause::UnknownTracer,
            Fallback::ForbiddenTracer { .. } => Cause::ForbiddenTracer,
            Fallback::Failed(_) => Cause::Failed,
            Fallback::Trapped(_) => Cause::Trapped,
            Fallback::OutOfBudget(_) => Cause::OutOfBudget,
            Fallback::Overloaded => Cause::Overloaded,
            Fallback::Suspended(_) => Cause::Suspended,
            Fallback::Unavailable(_) => Cause::Unavailable,
            Fallback::Host(_) => Cause::Host,
            Fallback::IncompleteContext(_) => Cause::IncompleteContext,
        }
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fallback::UnknownTracer(name) => {
                write!(f, "no tracer is named \"{}\"", name.escape_debug())
            }
            Fallback::ForbiddenTracer { selector, tracer } => write!(
                f,
                "the selector \"{}\" may not choose the tracer \"{}\"",
                selector.escape_debug(),
                tracer.escape_debug()
            ),
            Fallback::Failed(message) if message.is_empty() => {
                f.write_str("the selector failed without a message")
            }
            Fallback::Failed(message) => write!(f, "the selector failed: {message}"),
            Fallback::Trapped(message) => write!(f, "the selector trapped: {message}"),
            Fallback::OutOfBudget(budget) => write!(f, "the selector ran out of {budget}"),
            Fallback::Overloaded => f.write_str("no sandbox became free in time"),
            Fallback::Suspended(message) => {
                write!(
                    f,
                    "the selector is suspended because its runs failed: {message}"
                )
            }
            Fallback::Unavailable(message) => {
                write!(f, "the selector could not be loaded: {message}")
            }
            Fallback::Host(message) => write!(f, "the host could not run it: {message}"),
            Fallback::IncompleteContext(message) => {
                write!(f, "the runtime context is incomplete: {message}")
            }
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Budget::Fuel => "fuel",
            Budget::WallClock => "time",
            Budget::Stack => "stack",
            Budget::Bytes => "bytes that it may pass to the host",
        })
    }
}

/// The reason why a trace goes to its tracer.
///
/// A failed decision goes to the fallback tracer. The other reasons without a choice go to the
/// default tracer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A selector chose the tracer.
    Chosen,
    /// The registry has no tracer, so the trace goes nowhere.
    NoTracers,
    /// The registry has no selector.
    NoSelector,
    /// Every selector abstained.
    Abstained,
    /// The decision failed.
    Failed(Box<Fallback>),
}

impl Reason {
    /// Returns the cause, or `None` if a selector chose the tracer.
    #[inline]
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::Chosen => None,
            Self::NoTracers => Some(Cause::NoTracers),
            Self::NoSelector => Some(Cause::NoSelector),
            Self::Abstained => Some(Cause::Abstained),
            Self::Failed(fallback) => Some(fallback.cause()),
        }
    }

    /// Returns the failure, or `None` if the decision did not fail.
    #[inline]
    pub fn failure(&self) -> Option<&Fallback> {
        match self {
            Self::Failed(fallback) => Some(fallback),
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen => f.write_str("a selector chose the tracer"),
            Self::NoTracers => f.write_str("no tracer is registered"),
            Self::NoSelector => f.write_str("no selector is registered"),
            Self::Abstained => f.write_str("every selector abstained"),
            Self::Failed(fallback) => fallback.fmt(f),
        }
    }
}

/// The causes of [`Reason`] without their details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum Cause {
    /// [`Reason::NoTracers`]
    NoTracers,
    /// [`Reason::NoSelector`]
    NoSelector,
    /// [`Reason::Abstained`]
    Abstained,
    /// [`Fallback::UnknownTracer`]
    UnknownTracer,
    /// [`Fallback::ForbiddenTracer`]
    ForbiddenTracer,
    /// [`Fallback::Failed`]
    Failed,
    /// [`Fallback::Trapped`]
    Trapped,
    /// [`Fallback::OutOfBudget`]
    OutOfBudget,
    /// [`Fallback::Overloaded`]
    Overloaded,
    /// [`Fallback::Suspended`]
    Suspended,
    /// [`Fallback::Unavailable`]
    Unavailable,
    /// [`Fallback::Host`]
    Host,
    /// [`Fallback::IncompleteContext`]
    IncompleteContext,
}

impl Cause {
    /// Every cause, in the order of [`Reason`] and [`Fallback`].
    pub const ALL: [Cause; 13] = [
        Cause::NoTracers,
        Cause::NoSelector,
        Cause::Abstained,
        Cause::UnknownTracer,
        Cause::ForbiddenTracer,
        Cause::Failed,
        Cause::Trapped,
        Cause::OutOfBudget,
        Cause::Overloaded,
        Cause::Suspended,
        Cause::Unavailable,
        Cause::Host,
        Cause::IncompleteContext,
    ];

    /// Returns `true` for the causes of [`Fallback`], whose traces go to the fallback tracer.
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::NoTracers | Self::NoSelector | Self::Abstained)
    }

    /// Returns the stable identifier for attributes and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::NoTracers => "no_tracers",
            Cause::NoSelector => "no_selector",
            Cause::Abstained => "abstained",
            Cause::UnknownTracer => "unknown_tracer",
            Cause::ForbiddenTracer => "forbidden_tracer",
            Cause::Failed => "failed",
            Cause::Trapped => "trapped",
            Cause::OutOfBudget => "out_of_budget",
            Cause::Overloaded => "overloaded",
            Cause::Suspended => "suspended",
            Cause::Unavailable => "unavailable",
            Cause::Host => "host",
            Cause::IncompleteContext => "incomplete_context",
        }
    }
}

/// The suspension of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suspension {
    /// The start of the suspension, including all failed probes since.
    pub since: SystemTime,
    /// The earliest time of the next probe, or `None` if a clock cannot represent it. The probe is
    /// run by a decision, so it may be later.
    pub until: Option<SystemTime>,
    /// Number of suspensions since the selector was loaded.
    pub times: u64,
    /// The failure of the last run.
    pub reason: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
