//! Callers: a decision is the same on every thread, with any stack size, inside every runtime, and
//! under any number of concurrent callers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, RwLock};
use std::thread;
use std::time::Duration;

use spanmux::{
    Budget, Choice, ComponentSelector, Decision, Fallback, RuntimeContext, Selector, SelectorHost,
    TracerNames,
};
use spanmux_tests::{
    chose, decide, environment, fallback, guest, host, host_within, limits, load, threads_named,
    zoo,
};

/// Locked for writing by the test that counts the epoch tickers of this process.
static CLOCKS: RwLock<()> = RwLock::new(());

const KIB: usize = 1 << 10;

/// A selector that answers, and one that recurses forever.
struct Pair {
    good: ComponentSelector,
    bad: ComponentSelector,
}

impl Pair {
    fn new() -> Self {
        Self::of(&host())
    }

    fn of(host: &SelectorHost) -> Self {
        Self::from_bytes(host, &guest("by-environment"), &zoo("recursion"))
    }

    fn from_bytes(host: &SelectorHost, good: &[u8], bad: &[u8]) -> Self {
        Self {
            good: load(host, "good", good),
            bad: load(host, "bad", bad),
        }
    }

    /// Runs both selectors twice and checks their decisions.
    fn ask(&self, place: &str) {
        let context = environment("test");
        for _ in 0..2 {
            let decision = decide(&self.good, &context);
            assert!(chose(&decision, "console"), "{place}: {decision:?}");
            let decision = decide(&self.bad, &context);
            let expected = Fallback::OutOfBudget(Budget::Stack);
            assert_eq!(fallback(&decision), Some(&expected), "{place}");
        }
    }
}

#[test]
fn decisions_work_on_a_plain_thread() {
    let _clocks = CLOCKS.read();
    let pair = Pair::new();
    pair.ask("the test's thread");
    thread::scope(|scope| {
        scope.spawn(|| pair.ask("a plain thread"));
    });
}

#[test]
fn decisions_work_on_small_and_large_stacks() {
    let _clocks = CLOCKS.read();
    let pair = Pair::new();
    for stack in [32 * KIB, 64 * KIB, 128 * KIB, 16_384 * KIB] {
        let place = format!("a stack of {} KiB", stack / KIB);
        thread::scope(|scope| {
            let asked = thread::Builder::new()
                .stack_size(stack)
                .spawn_scoped(scope, || pair.ask(&place));
            asked.expect("a thread").join().expect("an answer");
        });
    }
}

/// Recurses until at most `left` bytes of stack remain, then calls `then`.
#[inline(never)]
fn deep(left: usize, then: &dyn Fn()) {
    let frame = std::hint::black_box([0_u8; 512]);
    match stacker::remaining_stack() {
        Some(remaining) if remaining > left => deep(left, then),
        _ => then(),
    }
    std::hint::black_box(frame);
}

#[test]
fn decisions_work_near_the_end_of_a_stack() {
    let _clocks = CLOCKS.read();
    let pair = Pair::new();
    for left in [
        2048 * KIB,
        800 * KIB,
        700 * KIB,
        300 * KIB,
        64 * KIB,
        24 * KIB,
    ] {
        let place = format!("{} KiB left of 8 MiB", left / KIB);
        thread::scope(|scope| {
            let asked = thread::Builder::new()
                .stack_size(8192 * KIB)
                .spawn_scoped(scope, || deep(left, &|| pair.ask(&place)));
            asked.expect("a thread").join().expect("an answer");
        });
    }
}

#[test]
fn decisions_work_in_a_multi_thread_runtime() {
    let _clocks = CLOCKS.read();
    let pair = Arc::new(Pair::new());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        pair.ask("inside block_on");
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let pair = pair.clone();
                tokio::spawn(async move {
                    pair.ask(&format!("task {task}"));
                    tokio::task::yield_now().await;
                    pair.ask(&format!("task {task}, later"));
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("an answer");
        }
    });
}

#[test]
fn decisions_work_in_a_current_thread_runtime() {
    let _clocks = CLOCKS.read();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let pair = Pair::new();
    let wasi = load(&host(), "wasi", &guest("wasi"));
    runtime.block_on(async {
        pair.ask("inside block_on");
        // A guest that sleeps and prints does not block the runtime.
        let decision = decide(&wasi, &RuntimeContext::empty());
        let answered = matches!(fallback(&decision), Some(Fallback::UnknownTracer(_)));
        assert!(answered, "{decision:?}");
    });
    tokio::task::LocalSet::new().block_on(&runtime, async {
        pair.ask("inside a local set");
    });
}

