//! Models of the decision cache in use. The selector is a closure that asks for the tenant, and for
//! some tenants for the user.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::thread;

use spanmux_core::internal::{Answer, CacheLimits, DecisionCache, Question, Run};
use spanmux_core::{
    Choice, ContextView, Decision, Origin, RunCost, RuntimeContext, TracerNames, Value,
};

/// So small that the bounded cache has one set.
const ROOM: CacheLimits = CacheLimits {
    answers: 2048 + 16,
    bytes: 64 << 10,
};

/// The shared selector.
struct Selector {
    cached: DecisionCache,
    names: TracerNames,
    ran: AtomicUsize,
}

fn names() -> TracerNames {
    TracerNames::new(["console", "langfuse"])
}

/// Returns the expected decision for a tenant and a user.
fn right(tenant: &str, user: &str) -> Choice {
    match (tenant, user) {
        ("acme", "ada") => names().choose("langfuse"),
        ("nobody", _) => Choice::Abstain,
        _ => names().choose("console"),
    }
}

fn context(tenant: &str, user: &str) -> RuntimeContext {
    let context = RuntimeContext::builder()
        .set("tenant", tenant)
        .set("user", user);
    context.build()
}

impl Selector {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            // Longer than a clock can represent: a waiting thread is woken, or waits forever.
            cached: DecisionCache::new(ROOM, Duration::MAX),
            names: names(),
            ran: AtomicUsize::new(0),
        })
    }

    /// Creates a selector that has cached this many tenants.
    fn knowing(tenants: usize) -> Arc<Self> {
        let selector = Self::new();
        loom::stop_exploring();
        for tenant in 0..tenants {
            selector.decide(&format!("t{tenant}"), "ada");
        }
        loom::explore();
        selector.ran.store(0, Ordering::Relaxed);
        selector
    }

    /// Decides once and checks the result.
    fn decide(&self, tenant: &str, user: &str) {
        let context = context(tenant, user);
        let view = context.view();
        let tree = self.cached.tree(&self.names);
        let brief = self
            .cached
            .decide(&tree, &view, || self.run(view, tenant, user));
        let decision = brief.into_decision();
        assert_eq!(decision.choice, right(tenant, user), "{tenant} {user}");
    }

    fn run(&self, view: ContextView<'_>, tenant: &str, user: &str) -> Run {
        self.ran.fetch_add(1, Ordering::Relaxed);
        let mut asked = vec![Question::get("tenant".to_owned())];
        if tenant == "acme" {
            asked.push(Question::get("user".to_owned()));
        }
        for question in &asked {
            let answer = question.ask(&view);
            assert!(matches!(answer, Answer::Get(Some(Value::Text(_)))));
        }
        Run {
            decision: Decision {
                choice: right(tenant, user),
                origin: Origin::Run(RunCost::default()),
            },
            asked: Some(asked),
        }
    }

    fn ran(&self) -> usize {
        self.ran.load(Ordering::Relaxed)
    }
}

/// Decides on a thread of its own.
fn aside(selector: &Arc<Selector>, tenant: &'static str) -> thread::JoinHandle<()> {
    let selector = selector.clone();
    thread::spawn(move || selector.decide(tenant, "ada"))
}

/// Two threads cache the first decisions, for two tenants with different questions.
pub(crate) fn the_first_way_is_seen_whole_or_not_at_all() {
    let selector = Selector::new();
    let other = aside(&selector, "acme");
    selector.decide("nobody", "ada");
    other.join().expect("it decided");
    assert_eq!(selector.ran(), 2);
    is_learned(&selector, &[("acme", "ada"), ("nobody", "ada")]);
}

/// A cached tenant never runs, whatever is inserted beside it.
pub(crate) fn what_is_known_stays_known_while_another_way_is_added() {
    beside_new_ones(Selector::knowing(3), "t2");
}

/// The ninth answer creates the index of a node.
pub(crate) fn what_is_known_stays_known_while_the_index_is_made() {
    beside_new_ones(Selector::knowing(8), "t7");
}

/// Reads cached answers, including the last one, while two threads insert others.
fn beside_new_ones(selector: Arc<Selector>, last: &str) {
    let others = [aside(&selector, "new"), aside(&selector, "acme")];
    selector.decide("t0", "ada");
    selector.decide(last, "ada");
    for other in others {
        other.join().expect("it decided");
    }
    assert_eq!(selector.ran(), 2, "runs for what was known");
}

/// The node is full, so a new answer enters the bounded cache during a read.
pub(crate) fn what_is_beyond_the_trunk_is_decided_right() {
    let selector = Selector::knowing(64);
    let other = aside(&selector, "acme");
    selector.decide("acme", "bob");
    selector.decide("t63", "ada");
    other.join().expect("it decided");
    assert_eq!(selector.ran(), 2, "runs for what was known");
    is_learned(&selector, &[("acme", "ada"), ("acme", "bob")]);
}

/// A thread that meets another writer does not insert, and inserts the next time.
fn is_learned(selector: &Selector, decisions: &[(&str, &str)]) {
    let decide = || {
        decisions
            .iter()
            .for_each(|(tenant, user)| selector.decide(tenant, user))
    };
    decide();
    let ran = selector.ran();
    decide();
    assert_eq!(selector.ran(), ran, "it was not cached");
}

/// Three identical misses.
pub(crate) fn equal_misses_wait_for_each_other_and_nobody_for_ever() {
    let selector = Selector::new();
    let others = [aside(&selector, "acme"), aside(&selector, "acme")];
    selector.decide("acme", "ada");
    for other in others {
        other.join().expect("it decided");
    }
    assert_eq!(selector.ran(), 1, "runs of equal misses");
    is_learned(&selector, &[("acme", "ada")]);
}

/// Two threads request a tree that does not exist yet.
pub(crate) fn equal_names_have_one_tree() {
    let selector = Selector::new();
    let other = {
        let selector = selector.clone();
        thread::spawn(move || selector.cached.tree(&selector.names))
    };
    let tree = selector.cached.tree(&selector.names);
    assert!(Arc::ptr_eq(&tree, &other.join().expect("it has one")));
}
