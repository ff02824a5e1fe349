//! The decision tree of one component and one list of tracers: a trie of the first answers, and a
//! bounded cache for further ones.

use crate::sync::OnceLock;
use crate::sync::atomic::{AtomicBool, Ordering};

use crate::sync::Mutex;

use super::answer::AnswerRef;
use super::bounded::{self, Cache, Size};
use super::chain::Chains;
use super::frequency::Sketch;
use super::hits::{Hits, MAX_ENDS};
use super::question::{Place, Questions};
use super::single_flight::Frontier;
use super::trie::{MAX_WAYS, NODE_BYTES, Node, Step, Verdict, WAY_BYTES};
use super::ways::Edge;
use crate::context::{ContextView, Question};
use crate::decision::{Choice, CompactDecision};
use crate::tracer_names::TracerNames;

/// Maximum number of questions of a cached decision. A selector asks a dozen. One that asks more
/// loops over keys.
pub(super) const MAX_PATH: usize = 64;

/// Size of a full trie with one node per edge, in bytes.
const MAX_TRUNK_BYTES: usize = MAX_WAYS * (WAY_BYTES + NODE_BYTES);

/// The maximum size of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Number of answers, over all questions.
    pub answers: usize,
    pub bytes: usize,
}

impl CacheLimits {
    /// The trie uses the smaller part, and no more than it can fill.
    fn trunk(self) -> Self {
        Self {
            answers: self.answers.min(MAX_WAYS),
            bytes: (self.bytes / 4).min(MAX_TRUNK_BYTES),
        }
    }

    /// The bounded cache uses the rest, minus the size of the sketch.
    fn cache(self) -> Option<Cache> {
        let answers = self.answers - self.trunk().answers;
        let bytes = self.bytes - self.trunk().bytes;
        let rough = Cache::within(answers, bytes)?.capacity();
        Cache::within(answers, bytes.checked_sub(Sketch::bytes(rough))?)
    }
}

/// The cached decisions of a component for one list of tracers.
pub struct Tree {
    pub(super) names: TracerNames,
    root: OnceLock<Step>,
    questions: Questions,
    hits: Hits,
    cache: OnceLock<Option<Cache>>,
    room: CacheLimits,
    /// `true` if two runs contradicted each other.
    refuted: AtomicBool,
    chains: Chains,
    /// Held by the writer.
    ledger: Mutex<Ledger>,
}

/// State that only the writer accesses.
#[derive(Default)]
struct Ledger {
    trunk: Size,
    cached: Size,
    next_node: u64,
    next_end: usize,
    sketch: Option<Sketch>,
}

/// Two runs received the same answers and behaved differently. A pure function cannot do that, so
/// no cached decision can be trusted.
#[derive(Debug)]
struct Contradiction;

/// A question and its answer.
type Asked<'v> = (Place, AnswerRef<'v>);

impl Tree {
    pub(super) fn new(names: TracerNames, room: CacheLimits) -> Self {
        Self {
            names,
            root: OnceLock::new(),
            questions: Questions::new(),
            hits: Hits::default(),
            cache: OnceLock::new(),
            room,
            refuted: AtomicBool::new(false),
            chains: Chains::default(),
            ledger: Mutex::default(),
        }
    }

    /// Returns the decision for this context, or the position at which the cached tree ends.
    // Always: with two callers, the compiler would call it, which costs a tenth of a hit.
    #[inline(always)]
    pub(super) fn walk(&self, view: &ContextView<'_>) -> Result<CompactDecision, Frontier> {
        let mut step = match self.root.get() {
            Some(root) if !self.refuted.load(Ordering::Relaxed) => root,
            _ => return Err((0, 0)),
        };
        loop {
            let node = match step {
                Step::Asks(node) => node,
                Step::Decides(verdict, end) => {
                    self.hits.count(*end);
                    return Ok(verdict.brief());
                }
            };
            let answer_ref = self.answer_ref(node.question, view).ok_or((node.id(), 0))?;
            match node.ways.find(&answer_ref) {
                Some(next) => step = next,
                None if node.overflows() => return self.walk_cache(node.id(), answer_ref, view),
                None => return Err(frontier(node.id(), answer_ref)),
            }
        }
    }

