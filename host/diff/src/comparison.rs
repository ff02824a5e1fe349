//! The result of a comparison as plain data.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};
use spanmux_core::Cause;
use spanmux_core::explanation::printable;

use crate::condition::Condition;

/// The differences between two policies that were found, and the extent of the search.
///
/// A reported difference was observed. If none is reported, none was found within the extent that
/// [`groups`](Self::groups) and [`combined`](Self::combined) state; the policies may still differ
/// for contexts that were not made up.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The name of the old policy.
    pub old: String,
    /// The name of the new policy.
    pub new: String,
    /// Whether both policies have the same files in the same order. Nothing was run then.
    pub identical: bool,
    /// The differences by the change of the tracer, the most frequent first.
    pub changes: Vec<Change>,
    /// The selectors and the exploration of each group of them.
    pub groups: Vec<ExploredGroup>,
    /// The number of contexts made by combining those of several selectors.
    pub combined: usize,
    /// The number of combinations that were not tried, because the budget was spent.
    pub combinations_left: usize,
    /// The number of given contexts.
    pub given: usize,
    /// Contexts for which one of the policies has no reproducible decision.
    pub undetermined: usize,
}

/// All differences with the same decision before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The decision of the old policy.
    pub from: Verdict,
    /// The decision of the new policy.
    pub to: Verdict,
    /// The made-up contexts that show it.
    pub contexts: usize,
    /// Its conditions, each with a minimal context.
    pub differences: Vec<Difference>,
    /// The given contexts that show it.
    pub given: Vec<GivenDifference>,
}

/// A condition under which the decisions differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The answers that matter.
    pub condition: Condition,
    /// A minimal context: without any one of its keys, this difference disappears.
    pub example: Map<String, Value>,
}

/// A given context for which the decisions differ.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenDifference {
    /// Its place in the file, or the name of its case.
    pub label: String,
    /// The context.
    pub context: Value,
}

/// The exploration of selectors that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExploredGroup {
    /// The relation between both policies.
    pub status: Status,
    /// The names of the selectors in the old policy.
    pub old: Vec<String>,
    /// The names of the selectors in the new policy.
    pub new: Vec<String>,
    /// The number of words in the files, which were tried as answers.
    pub words: usize,
    /// The number of made-up contexts.
    pub contexts: usize,
    /// The number of questions that were not answered in every way, because the budget was spent.
    pub left: usize,
    /// Whether combinations of answers that no selector distinguishes on their own are a sample.
    pub sampled: bool,
}

/// The relation of a selector between two policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Both policies have the same file.
    Same,
    /// The policies have different files of one name.
    Changed,
    /// Only the new policy has it.
    Added,
    /// Only the old policy has it.
    Removed,
    /// Some selectors are only in the old policy and others only in the new one.
    Replaced,
}

impl Status {
    /// Returns the stable word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Replaced => "replaced",
        }
    }
}

/// The decision of a policy, as far as it is compared: reasons and the deciding selector are not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// A selector chose this tracer.
    Tracer(String),
    /// All selectors abstained, so the default tracer receives the trace.
    Abstained,
    /// A decision failed for this cause, so the fallback tracer receives the trace.
    Failed(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tracer(name) => f.write_str(&printable(name)),
            Self::Abstained => f.write_str("abstained"),
            Self::Failed(cause) => f.write_str(&printable(cause)),
        }
    }
}

impl Comparison {
    /// Returns `true` if no difference was found.
    pub fn is_same(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns `true` if every difference that was found is allowed.
    pub fn is_allowed(&self, allowed: &[Allowed]) -> bool {
        self.changes.iter().all(|change| change.is_allowed(allowed))
    }

    /// Returns `true` if no budget ended the exploration.
    pub fn is_complete(&self) -> bool {
        self.combinations_left == 0 && self.groups.iter().all(|group| group.left == 0)
    }
}

impl Change {
    /// Returns `true` if one of the patterns allows it.
    pub fn is_allowed(&self, allowed: &[Allowed]) -> bool {
        allowed.iter().any(|allowed| allowed.allows(self))
    }
}

/// A pattern for expected changes, such as `langfuse -> candidate`. `*` stands for any decision,
/// and `abstained` or a cause such as `failed` for a decision without a tracer.
///
/// # Examples
/// ```
/// use spanmux_diff::Allowed;
///
/// let allowed: Allowed = "langfuse -> candidate".parse().unwrap();
/// assert_eq!(allowed.to_string(), "langfuse -> candidate");
/// assert!("* -> candidate".parse::<Allowed>().is_ok());
/// assert!("candidate".parse::<Allowed>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    from: String,
    to: String,
}

const ANY: &str = "*";

impl Allowed {
    fn allows(&self, change: &Change) -> bool {
        let side = |pattern: &str, verdict: &Verdict| {
            let word = match verdict {
                Verdict::Tracer(name) => name,
                Verdict::Abstained => Cause::Abstained.as_str(),
                Verdict::Failed(cause) => cause,
            };
            pattern == ANY || pattern == word
        };
        side(&self.from, &change.from) && side(&self.to, &change.to)
    }
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once("->").or_else(|| text.split_once('→'));
        let (from, to) = sides
            .map(|(from, to)| (from.trim(), to.trim()))
            .filter(|(from, to)| !from.is_empty() && !to.is_empty())
            .ok_or("expected a change such as `langfuse -> candidate` or `* -> candidate`")?;
        Ok(Self {
            from: from.to_owned(),
            to: to.to_owned(),
        })
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", printable(&self.from), printable(&self.to))
    }
}
