//! The cached decisions of a chain of selectors as one tree.
//!
//! The selectors of a chain often ask for the same keys. The chain's tree has each question once: its
//! paths are those of the selectors' own trees, one after the other, without repeated questions. It
//! is learned from those trees only, so it is exact as they are.
//!
//! Where the tree ends, the walk tells which selector is next: all before it abstain. A question
//! with many answers, such as a user id, ends the tree for good, so that it cannot fill the tree of
//! the whole chain. The selector that asks it goes on with its own cache.

use std::sync::{Arc, Weak};

use crate::cache_slot::CacheSlot;
use crate::context::{ContextView, Question};
use crate::decision::CompactDecision;
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::sync::{Mutex, OnceLock};

use super::answer::AnswerRef;
use super::hits::{Hits, MAX_ENDS};
use super::question::{Place, Questions};
use super::tree::{MAX_PATH, Traced, Tree};
use super::trie::Verdict;
use super::ways::{Edge, Ways};

/// Maximum number of answers of the tree, as of a selector's trie.
const MAX_ANSWERS: usize = super::trie::MAX_WAYS;

/// Maximum number of leaves of the selectors' trees, over all leaves of this one.
const MAX_PARTS: usize = 32_768;

/// The tree of a chain for one list of tracers. It is created after some decisions.
#[derive(Default)]
pub(crate) struct ChainSlot {
    tree: OnceLock<Arc<ChainTree>>,
    /// Held while the tree is created, so that no other thread waits for that.
    creating: Mutex<()>,
    /// Decisions before the tree is created.
    decisions: AtomicU32,
}

/// The number of decisions after which the tree is created. A chain that is replaced soon needs none.
const ENOUGH: u32 = 256;

impl Clone for ChainSlot {
    fn clone(&self) -> Self {
        let slot = Self::default();
        if let Some(tree) = self.tree.get() {
            // The slot is new.
            let _ = slot.tree.set(tree.clone());
        }
        slot
    }
}

/// The end of a walk.
pub(crate) enum Walked {
    /// The decision, and the position of the selector that made it, or `None` if all abstained.
    Decided(CompactDecision, Option<usize>),
    /// The selectors before this one abstained.
    Next {
        selector: usize,
        /// `true` if the tree may grow here.
        grows: bool,
    },
}

impl ChainSlot {
    /// Walks the tree with this context.
    #[inline]
    pub(crate) fn walk(&self, view: &ContextView<'_>) -> Walked {
        match self.tree.get() {
            Some(tree) => tree.walk(view),
            None => Walked::Next {
                selector: 0,
                grows: true,
            },
        }
    }

    /// Inserts the path of this context, for which the selectors have cached decisions. Waits for no
    /// other thread: if one is inserting, the path is inserted another time.
    #[cold]
    pub(crate) fn learn(&self, seats: &[CacheSlot], view: &ContextView<'_>) {
        if let Some(tree) = self.tree.get() {
            tree.learn(seats, view);
        } else if self.decisions.fetch_add(1, Ordering::Relaxed) >= ENOUGH
            && let Some(_creating) = self.creating.try_lock()
        {
            let tree = self.tree.get_or_init(|| ChainTree::new(seats.len()));
            tree.learn(seats, view);
        }
    }
}

/// A question of one of the selectors.
struct Node {
    place: Place,
    question: Arc<Question>,
    selector: usize,
    /// The counter of the walks that end here.
    before: usize,
    /// `true` if the answers are cached by the selector alone.
    floods: AtomicBool,
    ways: Ways<Step>,
}

enum Step {
    Asks(Box<Node>),
    /// A decision with its selector, or `None` if all abstain, and the position of its counter.
    Decides(Verdict, Option<usize>, usize),
    /// The selector at this position has no tree, or its path is not a part of this one.
    Ends(usize, usize),
}

/// A leaf of a selector's tree: the position of the selector and that of the leaf's counter.
type Part = (u16, u16);

pub(super) struct ChainTree {
    root: OnceLock<Step>,
    questions: Questions,
    /// A hit counts here once, and not once for each selector. The selectors' trees add it to their
    /// own counts when they are read.
    hits: Hits,
    /// The trees of the selectors.
    trees: Box<[OnceLock<Arc<Tree>>]>,
    /// `true` if the tree is full, or if selectors contradicted themselves.
    is_closed: AtomicBool,
    /// `true` if selectors contradicted themselves.
    is_refuted: AtomicBool,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    answers: usize,
    parts: usize,
    next_node: u64,
    /// The leaves of the selectors' trees that each counter covers.
    counted: Vec<Box<[Part]>>,
}

/// A question with its answer, its selector, and the number of leaves before it.
struct Asked<'v> {
    question: Place,
    answer: AnswerRef<'v>,
    selector: usize,
    leaves: usize,
}

/// The path of a context through the selectors' trees.
#[derive(Default)]
struct Path<'v> {
    asked: Vec<Asked<'v>>,
    leaves: Vec<Part>,
}

/// The end of a [`Path`].
enum End {
    Decides(Verdict, Option<usize>),
    /// The selector at this position goes on alone.
    Next(usize),
    /// The same, for every answer to the last question of the path.
    Floods(usize),
}

