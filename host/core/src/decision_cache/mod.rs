//! A cache of selector decisions, stored as a decision tree.
//!
//! A component is a pure function of the answers that it receives from the host. Its first question
//! is therefore always the same, and every later question depends only on the answers before it.
//! Recorded runs of one selector form a tree: each inner node is a question, each edge an answer,
//! each leaf a decision. To decide, the cache walks the tree with the current context. If it
//! reaches a leaf, the decision is exact and the component does not run. Otherwise it runs the
//! component and inserts the new path.
//!
//! Readers follow references through an append-only tree. They take no lock, allocate nothing, and
//! write no shared memory.
//!
//! Reading order: an `answer` as numbers, the `ways` from a question, the `question`s of a tree, its
//! first levels (`trie`),
//! nodes with many answers (`bounded`, with admission by `frequency`), the `tree` of both,
//! concurrent misses (`single_flight`), the `hits`, the tree of a whole `chain`, and the conversion
//! to plain data (`explain`).

mod answer;
mod bounded;
mod chain;
mod explain;
mod frequency;
mod hits;
mod question;
mod single_flight;
mod tree;
mod trie;
mod ways;

#[cfg(test)]
mod chain_tests;
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
pub(crate) use chain::{ChainSlot, Walked};
use single_flight::SingleFlight;
pub use tree::{CacheLimits, Tree};

/// Maximum number of tracer lists with a cached tree: the current list and recently replaced ones.
/// A registry keeps its own tree alive as well.
const MAX_TREES: usize = 4;

/// The result of running a selector.
pub struct Run {
    pub decision: Decision,
    /// Every question of the run in order, or `None` if the decision depends on anything but the
    /// answers: the clock, the load, the stack of the host.
    pub asked: Option<Vec<Question>>,
}

impl Run {
    /// Creates the result of a selector that did not run. It is not cached.
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

/// The cached decisions of one selector.
pub struct DecisionCache {
    /// The most recently used tree is first.
    trees: ArcSwap<Vec<Arc<Tree>>>,
    /// Held while the list changes.
    changing: Mutex<()>,
    single_flight: SingleFlight,
    room: CacheLimits,
    wait: Duration,
    runs: AtomicU64,
}

impl DecisionCache {
    /// Creates an empty cache. `wait` limits how long a miss waits for an identical run.
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

    /// Returns the tree for these tracers. Equal lists of names share one tree.
    ///
    /// # Cost
    /// Compares names. Creates an empty tree if none exists.
    pub fn tree(&self, tracers: &TracerNames) -> Arc<Tree> {
        let known = self.present(tracers);
        known.unwrap_or_else(|| self.find_or_plant(tracers))
    }

    /// Returns the most recently used tree if it belongs to these tracers.
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
        // The current tree may use the whole limit. Others are kept while they are small.
        let mut others = 0;
        trees.retain(|other| {
            let present = Arc::ptr_eq(other, &tree);
            others += if present { 0 } else { other.size().bytes };
            present || others <= self.room.bytes / 4
        });
        self.trees.store(Arc::new(trees));
        tree
    }

    /// Returns the cached decision for this context, or runs the selector.
    ///
    /// # Cost
    /// A hit takes one look-up and one comparison per question, no lock, and no allocation unless
    /// the decision is a failure with a text. A miss takes a run.
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

    /// Returns the cached decision for this context.
    #[inline]
    pub fn recall(&self, tree: &Tree, view: &ContextView<'_>) -> Option<CompactDecision> {
        tree.walk(view).ok()
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
        // Looks again, because an identical run may have finished while this thread waited, or
        // between the first walk and this flight.
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

    /// Returns the cached decisions for these tracers as plain data.
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
