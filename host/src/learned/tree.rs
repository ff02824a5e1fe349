//! The tree of one generation: one component and one list of tracers. The trunk is
//! what was learned first, the cache is what is beyond it.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::cache::{self, Cache, Size};
use super::flights::Frontier;
use super::hits::{Hits, MAX_ENDS};
use super::questions::{Place, Questions};
use super::sketch::Sketch;
use super::told::Told;
use super::trunk::{End, MAX_WAYS, Node, Step, Way};
use crate::context::{ContextView, Question};
use crate::decision::Choice;
use crate::tracer_names::TracerNames;

/// Questions of one decision that are learned. A selector asks a dozen; one that
/// asks more is a loop over keys.
const MAX_PATH: usize = 64;

/// How much may be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Answers, over all questions.
    pub(crate) answers: usize,
    pub(crate) bytes: usize,
}

impl Room {
    /// The trunk has the smaller part of it.
    fn trunk(self) -> Self {
        Self {
            answers: self.answers.min(MAX_WAYS),
            bytes: self.bytes / 4,
        }
    }

    /// The cache has the rest, less what counting misses takes.
    fn cache(self) -> Option<Cache> {
        let answers = self.answers - self.trunk().answers;
        let bytes = self.bytes - self.trunk().bytes;
        let rough = Cache::within(answers, bytes)?.capacity();
        Cache::within(answers, bytes.checked_sub(Sketch::bytes(rough))?)
    }
}

/// What a reader holds: cheap to make anew, because nearly all of it is shared.
pub(super) struct Tree {
    pub(super) names: TracerNames,
    trunk: Option<Step>,
    shared: Arc<Shared>,
}

/// What all trees of one generation share.
struct Shared {
    questions: Questions,
    hits: Hits,
    cache: OnceLock<Option<Cache>>,
    room: Room,
    ledger: Mutex<Ledger>,
}

/// What only who learns reads and writes.
#[derive(Default)]
struct Ledger {
    trunk: Size,
    cached: Size,
    next_node: u64,
    next_end: usize,
    sketch: Option<Sketch>,
}

/// Two runs that were given the same answers and did different things. It cannot
/// happen to a pure function, so nothing that was learned can be trusted.
#[derive(Debug)]
pub(super) struct Contradiction;

impl Tree {
    pub(super) fn new(names: TracerNames, room: Room) -> Self {
        Self {
            names,
            trunk: None,
            shared: Arc::new(Shared {
                questions: Questions::new(),
                hits: Hits::default(),
                cache: OnceLock::new(),
                room,
                ledger: Mutex::default(),
            }),
        }
    }

    /// The decision for this context, or the place where what is known ends.
    #[inline]
    pub(super) fn walk(&self, view: &ContextView<'_>) -> Result<Choice, Frontier> {
        let Some(mut step) = self.trunk.as_ref() else {
            return Err((0, 0));
        };
        loop {
            let node = match step {
                Step::Asks(node) => node,
                Step::Decides(end) => {
                    self.shared.hits.count(end.number);
                    return Ok(end.choice.clone());
                }
            };
            let told = self.shared.told(node.question, view).ok_or((node.id, 0))?;
            match node.find(&told) {
                Some(next) => step = next,
                None if node.overflows => return self.shared.walk_cache(node.id, told, view),
                None => return Err((node.id, told.hash(node.id))),
            }
        }
    }

    /// A tree that knows this decision too; none if there is no room for it, or if
    /// only the cache has changed.
    pub(super) fn learn(
        &self,
        view: &ContextView<'_>,
        asked: &[Question],
        choice: &Choice,
    ) -> Result<Option<Self>, Contradiction> {
        let shared = &*self.shared;
        let mut ledger = shared.ledger.lock();
        let Some(path) = shared.path(view, asked) else {
            return Ok(None);
        };
        let mut learner = Learner {
            shared,
            ledger: &mut ledger,
            choice,
        };
        let trunk = match &self.trunk {
            Some(step) => learner.grow(step, &path)?,
            None => learner.branch(&path),
        };
        Ok(trunk.map(|trunk| Self {
            trunk: Some(trunk),
            ..self.of(&self.names)
        }))
    }

    /// The same tree for another list of the same names.
    pub(super) fn of(&self, names: &TracerNames) -> Self {
        Self {
            names: names.clone(),
            trunk: self.trunk.clone(),
            shared: self.shared.clone(),
        }
    }

    pub(super) fn trunk(&self) -> Option<&Step> {
        self.trunk.as_ref()
    }

    pub(super) fn question(&self, place: Place) -> Option<&Question> {
        self.shared.questions.get(place)
    }

    pub(super) fn hits(&self) -> &Hits {
        &self.shared.hits
    }

    pub(super) fn cache(&self) -> Option<&Cache> {
        self.shared.cache.get()?.as_ref()
    }

    /// Answers and bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        let ledger = self.shared.ledger.lock();
        let counting = ledger.sketch.as_ref().map_or(0, Sketch::held_bytes);
        (
            ledger.trunk.entries + ledger.cached.entries,
            ledger.trunk.bytes + ledger.cached.bytes + counting,
        )
    }
}

