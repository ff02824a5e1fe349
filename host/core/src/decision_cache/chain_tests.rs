//! Tests of the tree of a chain, through a registry, with closures as selectors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::tests::{Asker, ROOM};
use super::*;
use crate::allowed_tracers::AllowedTracers;
use crate::cache_slot::CacheSlot;
use crate::chain::Chain;
use crate::context::{RootSpan, RuntimeContext, SpanAttributes, Value};
use crate::decision::{Cause, Origin, RunCost};
use crate::registry::TracerRegistry;
use crate::selector::{Sealed, Selector};

type Rule = Box<dyn Fn(&mut Asker<'_>, &TracerNames) -> Choice + Send + Sync>;

/// A selector with a decision cache, as a component is.
struct Cached {
    name: String,
    cache: DecisionCache,
    runs: AtomicUsize,
    rule: Rule,
}

impl Cached {
    fn new(
        name: usize,
        rule: impl Fn(&mut Asker<'_>, &TracerNames) -> Choice + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_string(),
            cache: DecisionCache::new(ROOM, Duration::from_secs(600)),
            runs: AtomicUsize::new(0),
            rule: Box::new(rule),
        })
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }

    fn hits(&self, tracers: &TracerNames) -> u64 {
        self.cache.explain(tracers).hits
    }
}

impl Selector for Cached {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Choice {
        self.decision(context, tracers).choice
    }

    fn decide_in(
        &self,
        slot: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
        _: Sealed,
    ) -> CompactDecision {
        let tree = slot.tree(|| self.cache.tree(tracers));
        self.cache.decide(tree, context, || {
            self.runs.fetch_add(1, Ordering::Relaxed);
            let asked = Vec::new();
            let mut asker = Asker {
                view: *context,
                asked,
            };
            let choice = (self.rule)(&mut asker, tracers);
            let origin = Origin::Run(RunCost::default());
            Run {
                decision: Decision { choice, origin },
                asked: Some(asker.asked),
            }
        })
    }

    fn recall_in(
        &self,
        slot: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
        _: Sealed,
    ) -> Option<CompactDecision> {
        self.cache
            .recall(slot.tree(|| self.cache.tree(tracers)), context)
    }
}

const TRACERS: [&str; 4] = ["default", "a", "b", "c"];

fn registry(selectors: &[Arc<Cached>]) -> TracerRegistry<()> {
    restricted(selectors, &vec![None; selectors.len()])
}

/// The patterns of each selector, if it has an allow-list.
type Lists = [Option<Vec<&'static str>>];

fn restricted(selectors: &[Arc<Cached>], lists: &Lists) -> TracerRegistry<()> {
    let registry = TracerRegistry::new();
    for name in TRACERS {
        registry.register(name, ()).unwrap();
    }
    registry.set_selectors(chain(selectors, lists));
    registry
}

fn chain(selectors: &[Arc<Cached>], lists: &Lists) -> Chain {
    let restrict = |(selector, list): (&Arc<Cached>, &Option<Vec<&str>>)| {
        let selector: Arc<dyn Selector> = selector.clone();
        match list {
            Some(list) => {
                let allowed = AllowedTracers::new(list.iter().copied()).unwrap();
                allowed.restrict(selector)
            }
            None => selector,
        }
    };
    selectors.iter().zip(lists).map(restrict).collect()
}

/// Refuses a choice by the meaning of the patterns in these tests: a name, or its first letters.
fn refuse(choice: Choice, list: &[&str], selector: &str, tracers: &TracerNames) -> Choice {
    let name = match &choice {
        Choice::Tracer(index) => tracers.name(*index).unwrap(),
        Choice::Fallback(Fallback::UnknownTracer(name)) => name,
        _ => return choice,
    };
    let matches = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(first) => name.starts_with(first),
        None => name == *pattern,
    };
    if list.iter().any(matches) {
        return choice;
    }
    Choice::Fallback(Fallback::ForbiddenTracer {
        selector: selector.to_owned(),
        tracer: name.to_owned(),
    })
}

/// Returns the decision of a fresh run of the chain: the tracer's name or the cause, and the
/// position of the selector.
fn fresh(
    selectors: &[Arc<Cached>],
    lists: &Lists,
    context: &RuntimeContext,
    tracers: &TracerNames,
) -> (Choice, Option<usize>) {
    for (place, selector) in selectors.iter().enumerate() {
        let mut asker = Asker {
            view: context.view(),
            asked: Vec::new(),
        };
        let mut choice = (selector.rule)(&mut asker, tracers);
        if let Some(list) = &lists[place] {
            choice = refuse(choice, list, &selector.name, tracers);
        }
        if choice != Choice::Abstain {
            return (choice, Some(place));
        }
    }
    (Choice::Abstain, None)
}

