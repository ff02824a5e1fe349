//! Small scenes of a few threads, each run in many orders.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use shuttle::thread;

use spanmux_core::internal::{CacheLimits, Circuit, DecisionCache, Patience, Question, Run};
use spanmux_core::{
    Choice, ContextView, Decision, Fallback, Origin, RunCost, RuntimeContext, TracerNames,
};

/// A selector that asks for a tenant, and for some tenants for their region, with its cache, its
/// current runs and its number of runs.
struct Scene {
    cached: DecisionCache,
    runs: AtomicUsize,
}

fn context(tenant: i64, region: i64) -> RuntimeContext {
    let builder = RuntimeContext::builder().set("tenant", tenant);
    builder.set("region", region).build()
}

/// Returns the expected decision.
fn decides(tenant: i64, region: i64, names: &TracerNames) -> Choice {
    match (tenant % 3, region % 2) {
        (0, _) => Choice::Abstain,
        (1, _) => names.choose("a"),
        (_, 0) => names.choose("b"),
        _ => Choice::failed("no region"),
    }
}

impl Scene {
    fn new(answers: usize) -> Self {
        let room = CacheLimits {
            answers,
            bytes: 1 << 20,
        };
        Self {
            cached: DecisionCache::new(room, Duration::from_secs(1)),
            runs: AtomicUsize::new(0),
        }
    }

    /// Decides once and checks the result.
    fn decide(&self, tenant: i64, region: i64, names: &TracerNames) {
        let context = context(tenant, region);
        let view = context.view();
        let tree = self.cached.tree(names);
        let brief = self
            .cached
            .decide(&tree, &view, || self.run(&view, tenant, region, names));
        let decision = brief.into_decision();
        assert_eq!(
            decision.choice,
            decides(tenant, region, names),
            "{tenant} {region}"
        );
    }

    fn run(&self, _: &ContextView<'_>, tenant: i64, region: i64, names: &TracerNames) -> Run {
        self.runs.fetch_add(1, SeqCst);
        // Other threads continue during a run.
        thread::yield_now();
        let mut asked = vec![Question::get("tenant".to_owned())];
        if tenant % 3 == 2 {
            asked.push(Question::get("region".to_owned()));
        }
        Run {
            decision: Decision {
                choice: decides(tenant, region, names),
                origin: Origin::Run(RunCost::default()),
            },
            asked: Some(asked),
        }
    }
}

fn all<F: FnOnce() + Send + 'static>(threads: Vec<F>) {
    let threads: Vec<_> = threads.into_iter().map(thread::spawn).collect();
    for thread in threads {
        thread.join().expect("a thread");
    }
}

fn names() -> TracerNames {
    TracerNames::new(["a", "b"])
}

/// Three threads fill and query one tree: edges and nodes appear during walks, and a node gets an
/// index while it is read.
pub fn concurrent_threads_get_correct_decisions() {
    let scene = Arc::new(Scene::new(4096));
    let thread = |first: i64| {
        let scene = scene.clone();
        move || {
            for number in 0..6 {
                // Each thread starts elsewhere, and all reach the same.
                let tenant = (first + number) % 11;
                scene.decide(tenant, number, &names());
                scene.decide(tenant, number + 1, &names());
            }
        }
    };
    all(vec![thread(0), thread(3), thread(7)]);
    for tenant in 0..11 {
        scene.decide(tenant, 0, &names());
    }
}

/// With very small limits, so that answers enter the bounded cache and are evicted.
pub fn small_cache_gives_correct_decisions() {
    let scene = Arc::new(Scene::new(3));
    let thread = |first: i64| {
        let scene = scene.clone();
        move || (0..8).for_each(|number| scene.decide(first + number % 5, number, &names()))
    };
    all(vec![thread(0), thread(2)]);
}

/// Of identical misses, one runs, whichever comes first, and no thread waits forever.
pub fn equal_misses_share_one_run() {
    let scene = Arc::new(Scene::new(4096));
    let thread = || {
        let scene = scene.clone();
        move || scene.decide(1, 0, &names())
    };
    all(vec![thread(), thread(), thread()]);
    assert_eq!(scene.runs.load(SeqCst), 1);
}

/// Lists of tracers change during decisions: each list has a tree of its own.
pub fn every_tracer_list_has_its_own_tree() {
    let scene = Arc::new(Scene::new(4096));
    let thread = |list: &'static [&'static str]| {
        let scene = scene.clone();
        move || {
            for tenant in 0..3 {
                let names = TracerNames::new(list.iter().copied());
                scene.decide(tenant, 0, &names);
            }
        }
    };
    all(vec![
        thread(&["a", "b"]),
        thread(&["b", "a"]),
        thread(&["a", "b", "c"]),
    ]);
}

/// Suspended with a back-off of zero: one probe at a time, and eventually one runs.
pub fn one_probe_runs_at_a_time_and_recovers() {
    let circuit = Arc::new(Circuit::new(Patience {
        after: 1,
        first: Duration::ZERO,
        longest: Duration::ZERO,
    }));
    let trapped = Choice::Fallback(Fallback::Trapped(String::new()));
    let permit = circuit.admit().expect("closed");
    permit.ended("s", &trapped, || trapped.clone());
    let probing = Arc::new(AtomicUsize::new(0));
    let thread = |choices: Vec<Choice>| {
        let (circuit, probing) = (circuit.clone(), probing.clone());
        move || {
            for choice in choices {
                let suspended = circuit.suspension().is_some();
                let Ok(permit) = circuit.admit() else {
                    continue;
                };
                // While the selector is suspended, only the probe runs.
                if suspended && circuit.suspension().is_some() {
                    assert_eq!(probing.fetch_add(1, SeqCst), 0, "two probes");
                    thread::yield_now();
                    probing.fetch_sub(1, SeqCst);
                }
                match choice {
                    // As if no sandbox slot was free.
                    Choice::Abstain => drop(permit),
                    choice => drop(permit.ended("s", &choice, || {
                        // Other threads continue during a control run.
                        thread::yield_now();
                        choice.clone()
                    })),
                }
            }
        }
    };
    all(vec![
        thread(vec![trapped.clone(), Choice::Abstain]),
        thread(vec![Choice::Abstain, trapped.clone()]),
        thread(vec![trapped.clone(), trapped.clone()]),
    ]);
    // Whatever happened before, the next successful run closes the circuit.
    let permit = circuit.admit().expect("a probe, or closed");
    permit.ended("s", &names().choose("a"), || {
        unreachable!("the run succeeded")
    });
    assert!(circuit.suspension().is_none());
}

/// Every run fails and every control run succeeds: one control run at a time, and no suspension.
pub fn one_control_run_at_a_time_and_no_suspension() {
    let circuit = Arc::new(Circuit::new(Patience {
        after: 1,
        first: Duration::from_secs(3600),
        longest: Duration::from_secs(3600),
    }));
    let checking = Arc::new(AtomicUsize::new(0));
    let thread = || {
        let (circuit, checking) = (circuit.clone(), checking.clone());
        move || {
            let trapped = Choice::Fallback(Fallback::Trapped(String::new()));
            for _ in 0..3 {
                let permit = circuit.admit().expect("never suspended");
                permit.ended("s", &trapped, || {
                    assert_eq!(checking.fetch_add(1, SeqCst), 0, "two control runs");
                    thread::yield_now();
                    checking.fetch_sub(1, SeqCst);
                    Choice::Abstain
                });
            }
        }
    };
    all(vec![thread(), thread(), thread()]);
    assert!(circuit.suspension().is_none());
}
