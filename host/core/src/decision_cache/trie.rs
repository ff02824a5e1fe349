//! The first levels of a decision tree, for nodes with few answers.

use crate::sync::atomic::{AtomicBool, Ordering};

use super::question::Place;
use super::ways::{Edge, Ways};
use crate::decision::{Choice, CompactDecision, Fallback, TracerIndex};

/// Maximum number of answers in the whole trie. A handwritten selector has dozens.
pub(super) const MAX_WAYS: usize = 2048;

/// The target of an edge.
pub(super) enum Step {
    Asks(Box<Node>),
    /// A decision and the position of its hit counter.
    Decides(Verdict, usize),
}

/// A decision without its origin.
pub(super) enum Verdict {
    Chooses(TracerIndex),
    Abstains,
    FallsBack(Box<Fallback>),
}

impl Verdict {
    pub(super) fn of(choice: &Choice) -> Self {
        match choice {
            Choice::Tracer(index) => Self::Chooses(*index),
            Choice::Abstain => Self::Abstains,
            Choice::Fallback(fallback) => Self::FallsBack(Box::new(fallback.clone())),
        }
    }

    pub(super) fn choice(&self) -> Choice {
        match self {
            Self::Chooses(index) => Choice::Tracer(*index),
            Self::Abstains => Choice::Abstain,
            Self::FallsBack(fallback) => Choice::Fallback(Fallback::clone(fallback)),
        }
    }

    #[inline]
    pub(super) fn brief(&self) -> CompactDecision {
        match self {
            Self::Chooses(index) => CompactDecision::tracer(*index, true),
            Self::Abstains => CompactDecision::abstain(true),
            Self::FallsBack(_) => CompactDecision::of(self.choice(), true),
        }
    }
}

/// A question with an edge for each recorded answer.
pub(super) struct Node {
    pub(super) question: Place,
    /// `true` if the bounded cache may hold further answers.
    overflows: AtomicBool,
    pub(super) ways: Ways<Step>,
}

impl Node {
    pub(super) fn new(id: u64, question: Place) -> Self {
        Self {
            question,
            overflows: AtomicBool::new(false),
            ways: Ways::new(id),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.ways.id()
    }

    pub(super) fn overflows(&self) -> bool {
        self.overflows.load(Ordering::Acquire)
    }

    /// Marks the node: further answers are in the bounded cache.
    pub(super) fn overflow(&self) {
        self.overflows.store(true, Ordering::Release);
    }
}

/// Size of a node with cells for its first two edges, in bytes.
pub(super) const NODE_BYTES: usize = size_of::<Node>() + 2 * WAY_BYTES;

/// Size of an edge in bytes.
pub(super) const WAY_BYTES: usize = size_of::<crate::sync::OnceLock<Edge<Step>>>();
