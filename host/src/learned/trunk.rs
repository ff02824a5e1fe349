//! The trunk of a tree: the ways that were learned first, as long as there are few.
//!
//! It never changes. To learn is to copy the nodes on the way to what is new, and
//! to share all others; so a reader holds a whole tree by one pointer.

use std::sync::Arc;

use super::questions::Place;
use super::told::{Known, Told};
use crate::decision::Choice;

/// Answers that a node of the trunk has at most. What comes beyond goes to the
/// cache: a node with more is a user id and not a rule.
pub(super) const MAX_WAYS_OF_NODE: usize = 64;

/// Answers in the whole trunk. A selector that people write has dozens.
pub(super) const MAX_WAYS: usize = 2048;

/// Up to here looking at each is quicker than an index.
const MAX_LINEAR: usize = 8;

/// Where a way leads.
#[derive(Clone)]
pub(super) enum Step {
    Asks(Arc<Node>),
    Decides(Arc<End>),
}

/// The end of a way.
pub(super) struct End {
    pub(super) choice: Choice,
    /// Where its hits are counted.
    pub(super) number: usize,
}

/// A question, and a way for each answer that was seen.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) id: u64,
    pub(super) question: Place,
    /// Whether more answers may be in the cache.
    pub(super) overflows: bool,
    ways: Vec<Way>,
    /// By hash of the answer, the place of its way and one; nought is empty. As
    /// long as there are few ways it is empty.
    index: Box<[u8]>,
}

#[derive(Clone)]
pub(super) struct Way {
    pub(super) answer: Known,
    pub(super) then: Step,
}

impl Node {
    pub(super) fn new(id: u64, question: Place) -> Self {
        Self {
            id,
            question,
            overflows: false,
            ways: Vec::new(),
            index: Box::default(),
        }
    }

    pub(super) fn ways(&self) -> &[Way] {
        &self.ways
    }

    pub(super) fn is_full(&self) -> bool {
        self.ways.len() >= MAX_WAYS_OF_NODE
    }

    /// Where this answer leads.
    #[inline]
    pub(super) fn find(&self, told: &Told<'_>) -> Option<&Step> {
        if self.index.is_empty() {
            let way = self.ways.iter().find(|way| told.is(&way.answer))?;
            return Some(&way.then);
        }
        let mask = self.index.len() - 1;
        let mut slot = told.hash(self.id) as usize & mask;
        // Half of the index is empty, so it ends.
        while let Some(place) = usize::from(self.index[slot]).checked_sub(1) {
            let way = &self.ways[place];
            if told.is(&way.answer) {
                return Some(&way.then);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// A copy with one way more, or with this way in place of an older one.
    pub(super) fn with(&self, told: &Told<'_>, answer: Known, then: Step) -> Self {
        let mut next = self.clone();
        let way = Way { answer, then };
        match next.ways.iter().position(|way| told.is(&way.answer)) {
            Some(place) => next.ways[place] = way,
            None => {
                next.ways.push(way);
                next.index = index(next.id, &next.ways);
            }
        }
        next
    }

    /// A copy of which more is in the cache.
    pub(super) fn overflowing(&self) -> Self {
        Self {
            overflows: true,
            ..self.clone()
        }
    }
}

fn index(node: u64, ways: &[Way]) -> Box<[u8]> {
    if ways.len() <= MAX_LINEAR {
        return Box::default();
    }
    let mut index = vec![0; (2 * ways.len()).next_power_of_two()];
    let mask = index.len() - 1;
    for (place, way) in (1..).zip(ways) {
        let mut slot = way.answer.hash(node) as usize & mask;
        while index[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        index[slot] = place;
    }
    index.into()
}

// A place and one fits into a byte.
const _: () = assert!(MAX_WAYS_OF_NODE < u8::MAX as usize);
