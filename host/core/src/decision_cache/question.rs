//! The questions of one tree. Each is stored once and identified by its position. The list is
//! append-only, so a walk can borrow a question for as long as it borrows the tree.

use std::sync::Arc;

use crate::sync::OnceLock;
use crate::sync::atomic::{AtomicUsize, Ordering};

use crate::context::Question;

/// Maximum number of different questions in one tree. A selector asks a dozen. If a selector
/// generates questions (a key per user), only the first ones are cached.
const MAX_QUESTIONS: usize = 256;

/// Maximum size of the texts of one question, in bytes.
const MAX_QUESTION_BYTES: usize = 1024;

/// The position of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u8);

pub(super) struct Questions {
    kept: Box<[OnceLock<Arc<Question>>]>,
    /// The number of questions. Increased before an answer of the question is stored, so a walk that
    /// asks it is ordered after the increase.
    count: AtomicUsize,
}

impl Questions {
    pub(super) fn new() -> Self {
        Self {
            kept: (0..MAX_QUESTIONS).map(|_| OnceLock::new()).collect(),
            count: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(super) fn get(&self, place: Place) -> Option<&Arc<Question>> {
        self.kept.get(usize::from(place.0))?.get()
    }

    /// Returns the position of a question, or `None` if it cannot be stored. Only one thread may
    /// call it at a time.
    pub(super) fn place(&self, question: &Question) -> Option<Place> {
        if question.bytes() > MAX_QUESTION_BYTES {
            return None;
        }
        self.kept.iter().enumerate().find_map(|(place, cell)| {
            let kept = cell.get_or_init(|| Arc::new(question.clone().prepare()));
            self.count.fetch_max(place + 1, Ordering::Release);
            (**kept == *question).then_some(Place(u8::try_from(place).ok()?))
        })
    }

    /// Returns the number of questions. It never decreases.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Returns the questions in the order in which they were first asked.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Question> {
        let kept = self.kept.iter().map_while(OnceLock::get);
        kept.map(|question| &**question)
    }
}
