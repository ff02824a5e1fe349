//! Explores several selectors together.
//!
//! The questions of all selectors form one path: those of the first, then those of the second that
//! are not answered yet. A place is a prefix of such a path with its next question, and is spread
//! once: the question is answered in every way that the candidates suggest. Every combination of a
//! rule of one selector with a rule of another is thereby reached.
//!
//! Most candidates are not values of the question at hand, and the selectors treat them alike. An
//! answer is remarkable if it is the first that leads the selectors to these next questions and
//! outcomes. Places behind remarkable answers are spread first. The others matter only to a
//! selector that reads several values before it compares the first; they are spread in the order
//! of the number of answers that are not remarkable, as far as a share of the budget allows.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{Hash as _, Hasher as _};
use std::rc::Rc;

use serde_json::{Map, Value};
use spanmux_core::RuntimeContext;
use spanmux_core::explanation::{Answer, Outcome, Question};

use crate::Constants;
use crate::observe::{Asked, Observed, hash_answer};
use crate::variants::variants;

/// The keys and values of a made-up context.
pub(crate) type Entries = Map<String, Value>;

/// Formats entries as the JSON text of a context.
pub(crate) fn json_text(entries: &Entries) -> String {
    Value::Object(entries.clone()).to_string()
}

/// The part of the budget for places behind answers that are not remarkable.
const DULL_SHARE: usize = 5;

/// An exploration under way.
pub(crate) struct Joint<'a> {
    candidates: &'a Constants,
    budget: usize,
    /// Places to spread by the number of answers before them that are not remarkable.
    places: BTreeMap<usize, VecDeque<Place>>,
    tried: HashSet<u64>,
    spread: HashSet<u64>,
    /// For each question and its continuations, the first answer that led to them.
    first: HashMap<u64, u64>,
    extent: Extent,
}

/// A question with a context that leads to it.
struct Place {
    question: Question,
    entries: Rc<Entries>,
}

/// The extent of an exploration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) contexts: usize,
    /// Questions behind remarkable answers that were not answered in every way, because the budget
    /// was spent.
    pub(crate) left: usize,
    /// Whether any place was left behind an answer that is not remarkable.
    pub(crate) dull_left: bool,
}

impl<'a> Joint<'a> {
    pub(crate) fn new(candidates: &'a Constants, budget: usize) -> Self {
        Self {
            candidates,
            budget,
            places: BTreeMap::new(),
            tried: HashSet::new(),
            spread: HashSet::new(),
            first: HashMap::new(),
            extent: Extent::default(),
        }
    }

    /// Explores the selectors, and passes each context with their answers to `each`.
    pub(crate) fn run(
        mut self,
        selectors: &mut [Observed],
        members: &[usize],
        seeds: &[Entries],
        mut each: impl FnMut(&Entries, &[Asked]),
    ) -> Extent {
        let mut try_each = |joint: &mut Self, contexts: Vec<Entries>, budget: usize| {
            for entries in contexts {
                if joint.extent.contexts >= budget {
                    return false;
                }
                joint.try_one(entries, selectors, members, &mut each);
            }
            true
        };
        let mut starts = vec![Map::new()];
        starts.extend(seeds.iter().cloned());
        let budget = self.budget;
        try_each(&mut self, starts, budget);
        let mut dull_end = None;
        while let Some((level, place)) = self.next_place() {
            let until = if level == 0 {
                budget
            } else {
                let from = self.extent.contexts;
                *dull_end.get_or_insert_with(|| budget.min(from + budget / DULL_SHARE))
            };
            let contexts = variants(&place.question, &place.entries, self.candidates);
            if !try_each(&mut self, contexts, until) {
                self.places.entry(level).or_default().push_front(place);
                break;
            }
        }
        self.extent.left = self.places.get(&0).map_or(0, VecDeque::len);
        self.extent.dull_left = self
            .places
            .iter()
            .any(|(level, left)| *level > 0 && !left.is_empty());
        self.extent
    }

    fn next_place(&mut self) -> Option<(usize, Place)> {
        let waiting = self.places.iter_mut();
        waiting
            .filter_map(|(level, places)| Some((*level, places.pop_front()?)))
            .next()
    }

    fn try_one(
        &mut self,
        entries: Entries,
        selectors: &mut [Observed],
        members: &[usize],
        each: &mut impl FnMut(&Entries, &[Asked]),
    ) {
        let text = json_text(&entries);
        if !self.tried.insert(hash(|state| text.hash(state))) {
            return;
        }
        let Ok(context) = RuntimeContext::from_json(&text) else {
            return;
        };
        self.extent.contexts += 1;
        let view = context.view();
        let ask = |&place: &usize| selectors[place].ask(&view);
        let asked: Vec<Asked> = members.iter().map(ask).collect();
        self.add_places(&entries, &asked);
        each(&entries, &asked);
    }

    /// Adds each place that this context is the first to reach.
    fn add_places(&mut self, entries: &Entries, asked: &[Asked]) {
        let remarkable = self.remarkable(asked);
        let shared = Rc::new(entries.clone());
        let (mut before, mut level) = (0, 0);
        for (question, answer) in joint_path(asked) {
            let here = hash(|state| (before, question).hash(state));
            if self.spread.insert(here) {
                self.places.entry(level).or_default().push_back(Place {
                    question: question.clone(),
                    entries: Rc::clone(&shared),
                });
            }
            level += usize::from(!remarkable.contains(question));
            before = hash(|state| {
                here.hash(state);
                hash_answer(answer, state);
            });
        }
    }

    /// Returns the questions whose answer is remarkable: no other answer led all selectors that ask
    /// from where they are to the same continuations before.
    fn remarkable<'b>(&mut self, asked: &'b [Asked]) -> HashSet<&'b Question> {
        let mut steps: HashMap<&Question, (u64, Vec<u64>)> = HashMap::new();
        for (selector, asked) in asked.iter().enumerate() {
            let mut before = 0;
            for (at, (question, answer)) in asked.path.iter().enumerate() {
                let own = hash(|state| hash_answer(answer, state));
                let next = asked.path.get(at + 1).map(|(question, _)| question);
                let continuation = hash(|state| {
                    (selector, before, next).hash(state);
                    comparable(&asked.outcome).hash(state);
                });
                let (_, continuations) = steps.entry(question).or_insert((own, Vec::new()));
                continuations.push(continuation);
                before = hash(|state| (before, own).hash(state));
            }
        }
        let is_first = |(question, (own, continuations)): (&'b Question, (u64, Vec<u64>))| {
            let key = hash(|state| (question, continuations).hash(state));
            (*self.first.entry(key).or_insert(own) == own).then_some(question)
        };
        steps.into_iter().filter_map(is_first).collect()
    }
}

/// Returns the questions of all selectors in order, each once.
pub(crate) fn joint_path(asked: &[Asked]) -> Vec<&(Question, Answer)> {
    let mut known = HashSet::new();
    let steps = asked.iter().flat_map(|asked| &asked.path);
    steps
        .filter(|(question, _)| known.insert(question))
        .collect()
}

/// Returns the part of an outcome that is compared: the tracer or the cause, not the text of the
/// reason.
pub(crate) fn comparable(outcome: &Outcome) -> (u8, &str) {
    match outcome {
        Outcome::Tracer(name) => (0, name),
        Outcome::Abstains => (1, ""),
        Outcome::Fallback { cause, .. } => match outcome.unknown_tracer() {
            Some(name) => (3, name),
            None => (2, cause),
        },
    }
}

pub(crate) fn hash(feed: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut state = DefaultHasher::new();
    feed(&mut state);
    state.finish()
}
