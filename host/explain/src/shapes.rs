//! Equality of rules apart from their counts.

use std::collections::{BTreeMap, HashMap};

use super::rules::Branch;
use super::{Outcome, Question};

/// An id that is equal for rules that differ only in their counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Shape(usize);

/// Assigns shapes from the leaves to the root, so that comparing two rules needs only the
/// shapes of their children.
#[derive(Default)]
pub(super) struct Shapes {
    known: HashMap<String, Shape>,
    given_out: usize,
}

impl Shapes {
    pub(super) fn end(&mut self, outcome: &Outcome) -> Shape {
        self.of(format!("{outcome:?}"))
    }

    pub(super) fn question(
        &mut self,
        question: &Question,
        branches: &BTreeMap<Shape, Branch>,
    ) -> Shape {
        let mut key = format!("{question:?}");
        for (shape, branch) in branches {
            key.push_str(&format!("\n{}", shape.0));
            for seen in &branch.answers {
                key.push_str(&format!(" {:?}", seen.answer));
            }
        }
        self.of(key)
    }

    /// Creates a shape that equals no other.
    pub(super) fn unlike_any(&mut self) -> Shape {
        let shape = Shape(self.given_out);
        self.given_out += 1;
        shape
    }

    fn of(&mut self, key: String) -> Shape {
        if let Some(shape) = self.known.get(&key) {
            return *shape;
        }
        let shape = self.unlike_any();
        self.known.insert(key, shape);
        shape
    }
}