    fn walk_cache<'v>(
        &self,
        mut node: u64,
        mut answer_ref: AnswerRef<'v>,
        view: &ContextView<'v>,
    ) -> Result<CompactDecision, Frontier> {
        loop {
            let known = self
                .cache()
                .and_then(|cache| cache.find(node, &answer_ref, &self.hits));
            match known {
                Some(bounded::Step::Asks(question, next)) => {
                    node = next;
                    answer_ref = self.answer_ref(question, view).ok_or((node, 0))?;
                }
                Some(decided) => {
                    let choice = decided.choice().ok_or((node, 0))?;
                    return Ok(CompactDecision::of(choice, true));
                }
                None => return Err(frontier(node, answer_ref)),
            }
        }
    }

    /// Shows the questions for this context with their answers, as far as the trie has them, and
    /// returns the end of the path. Counts no hit.
    pub(super) fn trace<'v>(
        &self,
        view: &ContextView<'v>,
        mut show: impl FnMut(&Question, AnswerRef<'v>),
    ) -> Traced<'_> {
        let mut step = match self.root.get() {
            Some(root) if !self.refuted.load(Ordering::Relaxed) => root,
            _ => return Traced::Unknown,
        };
        loop {
            let node = match step {
                Step::Asks(node) => node,
                Step::Decides(verdict, leaf) => return Traced::Decided(verdict, *leaf),
            };
            let Some(question) = self.questions.get(node.question) else {
                return Traced::Unknown;
            };
            let answer_ref = AnswerRef::of(question.ask(view));
            show(question, answer_ref);
            match node.ways.find(&answer_ref) {
                Some(next) => step = next,
                None if node.overflows() => return Traced::Overflows,
                None => return Traced::Unknown,
            }
        }
    }

    #[inline(always)]
    fn answer_ref<'v>(&self, question: Place, view: &ContextView<'v>) -> Option<AnswerRef<'v>> {
        Some(AnswerRef::of(self.questions.get(question)?.ask(view)))
    }

    /// Inserts a decision as far as the limits allow. If another thread is inserting, the decision
    /// is not cached this time.
    pub(super) fn learn(&self, view: &ContextView<'_>, asked: &[Question], choice: &Choice) {
        let Some(mut ledger) = self.ledger.try_lock() else {
            return;
        };
        if self.refuted.load(Ordering::Relaxed) {
            return;
        }
        let Some(path) = self.path(view, asked) else {
            return;
        };
        let mut learner = Learner {
            tree: self,
            ledger: &mut ledger,
            choice,
        };
        if let Err(Contradiction) = learner.learn(&path) {
            self.refuted.store(true, Ordering::Relaxed);
            self.chains.refute();
            // A subscriber of the event may ask this tree.
            drop(ledger);
            tracing::error!(
                "a selector decided differently on equal answers; what was cached of it is not \
                 used any more"
            );
        }
    }

    /// Returns the questions with their answers, without repetitions. Returns `None` if any of them
    /// cannot be stored.
    fn path<'v>(&self, view: &ContextView<'v>, asked: &[Question]) -> Option<Vec<Asked<'v>>> {
        let mut path: Vec<Asked<'v>> = Vec::with_capacity(asked.len());
        for question in asked {
            let place = self.questions.place(question)?;
            if path.iter().any(|(known, _)| *known == place) {
                continue;
            }
            if path.len() == MAX_PATH {
                return None;
            }
            path.push((place, self.answer_ref(place, view)?));
        }
        Some(path)
    }

    pub(super) fn root(&self) -> Option<&Step> {
        self.root.get()
    }

    pub(super) fn question(&self, place: Place) -> Option<&Question> {
        self.questions.get(place).map(|question| &**question)
    }

    /// Returns the number of different questions that its decisions ask. It never decreases, and it
    /// increases before a decision that asks a further question is stored.
    pub(crate) fn question_count(&self) -> usize {
        self.questions.count()
    }

    /// Returns the questions that its decisions ask.
    pub(crate) fn questions(&self) -> impl Iterator<Item = &Question> {
        self.questions.iter()
    }

    pub(super) fn hits(&self) -> &Hits {
        &self.hits
    }

    pub(super) fn chains(&self) -> &Chains {
        &self.chains
    }

    #[inline]
    pub(super) fn cache(&self) -> Option<&Cache> {
        self.cache.get()?.as_ref()
    }

    /// Returns the number of answers and bytes.
    pub(super) fn size(&self) -> Size {
        let ledger = self.ledger.lock();
        let counting = ledger.sketch.as_ref().map_or(0, Sketch::held_bytes);
        Size {
            entries: ledger.trunk.entries + ledger.cached.entries,
            bytes: ledger.trunk.bytes + ledger.cached.bytes + counting,
        }
    }
}

/// The end of the path of a context in the trie.
pub(super) enum Traced<'a> {
    /// A decision and the position of its hit counter.
    Decided(&'a Verdict, usize),
    /// The bounded cache may have the answer to the last question.
    Overflows,
    Unknown,
}

#[cold]
fn frontier(node: u64, answer_ref: AnswerRef<'_>) -> Frontier {
    (node, answer_ref.hash(node))
}

/// Inserts one decision.
struct Learner<'a> {
    tree: &'a Tree,
    ledger: &'a mut Ledger,
    choice: &'a Choice,
}

