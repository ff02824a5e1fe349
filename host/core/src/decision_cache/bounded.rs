//! Answers beyond the trie: a bounded cache that all nodes share.
//!
//! A node with many answers (a user id) would grow without limit. Its edges are stored here in
//! small sets. Each set is one pointer that a writer swaps, so readers take no lock. The admission
//! policy compares how often two answers were requested: a flood of answers that occur once evicts
//! none that recur.
//!
//! An evicted edge leaves its descendants without a parent. They become unreachable, because a node
//! number is never reused, and are evicted next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::sync::ArcSwapOption;

use super::answer::{AnswerKey, AnswerRef};
use super::frequency::{MAX_COUNT, Sketch};
use super::hits::Hits;
use super::question::Place;
use crate::decision::{Choice, Fallback, TracerIndex};

/// Maximum number of entries of one set.
const WAYS: usize = 16;

/// Size of an entry with short text, its share of the set, and the allocator's overhead for
/// replaced sets. It determines the number of sets and the budget of each.
const ENTRY_BYTES: usize = (size_of::<Entry>() + 8) * 5 / 4;

/// The target of an entry.
#[derive(Clone)]
pub(super) enum Step {
    Asks(Place, u64),
    Chooses(TracerIndex),
    Abstains,
    FallsBack(Arc<Fallback>),
}

impl Step {
    pub(super) fn decides(choice: &Choice) -> Self {
        match choice {
            Choice::Tracer(index) => Self::Chooses(*index),
            Choice::Abstain => Self::Abstains,
            Choice::Fallback(fallback) => Self::FallsBack(Arc::new(fallback.clone())),
        }
    }

    /// Returns the decision, or `None` if another question follows.
    pub(super) fn choice(&self) -> Option<Choice> {
        match self {
            Self::Asks(..) => None,
            Self::Chooses(index) => Some(Choice::Tracer(*index)),
            Self::Abstains => Some(Choice::Abstain),
            Self::FallsBack(fallback) => Some(Choice::Fallback(Fallback::clone(fallback))),
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::FallsBack(fallback) => size_of::<Fallback>() + 32 + fallback.detail_bytes(),
            _ => 0,
        }
    }
}

struct Set {
    /// One byte of each entry's hash.
    tags: [u8; WAYS],
    /// The age of the frequency sketch when the counts were last halved.
    age: AtomicU32,
    entries: Box<[Entry]>,
}

struct Entry {
    node: u64,
    answer: AnswerKey,
    then: Step,
    /// Sampled number of decisions that used the entry.
    seen: AtomicU32,
    /// Recent number of requests. It saturates at a small number, so that a popular entry is not
    /// written.
    count: AtomicU8,
}

impl Entry {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.answer.heap_bytes() + self.then.heap_bytes()
    }

    fn again(&self) -> Self {
        Self {
            node: self.node,
            answer: self.answer.clone(),
            then: self.then.clone(),
            seen: AtomicU32::new(self.seen.load(Ordering::Relaxed)),
            count: AtomicU8::new(self.count.load(Ordering::Relaxed)),
        }
    }

    fn is(&self, node: u64, answer_ref: &AnswerRef<'_>) -> bool {
        self.node == node && answer_ref.is(&self.answer)
    }
}

/// Entries and bytes that were added and evicted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

pub(super) struct Cache {
    sets: Box<[ArcSwapOption<Set>]>,
}

impl Cache {
    /// Creates a cache within this size, or returns `None` if not even one set fits.
    pub(super) fn within(entries: usize, bytes: usize) -> Option<Self> {
        let sets = (entries / WAYS).min(bytes / (WAYS * ENTRY_BYTES));
        (sets > 0).then(|| Self {
            sets: (0..sets).map(|_| ArcSwapOption::empty()).collect(),
        })
    }

    /// Returns the maximum number of entries.
    pub(super) fn capacity(&self) -> usize {
        self.sets.len() * WAYS
    }

