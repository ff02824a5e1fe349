//! The circuit breaker: a selector whose runs keep failing is suspended, and later probed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use spanmux::{
    Budget, Cause, Chain, ComponentSelector, Decision, Fallback, Limits, Mode, Origin,
    RuntimeContext, Selector, SelectorsDirectory, TracerNames, TracerRegistry, WatchSettings,
    selector_fn,
};
use spanmux_tests::log::Log;
use spanmux_tests::{
    TRACERS, chose, component, decide, fallback, guest, host_within, limits, text,
};
use tracing_subscriber::util::SubscriberInitExt as _;

const HOUR: Duration = Duration::from_secs(3600);
const MODES: [Mode; 3] = [Mode::Cached, Mode::Fresh, Mode::Stateful];

/// Returns a context that makes the guest `breaks` act as `letter` says. The number makes it
/// unique.
fn told(letter: &str, number: usize) -> RuntimeContext {
    let text = format!("{letter}{number}");
    RuntimeContext::builder().set("do", &*text).build()
}

/// Limits that suspend after three failed runs, for the time `first`.
fn within(first: Duration) -> Limits {
    limits()
        .suspend_after(3)
        .suspend_first(first)
        .suspend_longest(first)
        .fuel(1_000_000)
}

fn breaks(limits: Limits, mode: Mode) -> ComponentSelector {
    let loaded = host_within(limits).load("breaks", &guest("breaks"));
    loaded.unwrap().with_mode(mode)
}

fn ran(decision: &Decision) -> bool {
    matches!(decision.origin, Origin::Run(_))
}

fn is_suspended(decision: &Decision) -> bool {
    matches!(fallback(decision), Some(Fallback::Suspended(_))) && !ran(decision)
}

/// Makes the selector fail until it is suspended, each time with another context.
fn suspend(selector: &ComponentSelector) {
    for number in 0..3 {
        assert!(ran(&decide(selector, &told("t", number))));
    }
    assert!(selector.suspension().is_some());
}

#[test]
fn consecutive_failed_runs_suspend_the_selector() {
    let budgets = |budget| Fallback::OutOfBudget(budget);
    let trapped = Fallback::Trapped("wasm `unreachable` instruction executed".to_owned());
    for mode in MODES {
        for (letter, reason) in [
            ("t", trapped.clone()),
            ("l", budgets(Budget::Fuel)),
            ("r", budgets(Budget::Stack)),
            ("k", budgets(Budget::Bytes)),
        ] {
            let selector = breaks(within(HOUR), mode);
            for number in 0..3 {
                assert_eq!(selector.suspension(), None, "{letter} {mode:?}");
                let decision = decide(&selector, &told(letter, number));
                assert_eq!(fallback(&decision), Some(&reason), "{mode:?}");
            }
            let suspension = selector.suspension().expect(letter);
            assert_eq!(suspension.reason, reason.to_string());
            assert_eq!(suspension.times, 1);
            assert!(suspension.until.unwrap() > suspension.since);
            for number in 3..100 {
                let decision = decide(&selector, &told("x", number));
                assert!(is_suspended(&decision), "{letter} {mode:?} {decision:?}");
            }
        }
    }
}

#[test]
fn wall_clock_overruns_suspend_the_selector() {
    let selector = breaks(
        within(HOUR)
            .fuel(u64::MAX)
            // Long enough to start a run on a busy machine.
            .wall_clock(Duration::from_millis(300)),
        Mode::Cached,
    );
    let context = told("l", 0);
    let out_of_time = Fallback::OutOfBudget(Budget::WallClock);
    for _ in 0..3 {
        // The failure is not cached, so the same context can be used again.
        assert_eq!(fallback(&decide(&selector, &context)), Some(&out_of_time));
    }
    assert!(is_suspended(&decide(&selector, &context)));
}

#[test]
fn cached_decisions_stay_available_while_suspended() {
    let selector = breaks(within(HOUR), Mode::Cached);
    assert!(chose(&decide(&selector, &told("x", 0)), "console"));
    assert!(fallback(&decide(&selector, &told("e", 0))).is_some());
    suspend(&selector);
    let runs = selector.explain(&TracerNames::new(TRACERS)).runs;
    assert_eq!(runs, 5);
    for _ in 0..100 {
        let known = decide(&selector, &told("x", 0));
        assert!(chose(&known, "console") && known.origin == Origin::Cached);
        let failed = decide(&selector, &told("e", 0));
        assert_eq!(
            fallback(&failed),
            Some(&Fallback::Failed("console".to_owned()))
        );
        // A cached trap is still answered as that trap.
        let trapped = decide(&selector, &told("t", 1));
        assert!(matches!(fallback(&trapped), Some(Fallback::Trapped(_))));
        assert!(is_suspended(&decide(&selector, &told("x", 1))));
    }
    let explanation = selector.explain(&TracerNames::new(TRACERS));
    assert_eq!((explanation.runs, explanation.hits), (runs, 300));
}