/// A rule over a few keys. Some ask for a user, who is one of many.
fn random_rule(random: &mut impl FnMut(usize) -> usize) -> Rule {
    let keys: Vec<String> = (0..1 + random(3))
        .map(|_| match random(6) {
            0 => "user".to_owned(),
            key => format!("key {key}"),
        })
        .collect();
    let (first, second, tracer) = (random(4), random(4), random(6));
    Box::new(move |asker, tracers| {
        for (place, key) in keys.iter().enumerate() {
            let wanted = [first, second][place % 2];
            match asker.text(key) {
                Some(text) if text.len() % 4 == wanted => {}
                _ => return Choice::Abstain,
            }
        }
        match tracer {
            4 => Choice::failed("on purpose"),
            5 => tracers.choose("unknown"),
            place => tracers.choose(TRACERS[place]),
        }
    })
}

fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    }
}

/// Some allow-lists, with names that exist, that do not, and both.
fn random_lists(rules: usize, random: Random<'_>) -> Box<Lists> {
    let list = |_| match random(5) {
        0 => Some(vec!["a", "b"]),
        1 => Some(vec!["un*", "c"]),
        2 => Some(vec!["default"]),
        3 => Some(vec!["*"]),
        _ => None,
    };
    (0..rules).map(list).collect()
}

#[test]
fn learned_chain_decides_as_fresh_runs_and_counts_each_hit() {
    learns_as_fresh_runs(|rules, _| vec![None; rules].into());
}

#[test]
fn learned_chain_with_allow_lists_decides_as_fresh_runs() {
    let refused = learns_as_fresh_runs(|rules, random| random_lists(rules, random));
    assert!(refused > 1_000, "{refused}");
}

type Random<'a> = &'a mut dyn FnMut(usize) -> usize;

