//! DecisionCache decisions: what a selector was seen to decide, as a tree of what it
//! asked, from which later decisions are answered without running it.
//!
//! A component is a pure function of the answers that it was given. So its first
//! question is always the same, and each next one depends only on the answers
//! before it: the runs of one selector, each a list of questions, an answer to each
//! and a choice, form a tree. A later decision walks the tree with its own context.
//! Where the way is known to its end, so is the choice, exactly.
//!
//! A reader follows references through a tree that only grows, writes nothing that
//! another thread reads, and allocates nothing. Who missed runs the selector and adds
//! what is new.
//!
//! In reading order: an answer as numbers (`told`), the `questions` of a tree, its
//! first ways (`trunk`), the many beyond them (`cache`, with the `sketch` that
//! decides what stays), the `tree` of both, the runs that others wait for
//! (`flights`), the `hits`, and how it is told to people (`explain`).

mod answer;
mod bounded;
mod explain;
mod frequency;
mod hits;
mod question;
mod single_flight;
mod tree;
mod trie;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::sync::ArcSwap;
use crate::sync::Mutex;

use crate::context::{ContextView, Question};
use crate::decision::{Choice, CompactDecision, Decision, Fallback, Origin};
use crate::explanation::Explanation;
use crate::tracer_names::TracerNames;
use single_flight::SingleFlight;
pub use tree::{CacheLimits, Tree};

/// Lists of tracers for which trees are kept: the present one, and those of another
/// registry or of a moment ago. A registry holds on to its own besides.
const MAX_TREES: usize = 4;

/// What came of running a selector.
pub struct Run {
    pub decision: Decision,
    /// Every question that it asked, in order. None if what was decided depends on
    /// anything but the answers: the clock, the load, the stack of the host.
    pub asked: Option<Vec<Question>>,
}

impl Run {
    /// It did not run, which says nothing of the next decision.
    pub fn none(why: Fallback) -> Self {
        Self {
            decision: Decision {
                choice: Choice::Fallback(why),
                origin: Origin::Native,
            },
            asked: None,
        }
    }
}

/// What was learned of one selector.
pub struct DecisionCache {
    /// The one that was asked for last comes first.
    trees: ArcSwap<Vec<Arc<Tree>>>,
    /// Held while the list is changed.
    changing: Mutex<()>,
    single_flight: SingleFlight,
    room: CacheLimits,
    wait: Duration,
    runs: AtomicU64,
}

impl DecisionCache {
    /// Nothing yet. `wait` is how long a decision waits for an equal run.
    pub fn new(room: CacheLimits, wait: Duration) -> Self {
        Self {
            trees: ArcSwap::default(),
            changing: Mutex::new(()),
            single_flight: SingleFlight::default(),
            room,
            wait,
            runs: AtomicU64::new(0),
        }
    }

    /// The tree for these tracers: of names that are equal there is one, whichever
    /// list they are in.
    ///
    /// # Cost
    /// Compares names, and makes an empty tree if there is none.
    pub fn tree(&self, tracers: &TracerNames) -> Arc<Tree> {
        let known = self.present(tracers);
        known.unwrap_or_else(|| self.find_or_plant(tracers))
    }

    /// The tree that was asked for last, if it is for these tracers.
    pub fn present(&self, tracers: &TracerNames) -> Option<Arc<Tree>> {
        let trees = self.trees.load();
        let first = trees.first()?;
        (first.names == *tracers).then(|| first.clone())
    }

    #[cold]
    fn find_or_plant(&self, tracers: &TracerNames) -> Arc<Tree> {
        let _changing = self.changing.lock();
        let mut trees = Vec::clone(&self.trees.load());
        let tree = match trees.iter().position(|tree| tree.names == *tracers) {
            Some(place) => trees.remove(place),
            None => Arc::new(Tree::new(tracers.clone(), self.room)),
        };
        trees.insert(0, tree.clone());
        trees.truncate(MAX_TREES);
        // The present one has the room; the others are kept while they are small.
        let mut others = 0;
        trees.retain(|other| {
            let present = Arc::ptr_eq(other, &tree);
            others += if present { 0 } else { other.size().bytes };
            present || others <= self.room.bytes / 4
        });
        self.trees.store(Arc::new(trees));
        tree
    }

    /// What the tree knows for this context, or what running the selector says.
    ///
    /// # Cost
    /// AnswerKey: one look-up and one comparison for each question, no lock, no
    /// allocation unless the decision is a failure with a text. Unknown: a run.
    #[inline]
    pub fn decide(
        &self,
        tree: &Tree,
        view: &ContextView<'_>,
        run: impl FnOnce() -> Run,
    ) -> CompactDecision {
        match tree.walk(view) {
            Ok(known) => known,
            Err(frontier) => self.miss(tree, frontier, view, run),
        }
    }

    #[cold]
    fn miss(
        &self,
        tree: &Tree,
        frontier: single_flight::Frontier,
        view: &ContextView<'_>,
        run: impl FnOnce() -> Run,
    ) -> CompactDecision {
        let flight = self.single_flight.begin(frontier, self.wait);
        // Again, because an equal run may have landed since: while it was waited for, or
        // between the first look and this flight.
        let known = tree.walk(view);
        if flight.is_none() {
            self.single_flight.waited(known.is_ok());
        }
        if let Ok(known) = known {
            return known;
        }
        let run = run();
        if matches!(run.decision.origin, Origin::Run(_)) {
            self.runs.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(asked) = run.asked {
            tree.learn(view, &asked, &run.decision.choice);
        }
        run.decision.into()
    }

    /// What was learned for these tracers.
    pub fn explain(&self, tracers: &TracerNames) -> Explanation {
        let runs = self.runs.load(Ordering::Relaxed);
        let trees = self.trees.load();
        match trees.iter().find(|tree| tree.names == *tracers) {
            Some(tree) => tree.explain(runs),
            None => Explanation {
                runs,
                ..Explanation::nothing(tracers.as_slice())
            },
        }
    }
}

impl fmt::Debug for DecisionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionCache")
            .field("room", &self.room)
            .field("runs", &self.runs)
            .finish_non_exhaustive()
    }
}