#[test]
fn cached_trap_counts_once() {
    let selector = breaks(within(HOUR), Mode::Cached);
    for _ in 0..100 {
        decide(&selector, &told("t", 0));
    }
    assert_eq!(selector.suspension(), None);
}

#[test]
fn errors_and_unknown_names_never_suspend_the_selector() {
    for letter in ["e", "u", "a"] {
        for mode in MODES {
            let selector = breaks(within(HOUR), mode);
            for tenant in 0..2000 {
                assert!(ran(&decide(&selector, &told(letter, tenant))), "{mode:?}");
            }
            assert_eq!(selector.suspension(), None);
        }
    }
}

#[test]
fn failures_of_one_tenant_do_not_suspend_the_selector_for_others() {
    let selector = breaks(within(HOUR), Mode::Fresh);
    for turn in 0..500 {
        assert!(ran(&decide(&selector, &told("t", 2 * turn))));
        assert!(ran(&decide(&selector, &told("t", 2 * turn + 1))));
        assert!(chose(&decide(&selector, &told("x", turn)), "console"));
    }
}

#[test]
fn successful_probe_closes_the_circuit_and_failed_probe_does_not() {
    for mode in MODES {
        // No back-off, so every decision is the probe.
        let selector = breaks(within(Duration::ZERO), mode);
        suspend(&selector);
        for number in 3..8 {
            assert!(ran(&decide(&selector, &told("t", number))), "{mode:?}");
        }
        assert_eq!(selector.suspension().unwrap().times, 6);
        assert!(chose(&decide(&selector, &told("x", 0)), "console"));
        assert_eq!(selector.suspension(), None);
        assert!(ran(&decide(&selector, &told("t", 8))));
        assert_eq!(selector.suspension(), None);
    }
}

/// One of many threads runs the probe, and the others do not wait for it.
#[test]
fn one_probe_runs_at_a_time() {
    let selector = breaks(
        within(Duration::ZERO).fuel(u64::MAX).wall_clock(HOUR),
        Mode::Fresh,
    );
    suspend(&selector);
    let (runs, others) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let many = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (selector, runs, others, many) = (&selector, &runs, &others, &many);
            scope.spawn(move || {
                many.wait();
                for number in 0..50 {
                    // Every run fails, so the selector stays suspended.
                    let decision = decide(selector, &told("t", 100 * thread + number));
                    match ran(&decision) {
                        true => runs.fetch_add(1, Ordering::Relaxed),
                        false => others.fetch_add(1, Ordering::Relaxed),
                    };
                    assert!(ran(&decision) || is_suspended(&decision));
                }
            });
        }
    });
    let (runs, others) = (runs.into_inner(), others.into_inner());
    assert_eq!(runs + others, 400);
    // The three runs of `suspend` count once, and each failed probe once.
    let times = selector.suspension().unwrap().times;
    assert_eq!(times as usize, runs + 1);
}

#[test]
fn clones_share_the_circuit_but_other_modes_and_selectors_do_not() {
    let selector = breaks(within(HOUR), Mode::Cached);
    suspend(&selector.clone());
    assert_eq!(selector.with_mode(Mode::Cached).suspension(), None);
    let host = host_within(within(HOUR));
    let [first, second] =
        ["10-one", "20-two"].map(|name| host.load(name, &guest("breaks")).unwrap());
    suspend(&first);
    assert_eq!(second.suspension(), None);
}

