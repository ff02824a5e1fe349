//! Learned decisions: what a selector was seen to decide, as a tree of what it
//! asked, from which later decisions are answered without running it.
//!
//! A component is a pure function of the answers that it was given. So its first
//! question is always the same, and each next one depends only on the answers
//! before it: the runs of one selector, each a list of questions, an answer to each
//! and a choice, form a tree. A later decision walks the tree with its own context.
//! Where the way is known to its end, so is the choice, exactly.
//!
//! A reader follows one pointer to a tree that never changes, writes nothing that
//! another thread reads, and allocates nothing. Who missed runs the selector and
//! puts another tree in its place.
//!
//! In reading order: an answer as numbers (`told`), the `questions` of a tree, its
//! first ways (`trunk`), the many beyond them (`cache`, with the `sketch` that
//! decides what stays), the `tree` of both, the runs that others wait for
//! (`flights`), the `hits`, and how it is told to people (`explain`).

mod cache;
mod explain;
mod flights;
mod hits;
mod questions;
mod sketch;
mod told;
mod tree;
mod trunk;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use crate::context::{ContextView, Question};
use crate::decision::{Choice, Decision, Origin};
use crate::explanation::Explanation;
use crate::tracer_names::TracerNames;
use flights::Flights;
pub(crate) use tree::Room;
use tree::Tree;

/// Lists of tracers for which trees are kept: the present one, and those of another
/// registry or of a moment ago.
const MAX_TREES: usize = 4;

/// What came of running a selector.
pub(crate) struct Run {
    pub(crate) decision: Decision,
    /// Every question that it asked, in order. None if what was decided depends on
    /// anything but the answers: the clock, the load, the stack of the host.
    pub(crate) asked: Option<Vec<Question>>,
}

/// What was learned of one selector.
pub(crate) struct Learned {
    /// The one that was learned for last comes first.
    trees: ArcSwap<Vec<Arc<Tree>>>,
    /// Held while another tree is put in place.
    learning: Mutex<()>,
    flights: Flights,
    room: Room,
    wait: Duration,
    runs: AtomicU64,
    /// Whether two runs contradicted each other: then nothing is learned any more.
    refuted: AtomicBool,
}

impl Learned {
    /// Nothing yet. `wait` is how long a decision waits for an equal run.
    pub(crate) fn new(room: Room, wait: Duration) -> Self {
        Self {
            trees: ArcSwap::default(),
            learning: Mutex::new(()),
            flights: Flights::default(),
            room,
            wait,
            runs: AtomicU64::new(0),
            refuted: AtomicBool::new(false),
        }
    }

    /// What was learned for this context, or what running the selector says.
    ///
    /// # Cost
    /// Known: one look-up and one comparison for each question, no lock, no
    /// allocation unless the decision is a failure with a text. Unknown: a run.
    #[inline]
    pub(crate) fn decide(
        &self,
        view: &ContextView<'_>,
        tracers: &TracerNames,
        run: impl FnOnce() -> Run,
    ) -> Decision {
        if let Ok(choice) = self.known(view, tracers) {
            return learned(choice);
        }
        self.miss(view, tracers, run)
    }

    #[inline]
    fn known(
        &self,
        view: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> Result<Choice, flights::Frontier> {
        let trees = self.trees.load();
        let tree = trees.iter().find(|tree| tree.names.is(tracers));
        tree.map_or(Err((0, 0)), |tree| tree.walk(view))
    }

    #[cold]
    fn miss(
        &self,
        view: &ContextView<'_>,
        tracers: &TracerNames,
        run: impl FnOnce() -> Run,
    ) -> Decision {
        self.adopt(tracers);
        let frontier = match self.known(view, tracers) {
            Ok(choice) => return learned(choice),
            Err(frontier) => frontier,
        };
        let flight = self.flights.begin(frontier, self.wait);
        if flight.is_none() {
            let known = self.known(view, tracers);
            self.flights.waited(known.is_ok());
            if let Ok(choice) = known {
                return learned(choice);
            }
        }
        self.runs.fetch_add(1, Ordering::Relaxed);
        let run = run();
        if let Some(asked) = run.asked {
            self.learn(view, tracers, &asked, &run.decision.choice);
        }
        run.decision
    }

    /// Makes a tree for these tracers, if there is none. Names that are equal have
    /// one tree, whichever list they are in.
    fn adopt(&self, tracers: &TracerNames) {
        if self.trees.load().iter().any(|tree| tree.names.is(tracers)) {
            return;
        }
        let _learning = self.learning.lock();
        let mut trees = Vec::clone(&self.trees.load());
        let tree = match trees.iter().position(|tree| tree.names == *tracers) {
            Some(place) => Arc::new(trees.remove(place).of(tracers)),
            None => Arc::new(Tree::new(tracers.clone(), self.room)),
        };
        trees.insert(0, tree);
        trees.truncate(MAX_TREES);
        self.trees.store(Arc::new(trees));
    }

    /// Learns a decision into the tree that it was made for. If somebody else is
    /// learning, it is left for the next time.
    fn learn(
        &self,
        view: &ContextView<'_>,
        tracers: &TracerNames,
        asked: &[Question],
        choice: &Choice,
    ) {
        let Some(_learning) = self.learning.try_lock() else {
            return;
        };
        if self.refuted.load(Ordering::Relaxed) {
            return;
        }
        let mut trees = Vec::clone(&self.trees.load());
        let Some(place) = trees.iter().position(|tree| tree.names == *tracers) else {
            return;
        };
        let tree = trees.remove(place);
        let next = match tree.learn(view, asked, choice) {
            Ok(None) if place == 0 && trees.is_empty() => return,
            Ok(next) => next.map_or(tree, Arc::new),
            Err(tree::Contradiction) => {
                self.refuted.store(true, Ordering::Relaxed);
                self.trees.store(Arc::default());
                tracing::error!(
                    "a selector decided differently on equal answers; nothing is learned of it \
                     any more"
                );
                return;
            }
        };
        trees.insert(0, next);
        // All lists of tracers share the room; the present one has it all.
        let mut bytes = 0;
        trees.retain(|tree| {
            let first = bytes == 0;
            bytes += tree.size().1;
            first || bytes <= self.room.bytes
        });
        self.trees.store(Arc::new(trees));
    }

    /// What was learned for these tracers.
    pub(crate) fn explain(&self, tracers: &TracerNames) -> Explanation {
        let runs = self.runs.load(Ordering::Relaxed);
        let trees = self.trees.load();
        let known = trees.iter().find(|tree| tree.names == *tracers);
        match known {
            Some(tree) => tree.explain(runs),
            None => Explanation {
                runs,
                ..Explanation::nothing(tracers.as_slice())
            },
        }
    }
}

fn learned(choice: Choice) -> Decision {
    let origin = Origin::Learned;
    Decision { choice, origin }
}

impl fmt::Debug for Learned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Learned")
            .field("room", &self.room)
            .field("runs", &self.runs)
            .field("refuted", &self.refuted)
            .finish_non_exhaustive()
    }
}
