//! The questions of one tree, each kept once and found by its place. They are only
//! ever added, so a walk can borrow one for as long as it borrows the tree.

use crate::sync::OnceLock;

use crate::context::Question;

/// Different questions in one tree. A selector asks a dozen; one that makes its
/// questions up (a key for each user) is learned as far as this goes.
const MAX_QUESTIONS: usize = 256;

/// Bytes of one question's texts.
const MAX_QUESTION_BYTES: usize = 1024;

/// The place of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u8);

pub(super) struct Questions {
    kept: Box<[OnceLock<Question>]>,
}

impl Questions {
    pub(super) fn new() -> Self {
        Self {
            kept: (0..MAX_QUESTIONS).map(|_| OnceLock::new()).collect(),
        }
    }

    #[inline]
    pub(super) fn get(&self, place: Place) -> Option<&Question> {
        self.kept.get(usize::from(place.0))?.get()
    }

    /// Where a question is kept; none if it cannot be. To be called by one thread
    /// at a time.
    pub(super) fn place(&self, question: &Question) -> Option<Place> {
        if question.bytes() > MAX_QUESTION_BYTES {
            return None;
        }
        self.kept.iter().enumerate().find_map(|(place, cell)| {
            let kept = cell.get_or_init(|| question.clone().prepare());
            (kept == question).then_some(Place(u8::try_from(place).ok()?))
        })
    }
}