/// The chain ends at the suspended selector, as at any failure. The next rule was not written for
/// this trace.
#[test]
fn suspended_selector_ends_the_chain_at_the_fallback_tracer() {
    let registry = TracerRegistry::<()>::new();
    for name in ["langfuse", "console", "quarantine"] {
        registry.register(name, ()).unwrap();
    }
    registry.set_fallback(Some("quarantine")).unwrap();
    let selector = breaks(within(HOUR), Mode::Cached);
    let next = selector_fn("next", |_, tracers| tracers.choose("langfuse"));
    let links: [Arc<dyn Selector>; 2] = [Arc::new(selector), Arc::new(next)];
    registry.set_selectors(Chain::from_iter(links));
    for number in 0..10 {
        let selection = registry.select(&told("t", number).view());
        assert_eq!(selection.tracer_name(), Some("quarantine"));
        assert_eq!(selection.selector_name(), Some("breaks"));
        let kind = match number < 3 {
            true => Cause::Trapped,
            false => Cause::Suspended,
        };
        assert_eq!(selection.fallback().map(Fallback::cause), Some(kind));
    }
    let said = selection_reason(&registry);
    assert_eq!(
        said,
        "the selector is suspended because its runs failed: the selector trapped: wasm \
         `unreachable` instruction executed"
    );
    // The registry shows the suspension as the cause of the fallbacks.
    let suspended: Vec<bool> = registry
        .selectors()
        .selectors()
        .map(|selector| selector.suspension().is_some())
        .collect();
    assert_eq!(suspended, [true, false]);
    let counted = |kind| {
        let counts = registry.counts();
        let of_kind = counts
            .outcomes()
            .filter(|(outcome, _)| outcome.cause == Some(kind));
        of_kind.map(|(_, count)| count).sum::<u64>()
    };
    assert_eq!(counted(Cause::Trapped), 3);
    assert_eq!(counted(Cause::Suspended), 8);
}

fn selection_reason(registry: &TracerRegistry<()>) -> String {
    let selection = registry.select(&told("x", 0).view());
    selection.fallback().map(Fallback::to_string).unwrap()
}

/// Each change is logged once, however many traces there are.
#[test]
fn suspension_and_recovery_are_logged_once() {
    let log = Log::default();
    let writer = log.clone();
    // With a single subscriber, `tracing` asks the thread that reaches an event first whether
    // anyone is interested, and that may be the thread of another test. A second dispatcher
    // prevents this.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .set_default();
    let selector = breaks(within(HOUR), Mode::Cached);
    for number in 0..100 {
        decide(&selector, &told("t", number));
    }
    let selector = breaks(within(Duration::ZERO), Mode::Cached);
    suspend(&selector);
    decide(&selector, &told("x", 0));
    drop(subscriber);
    let text = log.text();
    assert_eq!(text.matches("a selector is suspended").count(), 2, "{text}");
    assert_eq!(
        text.matches("the selector works again").count(),
        1,
        "{text}"
    );
    for word in [
        "selector=\"breaks\"",
        "reason=the selector trapped",
        "seconds=3600",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn watched_directory_reports_suspension_and_new_bytes_reset_it() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(path.with_extension("new"), bytes).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
    };
    put("10-breaks.wasm", &guest("breaks"));
    put("20-no-component.wasm", b"not a component");
    let chain = Arc::new(Mutex::new(Chain::empty()));
    let live = chain.clone();
    let settings = WatchSettings::default()
        .rescan_interval(Duration::from_millis(20))
        .debounce(Duration::from_millis(5));
    let watched = SelectorsDirectory::new(folder.path(), host_within(within(HOUR)))
        .watch_with(settings, move |selectors| *live.lock().unwrap() = selectors)
        .unwrap();
    let ask = |place: usize, letter, number| {
        let live = chain.lock().unwrap();
        let selector: Arc<dyn Selector> = live.selectors().nth(place).unwrap().clone();
        drop(live);
        decide(&*selector, &told(letter, number))
    };
    for number in 0..3 {
        ask(0, "t", number);
    }
    let status = watched.status();
    let file = status.file("10-breaks").unwrap();
    let suspended = file.suspended.as_ref().expect("suspended");
    assert!(suspended.reason.contains("unreachable"), "{suspended:?}");
    assert!(is_suspended(&ask(0, "x", 0)));
    // A file that never loaded keeps its position. It has no runs, so it is not suspended.
    assert_eq!(status.file("20-no-component").unwrap().suspended, None);
    for number in 0..10 {
        let decision = ask(1, "x", number);
        assert!(matches!(
            fallback(&decision),
            Some(Fallback::Unavailable(_))
        ));
    }

    // Equal bytes under the same name are the same selector, and it stays suspended.
    put("10-breaks.wasm", &guest("breaks"));
    put("30-console.wasm", &guest("console"));
    let wait = |wanted: &mut dyn FnMut(&spanmux::WatchStatus) -> bool| {
        watched
            .wait_until(Duration::from_secs(120), wanted)
            .expect("in time")
    };
    wait(&mut |status| {
        status
            .file("30-console")
            .is_some_and(|file| file.active.is_some())
    });
    assert!(is_suspended(&ask(0, "x", 0)));

    // Different bytes are a new selector.
    let mended =
        text("guests", "breaks").replace("(then unreachable)", "(then (return (i32.const 16)))");
    put("10-breaks.wasm", &component(&mended));
    wait(&mut |status| status.loads == 3);
    assert_eq!(watched.status().file("10-breaks").unwrap().suspended, None);
    assert!(chose(&ask(0, "t", 0), "console"));
}