#[test]
fn loading_works_on_a_small_stack() {
    let _clocks = CLOCKS.read();
    // Built on this thread, because the text parser needs more stack.
    let (good, bad) = (guest("by-environment"), zoo("recursion"));
    thread::scope(|scope| {
        let asked = thread::Builder::new()
            .stack_size(64 * KIB)
            .spawn_scoped(scope, || {
                Pair::from_bytes(&host(), &good, &bad).ask("loaded on a small stack");
            });
        asked.expect("a thread").join().expect("an answer");
    });
}

#[test]
fn decisions_work_while_a_panic_unwinds() {
    let _clocks = CLOCKS.read();
    struct AskOnDrop<'a>(&'a Pair, &'a AtomicBool);
    impl Drop for AskOnDrop<'_> {
        fn drop(&mut self) {
            self.0.ask("a panic that unwinds");
            self.1.store(true, Ordering::Relaxed);
        }
    }
    let pair = Pair::new();
    let asked = AtomicBool::new(false);
    let unwound = thread::scope(|scope| {
        let panics = scope.spawn(|| {
            let _asks = AskOnDrop(&pair, &asked);
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        panics.join()
    });
    assert!(unwound.is_err() && asked.load(Ordering::Relaxed));
}

#[test]
fn wall_clock_limit_ends_runs_that_fuel_does_not() {
    let _clocks = CLOCKS.read();
    let host = host_within(
        limits()
            .fuel(u64::MAX)
            .wall_clock(Duration::from_millis(30)),
    );
    let expected = Fallback::OutOfBudget(Budget::WallClock);
    for name in ["loop", "loop-in-fill", "questions-forever", "realloc-loops"] {
        let endless = load(&host, name, &zoo(name));
        for _ in 0..2 {
            let decision = decide(&endless, &environment("test"));
            assert_eq!(fallback(&decision), Some(&expected), "{name}");
        }
    }
    let error = host
        .load("start-loops", &zoo("start-loops"))
        .expect_err("a loop");
    assert!(error.to_string().contains("ran out of time"), "{error}");
}

#[test]
fn second_run_is_overloaded_when_only_one_slot_exists() {
    let _clocks = CLOCKS.read();
    let host = host_within(
        limits()
            .sandboxes(1)
            .admission_wait(Duration::from_millis(1))
            .fuel(u64::MAX)
            .wall_clock(Duration::from_millis(200)),
    );
    let endless = load(&host, "loop", &zoo("loop"));
    let good = load(&host, "good", &guest("console"));
    let seen = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !seen.load(Ordering::Relaxed) {
                decide(&endless, &RuntimeContext::empty());
            }
        });
        loop {
            let decision = decide(&good, &RuntimeContext::empty());
            match fallback(&decision) {
                Some(Fallback::Overloaded) => break,
                // This decision ran before or between the long ones.
                _ => assert!(chose(&decision, "console"), "{decision:?}"),
            }
        }
        seen.store(true, Ordering::Relaxed);
    });
    // After the long run has ended, its sandbox is free again.
    for _ in 0..10 {
        let decision = decide(&good, &RuntimeContext::empty());
        assert!(chose(&decision, "console"), "{decision:?}");
    }
}

#[test]
fn fault_releases_its_sandbox() {
    let _clocks = CLOCKS.read();
    let host = host_within(
        limits()
            .sandboxes(1)
            .admission_wait(Duration::ZERO)
            .fuel(100_000),
    );
    let good = load(&host, "good", &guest("console"));
    for name in [
        "trap",
        "loop",
        "recursion",
        "string-of-60-megabytes",
        "realloc-traps",
        "exits",
    ] {
        let bad = load(&host, name, &zoo(name));
        for _ in 0..20 {
            let decision = decide(&bad, &RuntimeContext::empty());
            let fallen = fallback(&decision);
            assert!(
                fallen.is_some_and(|reason| *reason != Fallback::Overloaded),
                "{name}: {fallen:?}"
            );
            let decision = decide(&good, &RuntimeContext::empty());
            assert!(chose(&decision, "console"), "after {name}: {decision:?}");
        }
        host.load(name, &zoo("start-traps")).expect_err("a trap");
        let decision = decide(&good, &RuntimeContext::empty());
        assert!(chose(&decision, "console"), "after a load: {decision:?}");
    }
}

