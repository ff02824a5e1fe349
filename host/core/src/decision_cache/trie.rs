//! The first levels of a decision tree, for nodes with few answers.
//!
//! The trie is append-only. Readers follow plain references. A writer fills an empty cell, so a
//! reader sees a new edge completely or not at all.

use std::array;

use crate::sync::OnceLock;
use crate::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::answer::{AnswerKey, AnswerRef};
use super::question::Place;
use crate::decision::{Choice, CompactDecision, Fallback, TracerIndex};

/// Maximum number of answers of one node. Further answers go to the bounded cache: a node with more
/// answers is a user id and not a rule.
pub(super) const MAX_WAYS_OF_NODE: usize = 64;

/// Maximum number of answers in the whole trie. A handwritten selector has dozens.
pub(super) const MAX_WAYS: usize = 2048;

/// Up to this number of edges, a linear scan is faster than an index.
const MAX_LINEAR: usize = 8;

/// Cells of an index: four per edge, so that most look-ups need one probe.
const INDEX: usize = 4 * MAX_WAYS_OF_NODE;

/// Chunks of edges: the first has room for two, and each further chunk doubles the capacity.
const CHUNKS: usize = MAX_WAYS_OF_NODE.ilog2() as usize;

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
    pub(super) id: u64,
    pub(super) question: Place,
    /// `true` if the bounded cache may hold further answers.
    overflows: AtomicBool,
    edges: [OnceLock<Box<[OnceLock<Edge>]>>; CHUNKS],
    /// Maps the hash of an answer to the position of its edge plus one. Zero is an empty cell. The
    /// index is created when the node has more than a few edges.
    index: OnceLock<Box<[AtomicU8; INDEX]>>,
}

pub(super) struct Edge {
    pub(super) answer: AnswerKey,
    pub(super) then: Step,
}

impl Node {
    pub(super) fn new(id: u64, question: Place) -> Self {
        Self {
            id,
            question,
            overflows: AtomicBool::new(false),
            edges: array::from_fn(|_| OnceLock::new()),
            index: OnceLock::new(),
        }
    }

    pub(super) fn overflows(&self) -> bool {
        self.overflows.load(Ordering::Acquire)
    }

    /// Marks the node: further answers are in the bounded cache.
    pub(super) fn overflow(&self) {
        self.overflows.store(true, Ordering::Release);
    }

    pub(super) fn edges(&self) -> impl Iterator<Item = &Edge> {
        let chunks = self.edges.iter().map_while(OnceLock::get);
        chunks
            .flat_map(|chunk| chunk.iter())
            .map_while(OnceLock::get)
    }

    fn edge(&self, place: usize) -> Option<&Edge> {
        let (chunk, offset) = split(place);
        self.edges.get(chunk)?.get()?.get(offset)?.get()
    }

    /// Returns the target of this answer.
    #[inline]
    pub(super) fn find(&self, answer_ref: &AnswerRef<'_>) -> Option<&Step> {
        let edge = match self.index.get() {
            None => self.edges().find(|edge| answer_ref.is(&edge.answer))?,
            Some(index) => self.look_up(index, *answer_ref)?,
        };
        Some(&edge.then)
    }

    fn look_up(&self, index: &[AtomicU8; INDEX], answer_ref: AnswerRef<'_>) -> Option<&Edge> {
        let hash = answer_ref.hash(self.id) as usize;
        // Most cells are empty, so the loop ends.
        for slot in (0..INDEX).map(|step| (hash + step) % INDEX) {
            let place = usize::from(index[slot].load(Ordering::Acquire)).checked_sub(1)?;
            let edge = self.edge(place)?;
            if answer_ref.is(&edge.answer) {
                return Some(edge);
            }
        }
        None
    }

    /// Adds an edge for an answer that has none, or returns the edge if the node is full. Only one
    /// thread may call it at a time.
    pub(super) fn add(&self, edge: Edge) -> Result<(), Edge> {
        let place = self.edges().count();
        let hash = edge.answer.hash(self.id);
        let (chunk, offset) = split(place);
        let Some(chunk) = self.edges.get(chunk) else {
            return Err(edge);
        };
        let cells = chunk.get_or_init(|| (0..place.max(2)).map(|_| OnceLock::new()).collect());
        match cells.get(offset) {
            Some(cell) => cell.set(edge)?,
            None => return Err(edge),
        }
        match self.index.get() {
            Some(index) => enter(index, hash, place),
            None if place < MAX_LINEAR => {}
            None => {
                let cells = (0..INDEX).map(|_| AtomicU8::new(0));
                let cells: Box<[AtomicU8]> = cells.collect();
                // The length is always right.
                let Ok(index) = <Box<[AtomicU8; INDEX]>>::try_from(cells) else {
                    return Ok(());
                };
                for (place, edge) in self.edges().enumerate() {
                    enter(&index, edge.answer.hash(self.id), place);
                }
                // No other thread sets it.
                let _ = self.index.set(index);
            }
        }
        Ok(())
    }
}

/// Returns the chunk of a position and the offset in it. The chunks have two, two, four, eight …
/// edges.
fn split(place: usize) -> (usize, usize) {
    match place.checked_ilog2() {
        None | Some(0) => (0, place),
        Some(chunk) => (chunk as usize, place - (1 << chunk)),
    }
}

fn enter(index: &[AtomicU8; INDEX], hash: u64, place: usize) {
    let mut slots = (0..INDEX).map(|step| (hash as usize + step) % INDEX);
    let empty = slots.find(|slot| index[*slot].load(Ordering::Relaxed) == 0);
    if let (Some(slot), Ok(place)) = (empty, u8::try_from(place + 1)) {
        index[slot].store(place, Ordering::Release);
    }
}

/// Size of a node with cells for its first two edges, in bytes.
pub(super) const NODE_BYTES: usize = size_of::<Node>() + 2 * WAY_BYTES;

/// Size of an edge in bytes.
pub(super) const WAY_BYTES: usize = size_of::<OnceLock<Edge>>();

// A position plus one must fit into a byte.
const _: () = assert!(MAX_WAYS_OF_NODE < u8::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Answer, Value};
    use crate::decision_cache::question::Questions;

    #[test]
    fn every_way_is_found_until_the_node_is_full() {
        let questions = Questions::new();
        let place = questions.place(&crate::context::Question::Keys).unwrap();
        let node = Node::new(1, place);
        let answer_ref = |number| AnswerRef::of(Answer::Get(Some(Value::Integer(number))));
        let edge = |number: i64| Edge {
            answer: answer_ref(number).keep().unwrap(),
            then: Step::Decides(Verdict::Abstains, number as usize),
        };
        for number in 0..MAX_WAYS_OF_NODE as i64 {
            assert!(node.find(&answer_ref(number)).is_none());
            assert!(node.add(edge(number)).is_ok());
            for known in 0..=number {
                let found = node.find(&answer_ref(known));
                assert!(matches!(found, Some(Step::Decides(_, end)) if *end == known as usize));
            }
        }
        assert!(node.add(edge(1000)).is_err());
        assert_eq!(node.edges().count(), MAX_WAYS_OF_NODE);
    }
}
