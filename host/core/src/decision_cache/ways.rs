//! The answers to one question, each with what follows.
//!
//! The list is append-only. Readers follow plain references. A writer fills an empty cell, so a
//! reader sees a new edge completely or not at all.

use std::array;

use crate::sync::OnceLock;
use crate::sync::atomic::{AtomicU8, Ordering};

use super::answer::{AnswerKey, AnswerRef};

/// Maximum number of answers to one question. A question with more answers asks for a user id and
/// not for a rule.
pub(super) const MAX_WAYS_OF_NODE: usize = 64;

/// Up to this number of edges, a linear scan is faster than an index.
const MAX_LINEAR: usize = 8;

/// Cells of an index: four per edge, so that most look-ups need one probe.
const INDEX: usize = 4 * MAX_WAYS_OF_NODE;

/// Chunks of edges: the first has room for two, and each further chunk doubles the capacity.
const CHUNKS: usize = MAX_WAYS_OF_NODE.ilog2() as usize;

/// An edge for each recorded answer.
pub(super) struct Ways<T> {
    /// Seeds the hashes of the answers.
    id: u64,
    edges: [OnceLock<Chunk<T>>; CHUNKS],
    /// Maps the hash of an answer to the position of its edge plus one. Zero is an empty cell. The
    /// index is created when there are more than a few edges.
    index: OnceLock<Box<[AtomicU8; INDEX]>>,
}

/// Cells that are allocated together.
type Chunk<T> = Box<[OnceLock<Edge<T>>]>;

pub(super) struct Edge<T> {
    pub(super) answer: AnswerKey,
    pub(super) then: T,
}

impl<T> Ways<T> {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            edges: array::from_fn(|_| OnceLock::new()),
            index: OnceLock::new(),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn edges(&self) -> impl Iterator<Item = &Edge<T>> {
        let chunks = self.edges.iter().map_while(OnceLock::get);
        chunks
            .flat_map(|chunk| chunk.iter())
            .map_while(OnceLock::get)
    }

    pub(super) fn is_full(&self) -> bool {
        self.edges().count() >= MAX_WAYS_OF_NODE
    }

    fn edge(&self, place: usize) -> Option<&Edge<T>> {
        let (chunk, offset) = split(place);
        self.edges.get(chunk)?.get()?.get(offset)?.get()
    }

    /// Returns the target of this answer.
    #[inline(always)]
    pub(super) fn find(&self, answer_ref: &AnswerRef<'_>) -> Option<&T> {
        if let Some(index) = self.index.get() {
            return Some(&self.look_up(index, *answer_ref)?.then);
        }
        for chunk in &self.edges {
            for cell in chunk.get()? {
                let edge = cell.get()?;
                if answer_ref.is(&edge.answer) {
                    return Some(&edge.then);
                }
            }
        }
        None
    }

    fn look_up(&self, index: &[AtomicU8; INDEX], answer_ref: AnswerRef<'_>) -> Option<&Edge<T>> {
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

    /// Adds an edge for an answer that has none, or returns the edge if there is no space. Only one
    /// thread may call it at a time.
    pub(super) fn add(&self, edge: Edge<T>) -> Result<(), Edge<T>> {
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

// A position plus one must fit into a byte.
const _: () = assert!(MAX_WAYS_OF_NODE < u8::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Answer, Value};

    #[test]
    fn every_way_is_found_until_there_is_no_space() {
        let ways = Ways::new(1);
        let answer_ref = |number| AnswerRef::of(Answer::Get(Some(Value::Integer(number))));
        let edge = |number: i64| Edge {
            answer: answer_ref(number).keep().unwrap(),
            then: number,
        };
        for number in 0..MAX_WAYS_OF_NODE as i64 {
            assert!(ways.find(&answer_ref(number)).is_none());
            assert!(ways.add(edge(number)).is_ok());
            for known in 0..=number {
                assert_eq!(ways.find(&answer_ref(known)), Some(&known));
            }
        }
        assert!(ways.is_full());
        assert!(ways.add(edge(1000)).is_err());
        assert_eq!(ways.edges().count(), MAX_WAYS_OF_NODE);
    }
}