impl ChainTree {
    fn new(selectors: usize) -> Arc<Self> {
        Arc::new(Self {
            root: OnceLock::new(),
            questions: Questions::new(),
            hits: Hits::default(),
            trees: (0..selectors).map(|_| OnceLock::new()).collect(),
            is_closed: AtomicBool::new(false),
            is_refuted: AtomicBool::new(false),
            ledger: Mutex::default(),
        })
    }

    #[inline(always)]
    fn walk(&self, view: &ContextView<'_>) -> Walked {
        let mut step = match self.root.get() {
            Some(root) if !self.is_refuted.load(Ordering::Relaxed) => root,
            _ => return self.next(0, None, true),
        };
        loop {
            match step {
                Step::Decides(verdict, selector, count) => {
                    self.hits.count(*count);
                    return Walked::Decided(verdict.brief(), *selector);
                }
                Step::Ends(selector, count) => return self.next(*selector, Some(*count), false),
                Step::Asks(node) => {
                    if node.floods.load(Ordering::Relaxed) {
                        return self.next(node.selector, Some(node.before), false);
                    }
                    match node.ways.find(&AnswerRef::of(node.question.ask(view))) {
                        Some(then) => step = then,
                        None => return self.next(node.selector, Some(node.before), true),
                    }
                }
            }
        }
    }

    fn next(&self, selector: usize, count: Option<usize>, grows: bool) -> Walked {
        if let Some(count) = count.filter(|_| selector > 0) {
            self.hits.count(count);
        }
        let grows = grows && !self.is_closed.load(Ordering::Relaxed);
        Walked::Next { selector, grows }
    }

    fn learn(self: &Arc<Self>, seats: &[CacheSlot], view: &ContextView<'_>) {
        let Some(mut ledger) = self.ledger.try_lock() else {
            return;
        };
        if self.is_closed.load(Ordering::Relaxed) {
            return;
        }
        let mut path = Path::default();
        let Some(end) = self.trace(seats, view, &mut path) else {
            return;
        };
        if self.insert(&mut ledger, &path, end).is_none() {
            self.is_closed.store(true, Ordering::Relaxed);
        }
    }