    fn set(&self, hash: u64) -> &ArcSwapOption<Set> {
        // Uses the high bits of the product, because the low bits are those of the tag.
        let place = (u128::from(hash) * self.sets.len() as u128) >> 64;
        &self.sets[place as usize]
    }

    /// Returns the target of an answer, if cached.
    #[inline]
    pub(super) fn find(&self, node: u64, answer_ref: &AnswerRef<'_>, hits: &Hits) -> Option<Step> {
        let hash = answer_ref.hash(node);
        let set = self.set(hash).load();
        let set = set.as_ref()?;
        let entry = set.find(hash as u8, node, answer_ref)?;
        let count = entry.count.load(Ordering::Relaxed);
        if count < MAX_COUNT {
            entry.count.store(count + 1, Ordering::Relaxed);
        }
        if !matches!(entry.then, Step::Asks(..)) {
            hits.count_cached(&entry.seen);
        }
        Some(entry.then.clone())
    }

    /// Inserts an answer if there is space or if it is requested more often than another one.
    /// Returns its target: that of an existing entry wins. Only one thread may call it at a time.
    pub(super) fn learn(
        &self,
        node: u64,
        answer_ref: &AnswerRef<'_>,
        then: Step,
        sketch: &mut Sketch,
        size: &mut Size,
    ) -> Option<Step> {
        let hash = answer_ref.hash(node);
        let count = sketch.count(hash);
        let place = self.set(hash);
        let set = place.load();
        if let Some(set) = set.as_ref() {
            set.grow_old(sketch.age);
            if let Some(entry) = set.find(hash as u8, node, answer_ref) {
                return Some(entry.then.clone());
            }
        }
        let entry = Entry {
            node,
            answer: answer_ref.keep()?,
            then: then.clone(),
            seen: AtomicU32::new(0),
            count: AtomicU8::new(count),
        };
        let old = set.as_deref();
        let new = Set::with(old, hash as u8, entry, sketch.age)?;
        let (gone, come) = (old.map_or(Size::default(), Set::size), new.size());
        size.entries = size.entries - gone.entries + come.entries;
        size.bytes = size.bytes - gone.bytes + come.bytes;
        place.store(Some(Arc::new(new)));
        Some(then)
    }

    /// Calls `each` for every entry with its node, its answer, its target and its sampled hits.
    pub(super) fn each(&self, mut each: impl FnMut(u64, &AnswerKey, &Step, u32)) {
        for set in &self.sets {
            for entry in set.load().iter().flat_map(|set| &set.entries) {
                let seen = entry.seen.load(Ordering::Relaxed);
                each(entry.node, &entry.answer, &entry.then, seen);
            }
        }
    }
}

impl Set {
    #[inline]
    fn find(&self, tag: u8, node: u64, answer_ref: &AnswerRef<'_>) -> Option<&Entry> {
        let tags = self.tags.iter().zip(&self.entries);
        let mut same = tags.filter(|(known, _)| **known == tag);
        let (_, entry) = same.find(|(_, entry)| entry.is(node, answer_ref))?;
        Some(entry)
    }

    fn size(&self) -> Size {
        Size {
            entries: self.entries.len(),
            bytes: self.entries.iter().map(Entry::bytes).sum(),
        }
    }

    /// Halves the counts as often as the sketch halved its own.
    fn grow_old(&self, age: u32) {
        let halvings = age.wrapping_sub(self.age.swap(age, Ordering::Relaxed));
        if halvings > 0 {
            for entry in &self.entries {
                let count = entry.count.load(Ordering::Relaxed);
                let count = count.checked_shr(halvings).unwrap_or(0);
                entry.count.store(count, Ordering::Relaxed);
            }
        }
    }

