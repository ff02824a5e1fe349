//! Tests of the decision cache with closures as selectors, whose questions are recorded as those of
//! a guest.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::answer::MAX_ANSWER_BYTES;
use super::*;
use crate::context::{Answer, RuntimeContext, Value};
use crate::decision::{Choice, Fallback, Origin, RunCost};

pub(super) const ROOM: CacheLimits = CacheLimits {
    answers: 65_536,
    bytes: 4 << 20,
};

/// The questions of a selector.
pub(super) struct Asker<'a> {
    pub(super) view: ContextView<'a>,
    pub(super) asked: Vec<Question>,
}

impl<'a> Asker<'a> {
    pub(super) fn text(&mut self, key: &str) -> Option<&'a str> {
        let question = Question::get(key.to_owned());
        let answer = question.ask(&self.view);
        self.asked.push(question);
        match answer {
            Answer::Get(Some(Value::Text(text))) => Some(text),
            _ => None,
        }
    }
}

/// A selector with a cache, and the number of its runs.
struct Selector<F> {
    cached: DecisionCache,
    ran: AtomicUsize,
    select: F,
}

impl<F: Fn(&mut Asker<'_>, &TracerNames) -> Choice> Selector<F> {
    fn new(room: CacheLimits, select: F) -> Self {
        Self {
            cached: DecisionCache::new(room, Duration::from_secs(600)),
            ran: AtomicUsize::new(0),
            select,
        }
    }

    fn decide(&self, context: &RuntimeContext, tracers: &TracerNames) -> Decision {
        let view = context.view();
        let tree = self.cached.tree(tracers);
        let decision = self.cached.decide(&tree, &view, || self.run(view, tracers));
        decision.into_decision()
    }

    fn run(&self, view: ContextView<'_>, tracers: &TracerNames) -> Run {
        self.ran.fetch_add(1, Ordering::Relaxed);
        let asked = Vec::new();
        let mut asker = Asker { view, asked };
        let choice = (self.select)(&mut asker, tracers);
        Run {
            decision: Decision {
                choice,
                origin: Origin::Run(RunCost::default()),
            },
            asked: Some(asker.asked),
        }
    }

    /// Returns the number of runs for these decisions, after checking each.
    fn runs(&self, contexts: &[RuntimeContext], tracers: &TracerNames) -> usize {
        let before = self.ran.load(Ordering::Relaxed);
        for context in contexts {
            let decision = self.decide(context, tracers);
            let asked = Vec::new();
            let view = context.view();
            let right = (self.select)(&mut Asker { view, asked }, tracers);
            assert_eq!(decision.choice, right, "{context:?}");
        }
        self.ran.load(Ordering::Relaxed) - before
    }
}

fn context(entries: &[(&str, &str)]) -> RuntimeContext {
    let builder = RuntimeContext::builder();
    let builder = entries
        .iter()
        .fold(builder, |builder, (key, value)| builder.set(key, *value));
    builder.build()
}

fn users(users: impl IntoIterator<Item = usize>) -> Vec<RuntimeContext> {
    let users = users.into_iter();
    users
        .map(|user| context(&[("user", &format!("u-{user}"))]))
        .collect()
}

fn tracers() -> TracerNames {
    TracerNames::new(["a", "b", "c"])
}

/// Decides by tenant, and for some by region.
fn by_tenant(asker: &mut Asker<'_>, tracers: &TracerNames) -> Choice {
    match asker.text("tenant") {
        Some("acme") => tracers.choose("a"),
        Some("globex") => match asker.text("region") {
            Some(region) if region.starts_with("eu") => tracers.choose("b"),
            _ => tracers.choose("nowhere"),
        },
        Some(_) => Choice::failed("a stranger"),
        None => Choice::Abstain,
    }
}

fn by_user(asker: &mut Asker<'_>, tracers: &TracerNames) -> Choice {
    match asker.text("user") {
        Some(user) if user.ends_with('7') => tracers.choose("b"),
        Some(_) => tracers.choose("a"),
        None => Choice::Abstain,
    }
}

