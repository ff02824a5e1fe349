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

/// Returns the names with which the guest `breaks` acts as `letter` says, whatever the context is.
fn unhealthy(letter: &str) -> TracerNames {
    let others = 100 + usize::from(letter.as_bytes()[0]) - TRACERS.len();
    let others = (0..others).map(|number| format!("tracer-{number}"));
    TracerNames::new(TRACERS.map(str::to_owned).into_iter().chain(others))
}

fn decide_among(
    selector: &dyn Selector,
    context: &RuntimeContext,
    tracers: &TracerNames,
) -> Decision {
    selector.decision(&context.view(), tracers)
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
    let tracers = unhealthy("t");
    for number in 0..3 {
        assert!(ran(&decide_among(selector, &told("x", number), &tracers)));
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
            let tracers = unhealthy(letter);
            for number in 0..3 {
                assert_eq!(selector.suspension(), None, "{letter} {mode:?}");
                let decision = decide_among(&selector, &told("x", number), &tracers);
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
    let context = told("x", 0);
    let tracers = unhealthy("l");
    let out_of_time = Fallback::OutOfBudget(Budget::WallClock);
    for _ in 0..3 {
        // The failure is not cached, so the same context can be used again.
        let decision = decide_among(&selector, &context, &tracers);
        assert_eq!(fallback(&decision), Some(&out_of_time));
    }
    assert!(is_suspended(&decide_among(&selector, &context, &tracers)));
}

/// Asks for contexts that are new, and checks that the rule decides each of them.
fn decides_new_contexts(selector: &ComponentSelector, situation: &str) {
    for number in 0..122 {
        let decision = decide(selector, &told("x", 1_000_000 + number));
        assert!(ran(&decision), "{situation} {decision:?}");
        assert!(chose(&decision, "console"), "{situation} {decision:?}");
    }
}

/// One tenant sends many distinct values that make the selector fail, before or after others were
/// decided. The rule still decides for all others.
#[test]
fn contexts_of_callers_never_suspend_the_selector() {
    for mode in MODES {
        for letter in ["t", "l", "r", "k"] {
            for worked_before in [false, true] {
                let situation = format!("{letter} {mode:?} {worked_before}");
                let selector = breaks(within(HOUR), mode);
                if worked_before {
                    assert!(chose(&decide(&selector, &told("x", 0)), "console"));
                }
                for number in 0..200 {
                    let decision = decide(&selector, &told(letter, number));
                    assert!(ran(&decision), "{situation} {decision:?}");
                    assert!(fallback(&decision).is_some(), "{situation}");
                }
                assert_eq!(selector.suspension(), None, "{situation}");
                decides_new_contexts(&selector, &situation);
            }
        }
    }
}

#[test]
fn contexts_of_callers_never_suspend_the_selector_when_it_runs_out_of_time() {
    let selector = breaks(
        within(HOUR)
            .fuel(u64::MAX)
            .wall_clock(Duration::from_millis(300)),
        Mode::Cached,
    );
    for number in 0..7 {
        let decision = decide(&selector, &told("l", number));
        let out_of_time = Fallback::OutOfBudget(Budget::WallClock);
        assert_eq!(fallback(&decision), Some(&out_of_time));
    }
    assert_eq!(selector.suspension(), None);
    decides_new_contexts(&selector, "out of time");
}

/// A value that is too long for the decision cache makes the selector run each time.
#[test]
fn oversized_values_never_suspend_the_selector() {
    let selector = breaks(within(HOUR), Mode::Cached);
    for number in 0..50 {
        let text = format!("t{number}{}", "x".repeat(40_000));
        let context = RuntimeContext::builder().set("do", &*text).build();
        for _ in 0..4 {
            assert!(ran(&decide(&selector, &context)));
        }
    }
    decides_new_contexts(&selector, "oversized");
}

/// Returns the guest `breaks`, changed to trap without a text under `do`.
fn needs_a_text(limits: Limits) -> ComponentSelector {
    let changed =
        text("guests", "breaks").replace("(then (return (i32.const 16)))", "(then unreachable)");
    let loaded = host_within(limits).load("needs-a-text", &component(&changed));
    loaded.unwrap()
}

/// The empty context says nothing about a selector that worked with another one.
#[test]
fn selector_that_traps_without_a_value_is_not_suspended_when_it_worked_before() {
    let selector = needs_a_text(within(HOUR));
    assert!(chose(&decide(&selector, &told("x", 0)), "console"));
    for number in 0..200 {
        assert!(ran(&decide(&selector, &told("t", number))));
    }
    assert_eq!(selector.suspension(), None);
    decides_new_contexts(&selector, "worked before");
}

#[test]
fn selector_that_never_worked_is_suspended_when_it_fails_without_a_value() {
    let selector = needs_a_text(within(HOUR));
    for number in 0..3 {
        assert_eq!(selector.suspension(), None);
        assert!(ran(&decide(&selector, &told("t", number))));
    }
    assert!(is_suspended(&decide(&selector, &told("x", 0))));
}

/// A stateful selector keeps its state: the check of its health uses another instance.
#[test]
fn check_does_not_change_the_state_of_a_stateful_selector() {
    let count = |limits: Limits| {
        let host = host_within(limits);
        let selector = host.load("takes-turns", &guest("takes-turns")).unwrap();
        let selector = selector.with_mode(Mode::Stateful);
        let ask = |_| format!("{:?}", decide(&selector, &RuntimeContext::empty()).choice);
        (0..6).map(ask).collect::<Vec<_>>()
    };
    assert_eq!(count(within(HOUR)), count(limits()));
}

#[test]
fn cached_decisions_stay_available_while_suspended() {
    let selector = breaks(within(HOUR), Mode::Cached);
    assert!(fallback(&decide(&selector, &told("t", 1))).is_some());
    assert!(chose(&decide(&selector, &told("x", 0)), "console"));
    assert!(fallback(&decide(&selector, &told("e", 0))).is_some());
    suspend(&selector);
    let runs = selector.explain(&TracerNames::new(TRACERS)).runs;
    assert_eq!(runs, 6);
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
        decide_among(&selector, &told("x", 0), &unhealthy("t"));
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
fn successful_probe_closes_the_circuit_and_failed_probe_does_not() {
    for mode in MODES {
        // No back-off, so every decision is the probe.
        let selector = breaks(within(Duration::ZERO), mode);
        suspend(&selector);
        for number in 3..8 {
            let decision = decide_among(&selector, &told("x", number), &unhealthy("t"));
            assert!(ran(&decision), "{mode:?}");
        }
        assert_eq!(selector.suspension().unwrap().times, 6);
        assert!(chose(&decide(&selector, &told("x", 0)), "console"));
        assert_eq!(selector.suspension(), None);
        assert!(ran(&decide(&selector, &told("t", 8))));
        assert_eq!(selector.suspension(), None);
    }
}

/// The probe has the context of a caller, so its failure alone does not prolong a suspension.
#[test]
fn probe_that_fails_because_of_its_context_closes_the_circuit() {
    for mode in MODES {
        let selector = breaks(within(Duration::ZERO), mode);
        suspend(&selector);
        assert!(ran(&decide(&selector, &told("t", 0))), "{mode:?}");
        assert_eq!(selector.suspension(), None, "{mode:?}");
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
    let tracers = unhealthy("t");
    let (runs, others) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let many = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (selector, tracers, many) = (&selector, &tracers, &many);
            let (runs, others) = (&runs, &others);
            scope.spawn(move || {
                many.wait();
                for number in 0..50 {
                    // Every run fails, so the selector stays suspended.
                    let context = told("x", 100 * thread + number);
                    let decision = decide_among(selector, &context, tracers);
                    let counter = if ran(&decision) { runs } else { others };
                    counter.fetch_add(1, Ordering::Relaxed);
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
    for name in unhealthy("t").as_slice() {
        registry.register(name, ()).unwrap();
    }
    assert!(registry.unregister("tracer-0"));
    registry.register("quarantine", ()).unwrap();
    registry.set_fallback(Some("quarantine")).unwrap();
    let selector = breaks(within(HOUR), Mode::Cached);
    let next = selector_fn("next", |_, tracers| tracers.choose("langfuse"));
    let links: [Arc<dyn Selector>; 2] = [Arc::new(selector), Arc::new(next)];
    registry.set_selectors(Chain::from_iter(links));
    for number in 0..10 {
        let selection = registry.select(&told("x", number).view());
        assert_eq!(selection.tracer_name(), Some("quarantine"));
        assert_eq!(selection.selector_name(), Some("breaks"));
        let kind = if number < 3 {
            Cause::Trapped
        } else {
            Cause::Suspended
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
    let selection = registry.select(&told("x", 1000).view());
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
    let tracers = unhealthy("t");
    for number in 0..100 {
        decide_among(&selector, &told("x", number), &tracers);
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
    let first: Arc<dyn Selector> = chain.lock().unwrap().selectors().next().unwrap().clone();
    for number in 0..3 {
        decide_among(&*first, &told("x", number), &unhealthy("t"));
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