impl Shared {
    #[inline]
    fn told<'v>(&self, question: Place, view: &ContextView<'v>) -> Option<Told<'v>> {
        Some(Told::of(view.answer(self.questions.get(question)?)))
    }

    fn walk_cache<'v>(
        &self,
        mut node: u64,
        mut told: Told<'v>,
        view: &ContextView<'v>,
    ) -> Result<Choice, Frontier> {
        loop {
            let cache = self.cache.get().and_then(Option::as_ref);
            let known = cache.and_then(|cache| cache.find(node, &told, &self.hits));
            match known {
                Some(cache::Step::Asks(question, next)) => {
                    node = next;
                    told = self.told(question, view).ok_or((node, 0))?;
                }
                Some(decided) => return decided.choice().ok_or((node, 0)),
                None => return Err((node, told.hash(node))),
            }
        }
    }

    /// The questions with their answers, each once: a second time the answer is
    /// known. None if something of it cannot be kept.
    fn path<'v>(
        &self,
        view: &ContextView<'v>,
        asked: &[Question],
    ) -> Option<Vec<(Place, Told<'v>)>> {
        let mut path: Vec<(Place, Told<'v>)> = Vec::with_capacity(asked.len());
        for question in asked {
            let place = self.questions.place(question)?;
            if path.iter().any(|(known, _)| *known == place) {
                continue;
            }
            if path.len() == MAX_PATH {
                return None;
            }
            path.push((place, self.told(place, view)?));
        }
        Some(path)
    }
}

/// Learns one decision.
struct Learner<'a> {
    shared: &'a Shared,
    ledger: &'a mut Ledger,
    choice: &'a Choice,
}

impl Learner<'_> {
    /// This step with the rest of the path below it; none if it stays as it is.
    fn grow(
        &mut self,
        step: &Step,
        path: &[(Place, Told<'_>)],
    ) -> Result<Option<Step>, Contradiction> {
        let (node, question, told, rest) = match (step, path) {
            (Step::Decides(end), []) if end.choice == *self.choice => return Ok(None),
            (Step::Asks(node), [(question, told), rest @ ..]) => (node, question, told, rest),
            _ => return Err(Contradiction),
        };
        if node.question != *question {
            return Err(Contradiction);
        }
        let Some(answer) = told.keep() else {
            return Ok(None);
        };
        if let Some(known) = node.find(told) {
            let then = self.grow(known, rest)?;
            return Ok(then.map(|then| Step::Asks(Arc::new(node.with(told, answer, then)))));
        }
        if !node.is_full()
            && let Some(then) = self.branch(rest)
        {
            self.ledger.trunk.entries += 1;
            self.ledger.trunk.bytes += size_of::<Way>() + answer.heap_bytes();
            return Ok(Some(Step::Asks(Arc::new(node.with(told, answer, then)))));
        }
        let learned = self.cache(node.id, told, rest)?;
        Ok((learned && !node.overflows).then(|| Step::Asks(Arc::new(node.overflowing()))))
    }

    /// A new branch of the trunk; none if it has no room.
    fn branch(&mut self, path: &[(Place, Told<'_>)]) -> Option<Step> {
        let room = self.shared.room.trunk();
        let heap: Option<Vec<usize>> = path
            .iter()
            .map(|(_, told)| Some(told.keep()?.heap_bytes()))
            .collect();
        let bytes = heap?.iter().sum::<usize>()
            + path.len() * (size_of::<Way>() + size_of::<Node>())
            + size_of::<End>();
        // One entry more for the way that leads here.
        let entries = self.ledger.trunk.entries + path.len() + 1;
        let full = entries > room.answers
            || self.ledger.trunk.bytes + bytes > room.bytes
            || self.ledger.next_end >= MAX_ENDS;
        if full {
            return None;
        }
        self.ledger.trunk.entries += path.len();
        self.ledger.trunk.bytes += bytes;
        let mut step = Step::Decides(Arc::new(End {
            choice: self.choice.clone(),
            number: self.ledger.next_end,
        }));
        self.ledger.next_end += 1;
        for (question, told) in path.iter().rev() {
            let node = Node::new(self.number(), *question);
            step = Step::Asks(Arc::new(node.with(told, told.keep()?, step)));
        }
        Some(step)
    }

    /// Puts the way from this node into the cache, as far as it is let in. Says
    /// whether anything was.
    fn cache(
        &mut self,
        mut node: u64,
        told: &Told<'_>,
        rest: &[(Place, Told<'_>)],
    ) -> Result<bool, Contradiction> {
        let cache = self.shared.cache.get_or_init(|| self.shared.room.cache());
        let Some(cache) = cache else {
            return Ok(false);
        };
        let mut told = *told;
        for (depth, next) in (0..).zip(rest.iter().map(Some).chain([None])) {
            let then = match next {
                Some((question, _)) => cache::Step::Asks(*question, self.number()),
                None => cache::Step::decides(self.choice),
            };
            let Ledger { sketch, cached, .. } = &mut *self.ledger;
            let sketch = sketch.get_or_insert_with(|| Sketch::new(cache.capacity()));
            let Some(known) = cache.learn(node, &told, then, sketch, cached) else {
                return Ok(depth > 0);
            };
            match (known, next) {
                (cache::Step::Asks(question, id), Some((asked, answer))) if question == *asked => {
                    node = id;
                    told = *answer;
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