#[test]
fn it_runs_once_for_each_way() {
    let selector = Selector::new(ROOM, by_tenant);
    let contexts = [
        context(&[("tenant", "acme")]),
        context(&[("tenant", "acme"), ("region", "us")]),
        context(&[("tenant", "globex"), ("region", "eu-1")]),
        context(&[("tenant", "globex"), ("region", "us-1")]),
        context(&[("tenant", "globex")]),
        context(&[("tenant", "hooli")]),
        context(&[]),
    ];
    // The first two share a path: the region is not queried.
    assert_eq!(selector.runs(&contexts, &tracers()), 6);
    assert_eq!(selector.runs(&contexts, &tracers()), 0);
    let explanation = selector.cached.explain(&tracers());
    assert_eq!((explanation.runs, explanation.hits), (6, 8));
    assert_eq!(explanation.edges, 7);
}

#[test]
fn a_selector_that_asks_nothing_runs_once() {
    let selector = Selector::new(ROOM, |_: &mut Asker<'_>, _: &TracerNames| Choice::Abstain);
    assert_eq!(selector.runs(&users(0..9), &tracers()), 1);
}

#[test]
fn what_a_text_says_is_learned_whatever_its_length() {
    let selector = Selector::new(ROOM, by_user);
    let lengths = [0, 1, 7, 8, 9, 16, 17, 100, MAX_ANSWER_BYTES];
    let contexts = lengths.map(|length| context(&[("user", &"x".repeat(length))]));
    assert_eq!(selector.runs(&contexts, &tracers()), lengths.len());
    assert_eq!(selector.runs(&contexts, &tracers()), 0);
    // Longer answers are not cached.
    let long = [context(&[("user", &"x".repeat(MAX_ANSWER_BYTES + 1))])];
    assert_eq!(selector.runs(&long, &tracers()), 1);
    assert_eq!(selector.runs(&long, &tracers()), 1);
}

#[test]
fn other_tracers_are_another_tree_and_the_same_ones_are_not() {
    let selector = Selector::new(ROOM, by_user);
    let contexts = users(0..20);
    assert_eq!(selector.runs(&contexts, &tracers()), 20);
    // A different list with the same names.
    assert_eq!(selector.runs(&contexts, &tracers()), 0);
    let fewer = TracerNames::new(["b", "a"]);
    assert_eq!(selector.runs(&contexts, &fewer), 20);
    for _ in 0..3 {
        assert_eq!(selector.runs(&contexts, &tracers()), 0);
        assert_eq!(selector.runs(&contexts, &fewer), 0);
    }
    let mut more = Vec::new();
    for number in 0..MAX_TREES {
        more.push(TracerNames::new(["a", "b", &number.to_string()]));
        assert_eq!(selector.runs(&contexts, &more[number]), 20);
    }
    // The oldest trees were dropped, the newest were not.
    assert_eq!(selector.runs(&contexts, &more[1]), 0);
    assert_eq!(selector.runs(&contexts, &tracers()), 20);
}

#[test]
fn more_answers_than_the_trunk_takes_are_learned_too() {
    let selector = Selector::new(ROOM, by_user);
    let contexts = users(0..5_000);
    assert_eq!(selector.runs(&contexts, &tracers()), 5_000);
    assert_eq!(selector.runs(&contexts, &tracers()), 0);
    assert_eq!(selector.cached.explain(&tracers()).edges, 5_000);
}

#[test]
fn questions_below_many_answers_are_learned_too() {
    let selector = Selector::new(ROOM, |asker: &mut Asker<'_>, tracers: &TracerNames| match (
        asker.text("user"),
        asker.text("tenant"),
        asker.text("region"),
    ) {
        (Some(user), Some(_), Some("eu")) if user.len() % 2 == 0 => tracers.choose("a"),
        (_, None, _) => Choice::failed("no tenant"),
        _ => Choice::Abstain,
    });
    let mut contexts = Vec::new();
    for user in 0..500 {
        let user = format!("user-{user}");
        contexts.push(context(&[
            ("user", &user),
            ("tenant", "acme"),
            ("region", "eu"),
        ]));
        contexts.push(context(&[
            ("user", &user),
            ("tenant", "acme"),
            ("region", "us"),
        ]));
        contexts.push(context(&[("user", &user)]));
    }
    assert_eq!(selector.runs(&contexts, &tracers()), contexts.len());
    assert_eq!(selector.runs(&contexts, &tracers()), 0);
}