    /// Follows the context through the trees of the selectors. Returns `None` if one of them has no
    /// decision.
    fn trace<'v>(
        self: &Arc<Self>,
        seats: &[CacheSlot],
        view: &ContextView<'v>,
        path: &mut Path<'v>,
    ) -> Option<End> {
        for (selector, seat) in seats.iter().enumerate() {
            let (Some(tree), Ok(number)) = (seat.known(), u16::try_from(selector)) else {
                return Some(End::Next(selector));
            };
            self.adopt(selector, tree)?;
            let (before, mut is_whole, mut is_new) = (path.asked.len(), true, false);
            let leaves = path.leaves.len();
            let traced = tree.trace(view, |question, answer| {
                let Some(question) = self.questions.place(question) else {
                    is_whole = false;
                    return;
                };
                is_new = !path.asked.iter().any(|known| known.question == question);
                if is_new {
                    path.asked.push(Asked {
                        question,
                        answer,
                        selector,
                        leaves,
                    });
                }
            });
            if path.asked.len() > MAX_PATH || !is_whole {
                path.asked.truncate(before);
                return Some(End::Next(selector));
            }
            match traced {
                Traced::Decided(verdict, leaf) => {
                    path.leaves.push((number, u16::try_from(leaf).ok()?));
                    if !matches!(verdict, Verdict::Abstains) {
                        let choice = verdict.choice();
                        // The selector's tree has its answers, without its allow-list.
                        let refused = seat.refuse(&choice, &tree.names);
                        let verdict = Verdict::of(&refused.unwrap_or(choice));
                        return Some(End::Decides(verdict, Some(selector)));
                    }
                }
                Traced::Overflows if is_new => return Some(End::Floods(selector)),
                Traced::Overflows => return Some(End::Next(selector)),
                Traced::Unknown => return None,
            }
        }
        Some(End::Decides(Verdict::Abstains, None))
    }

    /// Records the tree of a selector. Returns `None` if it has another one, or if the tree is in
    /// use.
    fn adopt(self: &Arc<Self>, selector: usize, tree: &Arc<Tree>) -> Option<()> {
        let cell = self.trees.get(selector)?;
        if cell.get().is_none() {
            tree.chains().add(Arc::downgrade(self))?;
        }
        // Only this thread sets it, because it holds the ledger.
        let known = cell.get_or_init(|| tree.clone());
        Arc::ptr_eq(known, tree).then_some(())
    }

    /// Returns `None` if nothing more can be inserted.
    fn insert(&self, ledger: &mut Ledger, path: &Path<'_>, end: End) -> Option<()> {
        let Some(mut step) = self.root.get() else {
            let root = self.branch(ledger, path, 0, end)?;
            // No other thread sets it.
            let _ = self.root.set(root);
            return Some(());
        };
        for (depth, asked) in path.asked.iter().enumerate() {
            let node = match step {
                Step::Asks(node) if node.place == asked.question => node,
                // Another thread inserted a shorter path meanwhile.
                Step::Ends(..) => return Some(()),
                _ => {
                    self.refute();
                    return None;
                }
            };
            if node.floods.load(Ordering::Relaxed) {
                return Some(());
            }
            let floods = depth + 1 == path.asked.len() && matches!(end, End::Floods(_));
            match node.ways.find(&asked.answer) {
                _ if floods => {
                    node.floods.store(true, Ordering::Relaxed);
                    return Some(());
                }
                Some(then) => step = then,
                None if node.ways.is_full() => {
                    node.floods.store(true, Ordering::Relaxed);
                    return Some(());
                }
                None => {
                    // Too long to be cached: its selector has not cached it either.
                    let Some(answer) = asked.answer.keep() else {
                        return Some(());
                    };
                    let then = self.branch(ledger, path, depth + 1, end)?;
                    ledger.answers += 1;
                    // The node is not full, so there is space.
                    let _ = node.ways.add(Edge { answer, then });
                    return Some(());
                }
            }
        }
        Some(())
    }

    /// Creates the rest of a path. Returns `None` if the tree is full.
    fn branch(&self, ledger: &mut Ledger, path: &Path<'_>, depth: usize, end: End) -> Option<Step> {
        let rest = path.asked.get(depth..)?;
        let leaves = path.leaves.len() * (rest.len() + 1);
        if ledger.answers + rest.len() >= MAX_ANSWERS
            || ledger.parts + leaves > MAX_PARTS
            || ledger.counted.len() + rest.len() + 1 >= MAX_ENDS
        {
            return None;
        }
        ledger.answers += rest.len();
        ledger.parts += leaves;
        let mut count = |leaves: &[Part]| {
            let count = ledger.counted.len();
            ledger.counted.push(leaves.into());
            // The counter exists from now on, so that the first hit of this thread allocates nothing.
            self.hits.add(count, 0);
            count
        };
        let floods = matches!(end, End::Floods(_));
        let mut then = match end {
            End::Decides(verdict, selector) => {
                Step::Decides(verdict, selector, count(&path.leaves))
            }
            End::Next(selector) | End::Floods(selector) => {
                Step::Ends(selector, count(&path.leaves))
            }
        };
        for (place, asked) in rest.iter().rev().enumerate() {
            let before = count(path.leaves.get(..asked.leaves)?);
            ledger.next_node += 1;
            let node = Node {
                place: asked.question,
                question: self.questions.get(asked.question)?.clone(),
                selector: asked.selector,
                before,
                floods: AtomicBool::new(floods && place == 0),
                ways: Ways::new(ledger.next_node),
            };
            let answer = asked.answer.keep()?;
            // The node is empty, so there is space.
            let _ = node.ways.add(Edge { answer, then });
            then = Step::Asks(Box::new(node));
        }
        Some(then)
    }

    /// Records that selectors contradicted themselves: the tree is not used any more.
    pub(super) fn refute(&self) {
        self.is_refuted.store(true, Ordering::Relaxed);
    }

    /// Calls `each` with the hits of this tree in the leaves of a selector's own tree.
    fn each_hit(&self, tree: &Tree, mut each: impl FnMut(usize, u64)) {
        let ledger = self.ledger.lock();
        for (count, parts) in ledger.counted.iter().enumerate() {
            let hits = self.hits.of(count);
            if hits == 0 {
                continue;
            }
            for (selector, leaf) in parts {
                let known = self
                    .trees
                    .get(usize::from(*selector))
                    .and_then(OnceLock::get);
                if known.is_some_and(|known| std::ptr::eq(&**known, tree)) {
                    each(usize::from(*leaf), hits);
                }
            }
        }
    }
}

/// The trees of the selectors keep the hits.
impl Drop for ChainTree {
    fn drop(&mut self) {
        for tree in self.trees.iter().filter_map(OnceLock::get) {
            self.each_hit(tree, |leaf, hits| tree.hits().add(leaf, hits));
        }
    }
}

/// The trees of chains of which a selector's tree is a part.
#[derive(Default)]
pub(super) struct Chains {
    trees: Mutex<Vec<Weak<ChainTree>>>,
}

impl Chains {
    /// Returns `None` if another thread uses the list.
    fn add(&self, tree: Weak<ChainTree>) -> Option<()> {
        let mut trees = self.trees.try_lock()?;
        trees.retain(|known| known.strong_count() > 0);
        trees.push(tree);
        Some(())
    }

    fn alive(&self) -> Vec<Arc<ChainTree>> {
        let trees = self.trees.lock();
        trees.iter().filter_map(Weak::upgrade).collect()
    }

    /// Tells the chains that nothing of a selector's tree can be trusted.
    pub(super) fn refute(&self) {
        for tree in self.alive() {
            tree.refute();
        }
    }

    /// Calls `each` with the hits that the chains counted in the leaves of a selector's tree.
    pub(super) fn each_hit(&self, tree: &Tree, mut each: impl FnMut(usize, u64)) {
        for chain in self.alive() {
            chain.each_hit(tree, &mut each);
        }
    }
}