impl Learner<'_> {
    fn learn(&mut self, path: &[Asked<'_>]) -> Result<(), Contradiction> {
        let Some(mut step) = self.tree.root.get() else {
            if let Some(root) = self.branch(path, 0) {
                // No other thread sets it.
                let _ = self.tree.root.set(root);
            }
            return Ok(());
        };
        let mut rest = path;
        loop {
            let (node, question, answer_ref) = match (step, rest) {
                (Step::Decides(verdict, _), []) if verdict.choice() == *self.choice => {
                    return Ok(());
                }
                (Step::Asks(node), [(question, answer_ref), below @ ..]) => {
                    rest = below;
                    (node, question, answer_ref)
                }
                _ => return Err(Contradiction),
            };
            if node.question != *question {
                return Err(Contradiction);
            }
            match node.ways.find(answer_ref) {
                Some(known) => step = known,
                None => return self.extend(node, answer_ref, rest),
            }
        }
    }

    /// Adds an edge to a node: to the trie if there is space, otherwise to the bounded cache.
    fn extend(
        &mut self,
        node: &Node,
        answer_ref: &AnswerRef<'_>,
        rest: &[Asked<'_>],
    ) -> Result<(), Contradiction> {
        let Some(answer) = answer_ref.keep() else {
            return Ok(());
        };
        let full = node.ways.is_full();
        let bytes = WAY_BYTES + answer.heap_bytes();
        if !full && let Some(then) = self.branch(rest, bytes) {
            // The node is not full, so there is space.
            let _ = node.ways.add(Edge { answer, then });
            return Ok(());
        }
        if self.cache(node.id(), answer_ref, rest)? {
            node.overflow();
        }
        Ok(())
    }

    /// Creates a branch of the trie below an edge of this size, or returns `None` if there is no
    /// space for both.
    fn branch(&mut self, path: &[Asked<'_>], edge: usize) -> Option<Step> {
        let answers: Option<Vec<_>> = path
            .iter()
            .map(|(_, answer_ref)| answer_ref.keep())
            .collect();
        let answers = answers?;
        let heap: usize = answers.iter().map(|answer| answer.heap_bytes()).sum();
        let verdict = Verdict::of(self.choice);
        let detail = match &self.choice {
            Choice::Fallback(fallback) => size_of_val(fallback) + fallback.detail_bytes() + 32,
            _ => 0,
        };
        let come = Size {
            entries: path.len() + usize::from(edge > 0),
            bytes: edge + path.len() * NODE_BYTES + heap + detail,
        };
        let room = self.tree.room.trunk();
        let trunk = &mut self.ledger.trunk;
        let full = trunk.entries + come.entries > room.answers
            || trunk.bytes + come.bytes > room.bytes
            || self.ledger.next_end >= MAX_ENDS;
        if full {
            return None;
        }
        trunk.entries += come.entries;
        trunk.bytes += come.bytes;
        let mut then = Step::Decides(verdict, self.ledger.next_end);
        self.ledger.next_end += 1;
        for ((question, _), answer) in path.iter().zip(answers).rev() {
            let node = Node::new(self.number(), *question);
            // The node is empty, so there is space.
            let _ = node.ways.add(Edge { answer, then });
            then = Step::Asks(Box::new(node));
        }
        Some(then)
    }

    /// Inserts the path from this node into the bounded cache as far as the admission policy
    /// allows. Returns `true` if any part of it was inserted.
    fn cache(
        &mut self,
        mut node: u64,
        answer_ref: &AnswerRef<'_>,
        rest: &[Asked<'_>],
    ) -> Result<bool, Contradiction> {
        let cache = self.tree.cache.get_or_init(|| self.tree.room.cache());
        let Some(cache) = cache else {
            return Ok(false);
        };
        let mut answer_ref = *answer_ref;
        for (depth, next) in (0..).zip(rest.iter().map(Some).chain([None])) {
            let then = match next {
                Some((question, _)) => bounded::Step::Asks(*question, self.number()),
                None => bounded::Step::decides(self.choice),
            };
            let Ledger { sketch, cached, .. } = &mut *self.ledger;
            let sketch = sketch.get_or_insert_with(|| Sketch::new(cache.capacity()));
            let Some(known) = cache.learn(node, &answer_ref, then, sketch, cached) else {
                return Ok(depth > 0);
            };
            match (known, next) {
                (bounded::Step::Asks(question, id), Some((asked, answer)))
                    if question == *asked =>
                {
                    node = id;
                    answer_ref = *answer;
                }
                (decided, None) if decided.choice().as_ref() == Some(self.choice) => {}
                _ => return Err(Contradiction),
            }
        }
        Ok(true)
    }

    fn number(&mut self) -> u64 {
        self.ledger.next_node += 1;
        self.ledger.next_node
    }
}