/// Compares learned decisions with fresh ones. Returns the number of refused decisions.
fn learns_as_fresh_runs(lists: impl Fn(usize, Random<'_>) -> Box<Lists>) -> usize {
    let mut refused = 0;
    for round in 0..60 {
        let mut random = numbers(round);
        let rules = 2 + random(5);
        let lists = lists(rules, &mut random);
        let selectors: Vec<_> = (0..rules)
            .map(|place| Cached::new(place, random_rule(&mut random)))
            .collect();
        let registry = restricted(&selectors, &lists);
        let names = registry.names();
        let mut consulted = vec![0; selectors.len()];
        for _ in 0..1_200 {
            let mut builder = RuntimeContext::builder();
            for key in 1..6 {
                builder = builder.set(&format!("key {key}"), "x".repeat(random(4)).as_str());
            }
            let user = "u".repeat(random(if round % 2 == 0 { 4 } else { 300 }));
            let context = builder.set("user", user.as_str()).build();
            let (choice, by) = fresh(&selectors, &lists, &context, &names);
            let selection = registry.select(&context.view());
            assert_eq!(
                selection.selector_name(),
                by.map(|by| by.to_string()).as_deref(),
                "{context:?}"
            );
            match choice {
                Choice::Tracer(index) => {
                    assert_eq!(selection.tracer_name(), names.name(index));
                    assert_eq!(selection.fallback(), None);
                }
                Choice::Abstain => assert_eq!(selection.tracer_name(), Some("default")),
                Choice::Fallback(fallback) => {
                    refused += usize::from(fallback.cause() == Cause::ForbiddenTracer);
                    assert_eq!(selection.fallback(), Some(&fallback));
                }
            }
            for count in consulted.iter_mut().take(by.map_or(rules, |by| by + 1)) {
                *count += 1;
            }
        }
        let check = |names: &TracerNames| {
            for (selector, consulted) in selectors.iter().zip(&consulted) {
                let hits = selector.hits(names) as usize;
                // The first hits of an answer in the bounded cache are exact, later ones sampled.
                assert_eq!(hits + selector.runs(), *consulted, "round {round}");
            }
        };
        check(&names);
        // The hits stay when the tree of the chain is dropped.
        registry.set_selectors(Chain::empty());
        check(&names);
    }
    refused
}

#[test]
fn changed_allow_list_applies_at_once_to_learned_decisions() {
    let selectors = [Cached::new(0, |asker, tracers| {
        tracers.choose(asker.text("name").unwrap_or("a"))
    })];
    let registry = restricted(&selectors, &[Some(vec!["a"])]);
    let context = |name: &str| RuntimeContext::builder().set("name", name).build();
    let causes = || {
        ["a", "b", "unknown"].map(|name| registry.select(&context(name).view()).reason().cause())
    };
    let forbidden = Some(Cause::ForbiddenTracer);
    for _ in 0..600 {
        assert_eq!(causes(), [None, forbidden, forbidden]);
    }
    assert_eq!(selectors[0].runs(), 3);
    registry.set_selectors(chain(&selectors, &[Some(vec!["b", "un*"])]));
    for _ in 0..600 {
        assert_eq!(causes(), [forbidden, None, Some(Cause::UnknownTracer)]);
    }
    registry.set_selectors(chain(&selectors, &[None]));
    assert_eq!(causes(), [None, None, Some(Cause::UnknownTracer)]);
    assert_eq!(
        selectors[0].runs(),
        3,
        "the decisions of the component stay learned"
    );
}

#[test]
fn two_positions_of_one_component_have_lists_of_their_own() {
    // Both share the cache, as the same bytes under two names do.
    let shared = Cached::new(0, |asker, tracers| match asker.text("name") {
        Some(name) => tracers.choose(name),
        None => Choice::Abstain,
    });
    let registry = restricted(&[shared.clone(), shared.clone()], &[None, Some(vec!["a"])]);
    let context = RuntimeContext::builder().set("name", "b").build();
    for _ in 0..600 {
        assert_eq!(registry.select(&context.view()).tracer_name(), Some("b"));
    }
    registry.set_selectors(chain(&[shared.clone(), shared], &[Some(vec!["a"]), None]));
    for _ in 0..600 {
        let selection = registry.select(&context.view());
        assert_eq!(selection.reason().cause(), Some(Cause::ForbiddenTracer));
        assert_eq!(selection.tracer_name(), Some("default"));
    }
}

/// Attributes that count how often they are read.
struct Counting(AtomicUsize);

impl SpanAttributes for Counting {
    fn get(&self, _: &str) -> Option<Value<'_>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Some(Value::Text("gold"))
    }

    fn each_key<'a>(&'a self, _: &mut dyn FnMut(&'a str)) {}
}

#[test]
fn chain_asks_a_shared_question_once() {
    let selectors: Vec<_> = (0..16)
        .map(|place| {
            Cached::new(place, move |asker, tracers| match asker.text("span.tier") {
                Some("gold") if place == 15 => tracers.choose("a"),
                _ => Choice::Abstain,
            })
        })
        .collect();
    let registry = registry(&selectors);
    let context = RuntimeContext::empty();
    let attributes = Counting(AtomicUsize::new(0));
    let span = RootSpan::with_attributes("chat", "server", &attributes);
    let asked = || {
        let before = attributes.0.load(Ordering::Relaxed);
        let selection = registry.select(&context.view_with_span(&span));
        assert_eq!(selection.tracer_name(), Some("a"));
        attributes.0.load(Ordering::Relaxed) - before
    };
    assert!(asked() >= 16, "each selector runs");
    for _ in 0..300 {
        // Each selector has it cached, until the chain has learned it.
        asked();
    }
    assert_eq!(asked(), 1);
    assert!(registry.recall(&context.view_with_span(&span)).is_ok());
}

#[test]
fn question_with_many_answers_ends_the_tree_at_its_selector() {
    let selectors = [
        Cached::new(0, |asker, _| {
            let _tier = asker.text("tier");
            Choice::Abstain
        }),
        Cached::new(1, |asker, tracers| match asker.text("user") {
            Some("u-7") => tracers.choose("a"),
            _ => Choice::Abstain,
        }),
        Cached::new(2, |asker, tracers| match asker.text("tier") {
            Some("gold") => tracers.choose("b"),
            _ => Choice::Abstain,
        }),
    ];
    let registry = registry(&selectors);
    let select = |user: usize| {
        let context = RuntimeContext::builder()
            .set("tier", "gold")
            .set("user", format!("u-{user}").as_str())
            .build();
        let selection = registry.select(&context.view());
        let expected = if user == 7 { "a" } else { "b" };
        assert_eq!(selection.tracer_name(), Some(expected));
    };
    for user in (0..10_000).chain(0..10_000) {
        select(user);
    }
    let names = registry.names();
    assert_eq!(selectors[0].runs(), 1);
    assert_eq!(selectors[2].runs(), 1);
    assert_eq!(selectors[0].hits(&names), 19_999);
    assert_eq!(selectors[2].hits(&names), 19_997);
}

#[test]
fn panicking_attributes_fail_the_selector_that_asks_for_them() {
    struct Panics;
    impl SpanAttributes for Panics {
        fn get(&self, _: &str) -> Option<Value<'_>> {
            std::panic::resume_unwind(Box::new("no attributes today"))
        }
        fn each_key<'a>(&'a self, _: &mut dyn FnMut(&'a str)) {}
    }
    let abstains = |place| {
        Cached::new(place, |asker, _| {
            let _tier = asker.text("span.tier");
            Choice::Abstain
        })
    };
    let registry = registry(&[abstains(0), abstains(1)]);
    let context = RuntimeContext::empty();
    let well = Counting(AtomicUsize::new(0));
    let span = RootSpan::with_attributes("chat", "server", &well);
    for _ in 0..300 {
        let selection = registry.select(&context.view_with_span(&span));
        assert_eq!(selection.fallback(), None);
    }
    let span = RootSpan::with_attributes("chat", "server", &Panics);
    let selection = registry.select(&context.view_with_span(&span));
    assert_eq!(selection.selector_name(), Some("0"));
    let failure = selection.fallback().unwrap().to_string();
    assert!(failure.contains("no attributes today"), "{failure}");
}