    /// Returns a copy of the set with this entry and without the entries that it evicts, or `None`
    /// if it is requested less often than they are.
    fn with(old: Option<&Set>, tag: u8, entry: Entry, age: u32) -> Option<Set> {
        let count = entry.count.load(Ordering::Relaxed);
        let mut room = (WAYS * ENTRY_BYTES).checked_sub(entry.bytes())?;
        let mut kept = Vec::new();
        if let Some(old) = old {
            let entries = old.tags.iter().zip(&old.entries);
            kept.extend(entries.map(|(tag, entry)| (*tag, entry)));
        }
        // The most requested entries come first, and among equals the older ones.
        kept.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.count.load(Ordering::Relaxed)));
        let stay = kept.iter().take(WAYS - 1).take_while(|(_, entry)| {
            let left = room.checked_sub(entry.bytes());
            room = left.unwrap_or(room);
            left.is_some()
        });
        let stay = stay.count();
        let strongest = kept
            .get(stay)
            .map(|(_, entry)| entry.count.load(Ordering::Relaxed));
        if strongest.is_some_and(|strongest| strongest >= count) {
            return None;
        }
        let mut tags = [0; WAYS];
        let mut entries = Vec::with_capacity(stay + 1);
        for (place, (tag, entry)) in kept.into_iter().take(stay).enumerate() {
            tags[place] = tag;
            entries.push(entry.again());
        }
        tags[stay] = tag;
        entries.push(entry);
        Some(Set {
            tags,
            age: AtomicU32::new(age),
            entries: entries.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Answer, Value};

    fn answer_ref(text: &str) -> AnswerRef<'_> {
        AnswerRef::of(Answer::Get(Some(Value::Text(text))))
    }

    struct Learner {
        cache: Cache,
        sketch: Sketch,
        size: Size,
        hits: Hits,
    }

    impl Learner {
        fn new(entries: usize, bytes: usize) -> Self {
            let cache = Cache::within(entries, bytes).unwrap();
            Self {
                sketch: Sketch::new(cache.capacity()),
                cache,
                size: Size::default(),
                hits: Hits::default(),
            }
        }

        /// Returns `true` if the answer was cached. Otherwise inserts it.
        fn ask(&mut self, text: &str) -> bool {
            if self.cache.find(0, &answer_ref(text), &self.hits).is_some() {
                return true;
            }
            let (sketch, size) = (&mut self.sketch, &mut self.size);
            self.cache
                .learn(0, &answer_ref(text), Step::Abstains, sketch, size);
            false
        }
    }

    #[test]
    fn what_comes_again_stays_under_a_flood_of_what_comes_once() {
        let mut learner = Learner::new(1024, 1 << 20);
        let hot: Vec<String> = (0..400).map(|user| format!("hot-{user}")).collect();
        for _ in 0..4 {
            for user in &hot {
                learner.ask(user);
            }
        }
        for flood in 0..100_000 {
            learner.ask(&format!("once-{flood}"));
            learner.ask(&hot[flood % hot.len()]);
        }
        let known = hot.iter().filter(|user| learner.ask(user)).count();
        assert!(known >= 395, "{known} of 400");
        assert!(learner.size.entries <= 1024, "{:?}", learner.size);
        let mut counted = 0;
        learner.cache.each(|_, _, _, _| counted += 1);
        assert_eq!(counted, learner.size.entries);
    }

    #[test]
    fn long_answers_take_the_room_of_several() {
        let bytes = 64 << 10;
        let mut learner = Learner::new(1 << 20, bytes);
        for user in 0..10_000 {
            learner.ask(&format!("{user}-{}", "x".repeat(user % 1000)));
            assert!(learner.size.bytes <= bytes, "{:?}", learner.size);
        }
        assert!(learner.size.entries > 0);
    }

    #[test]
    fn the_same_answer_to_another_node_is_another() {
        let mut learner = Learner::new(64, 1 << 20);
        assert!(!learner.ask("a"));
        assert!(learner.ask("a"));
        assert!(
            learner
                .cache
                .find(1, &answer_ref("a"), &learner.hits)
                .is_none()
        );
    }

    #[test]
    fn too_little_room_is_no_cache() {
        assert!(Cache::within(WAYS - 1, 1 << 20).is_none());
        assert!(Cache::within(1 << 20, ENTRY_BYTES).is_none());
    }
}