#[test]
fn a_flood_of_new_answers_leaves_the_frequent_ones() {
    let room = CacheLimits {
        answers: 4096,
        bytes: 1 << 20,
    };
    let selector = Selector::new(room, by_user);
    let hot = users(0..500);
    for _ in 0..3 {
        selector.runs(&hot, &tracers());
    }
    for flood in 0..25 {
        selector.runs(&users(1000 * flood + 1000..1000 * flood + 2000), &tracers());
        selector.runs(&hot, &tracers());
        let explanation = selector.cached.explain(&tracers());
        assert!(explanation.edges <= room.answers, "{}", explanation.edges);
        assert!(explanation.bytes <= room.bytes, "{}", explanation.bytes);
    }
    let missed = selector.runs(&hot, &tracers());
    assert!(missed <= 5, "{missed} of 500 were forgotten");
}

#[test]
fn little_room_is_kept_to_and_nothing_is_wrong() {
    for (answers, bytes) in [
        (0, 1 << 20),
        (1, 1 << 20),
        (8, 1 << 20),
        (65_536, 0),
        (65_536, 4096),
    ] {
        let room = CacheLimits { answers, bytes };
        let selector = Selector::new(room, by_user);
        for _ in 0..3 {
            selector.runs(&users(0..300), &tracers());
        }
        let explanation = selector.cached.explain(&tracers());
        assert!(explanation.edges <= answers, "{explanation:?}");
        assert!(explanation.bytes <= bytes, "{explanation:?}");
    }
}

#[test]
fn a_contradiction_ends_learning() {
    let calls = AtomicUsize::new(0);
    let selector = Selector::new(ROOM, |asker: &mut Asker<'_>, tracers: &TracerNames| {
        asker.text("user");
        if calls.fetch_add(1, Ordering::Relaxed) == 2 {
            asker.text("tenant");
        } else {
            asker.text("region");
        }
        tracers.choose("a")
    });
    let decide = |user| selector.decide(&users([user])[0], &tracers()).origin;
    assert_ne!(decide(1), Origin::Cached);
    assert_ne!(decide(2), Origin::Cached);
    assert_eq!(decide(1), Origin::Cached);
    // The third run asks a different question after a cached answer.
    let known = context(&[("user", "u-1"), ("region", "eu")]);
    assert_ne!(selector.decide(&known, &tracers()).origin, Origin::Cached);
    for _ in 0..3 {
        assert_ne!(decide(1), Origin::Cached);
    }
}

#[test]
fn what_depends_on_more_than_the_answers_is_not_learned() {
    let cached = DecisionCache::new(ROOM, Duration::ZERO);
    let context = context(&[]);
    for _ in 0..3 {
        let tree = cached.tree(&tracers());
        let decision = cached.decide(&tree, &context.view(), || Run {
            decision: Decision {
                choice: Choice::Fallback(Fallback::Overloaded),
                origin: Origin::Native,
            },
            asked: None,
        });
        let decision = decision.into_decision();
        assert_eq!(decision.origin, Origin::Native);
    }
    assert_eq!(cached.explain(&tracers()).tree, None);
}

#[test]
fn equal_misses_share_one_run() {
    let threads = 4;
    let selector = Selector::new(ROOM, by_tenant);
    let acme = context(&[("tenant", "acme")]);
    let names = tracers();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let view = acme.view();
                let tree = selector.cached.tree(&names);
                let decision: Decision = selector
                    .cached
                    .decide(&tree, &view, || {
                        // Only after all others are waiting.
                        while selector.cached.single_flight.waiting() < threads - 1 {
                            std::thread::yield_now();
                        }
                        selector.run(view, &names)
                    })
                    .into_decision();
                assert_eq!(decision.choice, names.choose("a"));
            });
        }
    });
    assert_eq!(selector.ran.load(Ordering::Relaxed), 1);
}

#[test]
fn concurrent_threads_get_correct_decisions() {
    let room = CacheLimits {
        answers: 2048 + 256,
        bytes: 1 << 20,
    };
    let selector = Selector::new(room, by_user);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let selector = &selector;
            scope.spawn(move || {
                let names = tracers();
                for round in 0..20 {
                    let first = (round * 7 + thread * 3) % 40 * 10;
                    selector.runs(&users(first..first + 400), &names);
                }
            });
        }
    });
    assert!(selector.cached.explain(&tracers()).hits > 0);
}