#[test]
fn concurrent_decisions_get_their_own_answers() {
    let _clocks = CLOCKS.read();
    let host = host_within(limits().sandboxes(2));
    let asker = load(&host, "asker", &guest("asker"));
    let right = AtomicUsize::new(0);
    let start = Barrier::new(16);
    thread::scope(|scope| {
        for thread in 0..16 {
            let (asker, right, start) = (&asker, &right, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..25 {
                    let tenant = format!("tenant-{thread}-{round}");
                    let context = RuntimeContext::builder().set("tenant", &tenant).build();
                    let asked = TracerNames::new(["get", "tenant"]);
                    let decision = asker.decision(&context.view(), &asked);
                    let expected = Fallback::UnknownTracer(format!("t{tenant}"));
                    assert_eq!(fallback(&decision), Some(&expected), "thread {thread}");
                    right.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(right.into_inner(), 16 * 25);
}

#[test]
fn selectors_outlive_their_host() {
    let _clocks = CLOCKS.read();
    let host = host();
    let pair = Pair::of(&host);
    drop(host);
    pair.ask("the host is gone");
    let moved = thread::spawn(move || {
        pair.ask("the host is gone, another thread");
        drop(pair);
    });
    moved.join().expect("an answer");
}

#[test]
fn sleeping_epoch_ticker_wakes() {
    let _clocks = CLOCKS.read();
    let host = host_within(
        limits()
            .fuel(u64::MAX)
            .wall_clock(Duration::from_millis(30)),
    );
    let endless = load(&host, "loop", &zoo("loop"));
    let expected = Fallback::OutOfBudget(Budget::WallClock);
    for round in 0..2 {
        // Longer than an idle ticker stays awake.
        thread::sleep(Duration::from_millis(1500));
        let decision = decide(&endless, &RuntimeContext::empty());
        assert_eq!(fallback(&decision), Some(&expected), "round {round}");
    }
    // Let the ticker fall asleep again before everything is dropped.
    thread::sleep(Duration::from_millis(1500));
    drop(host);
    drop(endless);
}

#[test]
fn dropped_hosts_leave_no_threads() {
    let _alone = CLOCKS.write();
    let clocks = || threads_named("spanmux-clock").unwrap_or_default();
    let settled = |expected: usize| {
        // A ticker thread ends at its next tick.
        for _ in 0..2000 {
            if clocks() == expected {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("{} clocks and not {expected}", clocks());
    };
    settled(0);
    let file = guest("console");
    for round in 0..200 {
        let host = host_within(limits().sandboxes(1));
        // Most hosts have no selector; every twentieth makes a decision.
        if round % 20 == 0 {
            let selector = load(&host, "console", &file);
            drop(host);
            let decision: Decision = decide(&selector, &RuntimeContext::empty());
            assert!(matches!(decision.choice, Choice::Tracer(_)), "{decision:?}");
        }
    }
    settled(0);

    // A sleeping ticker wakes up when its host is dropped, and ends.
    let host = host();
    if threads_named("spanmux-clock").is_some() {
        settled(1);
    }
    thread::sleep(Duration::from_millis(1500));
    drop(host);
    settled(0);
}

#[test]
fn view_with_a_span_works_on_a_small_stack() {
    let _clocks = CLOCKS.read();
    let asker = load(&host(), "asker", &guest("asker"));
    let attributes = || {
        let route = RuntimeContext::builder().set("http.route", "/chat");
        route.build()
    };
    thread::scope(|scope| {
        let asked = thread::Builder::new()
            .stack_size(64 * KIB)
            .spawn_scoped(scope, || {
                let span = spanmux::RootSpan::new("POST /chat", "server", &attributes);
                let context = RuntimeContext::empty();
                let view = context.view_with_span(&span);
                let asked = TracerNames::new(["get", "span.http.route"]);
                asker.decision(&view, &asked)
            });
        let decision = asked.expect("a thread").join().expect("an answer");
        let expected = Fallback::UnknownTracer("t/chat".to_owned());
        assert_eq!(fallback(&decision), Some(&expected));
    });
}
