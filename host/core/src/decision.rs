//! What a selector answers, and why a trace went where it went: plain values.
//!
//! Nothing here can fail. A decision may be a bad one, and then it says so.

use std::fmt;
use std::time::{Duration, SystemTime};

/// The place of a tracer in [`TracerNames`](crate::TracerNames), which gives it
/// out: [`TracerNames::choose`](crate::TracerNames::choose).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TracerIndex(pub(crate) usize);

/// What one selector answers for one trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub choice: Choice,
    /// Where the answer came from.
    pub origin: Origin,
}

/// A selector's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This tracer receives the trace.
    Tracer(TracerIndex),
    /// The selector has no say: the next one is asked.
    Abstain,
    /// The decision went wrong: the trace goes to the fallback tracer, and no
    /// other selector is asked.
    Fallback(Fallback),
}

impl Choice {
    /// A decision that the selector's author calls failed, with a reason that a
    /// person can read.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Fallback(Fallback::Failed(message.into()))
    }
}

/// A decision in two words, which is what nearly all of them take: on the way from
/// the selector to the selection it stays in registers.
///
/// Nobody outside can name it.
#[derive(Debug)]
pub struct CompactDecision {
    /// Unless there is a whole decision: nought if it abstains, else the place of
    /// the tracer and one; doubled, and one more if it was learned.
    code: u64,
    whole: Option<Box<Decision>>,
}

#[allow(missing_docs)] // Shared within the workspace only.
impl CompactDecision {
    /// What native code chose, or what was learned.
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
        // A place in a list in memory, so there is a bit to spare.
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

    /// Whether the next selector is asked.
    #[inline]
    pub fn abstains(&self) -> bool {
        match &self.whole {
            None => self.code < 2,
            Some(decision) => decision.choice == Choice::Abstain,
        }
    }

    /// The tracer's place, unless there is more to say.
    #[inline]
    pub fn place(&self) -> Option<usize> {
        let place = (self.code >> 1).checked_sub(1)?;
        self.whole.is_none().then_some(place as usize)
    }

    /// Whether it was learned.
    #[inline]
    pub fn cached(&self) -> bool {
        match &self.whole {
            None => self.code & 1 == 1,
            Some(decision) => decision.origin == Origin::Cached,
        }
    }

    /// What running a component cost.
    #[inline]
    pub fn cost(&self) -> Option<RunCost> {
        match self.whole.as_ref()?.origin {
            Origin::Run(cost) => Some(cost),
            _ => None,
        }
    }

    /// The whole decision, where it is more than a tracer or an abstention.
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

impl From<CompactDecision> for Decision {
    fn from(brief: CompactDecision) -> Self {
        let place = brief.place();
        let cached = brief.cached();
        match (brief.whole, place) {
            (Some(decision), _) => *decision,
            (None, place) => Self {
                choice: place.map_or(Choice::Abstain, |place| Choice::Tracer(TracerIndex(place))),
                origin: if cached {
                    Origin::Cached
                } else {
                    Origin::Native
                },
            },
        }
    }
}

/// Where a decision came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Native code, or no selector at all.
    #[default]
    Native,
    /// What was learned of a component, which did not run.
    Cached,
    /// A component ran in a fresh sandbox, or a stateful one in its own.
    Run(RunCost),
}

/// What running a component cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunCost {
    /// Wall-clock time, with making and dropping the sandbox.
    pub took: Duration,
    /// Fuel burnt: about one for each instruction, more for what the host did.
    /// The same for the same questions and answers, on every machine. Of a run that
    /// was stopped, what was counted until then, which may be a little less.
    pub fuel: u64,
}

impl RunCost {
    /// What it cost to run one selector after the other.
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
    /// The selector answered with an error: its author's deliberate word.
    Failed(String),
    /// The selector trapped, or a native one panicked.
    Trapped(String),
    /// The selector wanted more than a decision may have.
    OutOfBudget(Budget),
    /// Every sandbox was busy for as long as a decision may wait.
    Overloaded,
    /// The selector broke so often that it is left alone for a while; why it broke
    /// last. What was learned of it keeps answering.
    Suspended(String),
    /// The component's place in the directory is held by a file that could not
    /// be loaded.
    Unavailable(String),
    /// The host could not run the selector: no memory from the system, no stack.
    Host(String),
    /// The runtime context is incomplete, because a value exceeded a limit; the error. No selector
    /// ran.
    IncompleteContext(String),
}

/// What a decision ran out of: one of the host's `Limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Budget {
    /// Fuel. The same decision runs out of it on every machine.
    Fuel,
    /// Wall-clock time, the backstop behind fuel.
    WallClock,
    /// Stack: endless recursion.
    Stack,
    /// Bytes handed to the host: an answer or a question that is too large.
    Bytes,
}

impl Fallback {
    /// Bytes of the text that it carries.
    pub(crate) fn detail_bytes(&self) -> usize {
        match self {
            Fallback::UnknownTracer(text)
            | Fallback::Failed(text)
            | Fallback::Trapped(text)
            | Fallback::Suspended(text)
            | Fallback::Unavailable(text)
            | Fallback::Host(text)
            | Fallback::IncompleteContext(text) => text.len(),
            _ => 0,
        }
    }

    /// The cause in one word, for metrics, attributes and JSON.
    pub fn cause(&self) -> Cause {
        match self {
            Fallback::UnknownTracer(_) => Cause::UnknownTracer,
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
            Fallback::Failed(message) if message.is_empty() => {
                f.write_str("the selector failed and did not say why")
            }
            Fallback::Failed(message) => write!(f, "the selector failed: {message}"),
            Fallback::Trapped(message) => write!(f, "the selector trapped: {message}"),
            Fallback::OutOfBudget(budget) => write!(f, "the selector ran out of {budget}"),
            Fallback::Overloaded => f.write_str("no sandbox came free in time"),
            Fallback::Suspended(message) => {
                write!(
                    f,
                    "the selector is suspended, because its runs broke: {message}"
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
            Budget::Bytes => "bytes that it may hand to the host",
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
    pub const ALL: [Cause; 12] = [
        Cause::NoTracers,
        Cause::NoSelector,
        Cause::Abstained,
        Cause::UnknownTracer,
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

    /// The word that stands for it in attributes and JSON. It stays the same.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::NoTracers => "no_tracers",
            Cause::NoSelector => "no_selector",
            Cause::Abstained => "abstained",
            Cause::UnknownTracer => "unknown_tracer",
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

/// Why a selector is left alone, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suspension {
    /// Since when, with all the runs between that showed that it does not work yet.
    pub since: SystemTime,
    /// When the next run is tried; none if that is later than a clock can tell. It is
    /// tried by a decision that asks for it, so it may be later.
    pub until: Option<SystemTime>,
    /// How often it was suspended since it was loaded.
    pub times: u64,
    /// Why its last run broke.
    pub reason: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
