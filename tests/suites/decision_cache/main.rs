//! A cached decision equals the decision of a fresh run. The tests use random selectors and random
//! contexts in random order, on one thread and on several.
//!
//! A selector is the guest `random-program` with a program in its memory. A `case` is such a
//! selector with contexts and tracer lists. For each question, a fresh run gives the expected
//! decision, native code checks that decision, and a selector with a cache is then asked
//! repeatedly. Cached and fresh selectors share the code that answers questions, so a bug in it
//! could make both equal. Therefore equal contexts are built in many ways and in another process,
//! and the tests must detect a selector that caches incorrectly.
//!
//! `SPANMUX_CASES=20` runs twenty times as many cases. `SPANMUX_SEED=7` runs only the case with
//! that seed, which a failure prints. `--nocapture` shows the counts.

mod case;
mod chains;
mod contexts;
mod features;
mod program;

use std::process::Command;
use std::time::Duration;

use case::{Case, CasePlan, Question, Tally, case_limits, with_fuel};
use chains::{ChainCase, ChainTally};
use contexts::{ContextPlan, Plan};
use fastrand::Rng;
use features::Feature;
use program::{Program, State, What};
use spanmux::{
    Budget, Choice, ComponentSelector, Decision, Fallback, Limits, Mode, Origin, RuntimeContext,
    SelectorHost,
};
use spanmux_tests::{decide, fallback, host_within, load};

/// Reads a number from the environment.
fn asked_for(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={value} is no number")),
    )
}

/// Returns the seeds of a test's cases, `count` by default. Each test has its own seeds, so that
/// together the tests cover more.
fn seeds(test: u64, count: u64) -> Vec<u64> {
    match asked_for("SPANMUX_SEED") {
        Some(seed) => vec![seed],
        None => {
            let first = test << 32;
            (first..first + count * asked_for("SPANMUX_CASES").unwrap_or(1)).collect()
        }
    }
}

/// Returns `true` if all cases run, so that the coverage is checked.
fn all_cases() -> bool {
    asked_for("SPANMUX_SEED").is_none()
}

fn is_learned(decision: &Decision) -> bool {
    decision.origin == Origin::Cached
}

/// Returns the limits of most cases with a cache of this size.
fn with_room(answers: usize, bytes: usize) -> Limits {
    case_limits().cached_answers(answers).cached_bytes(bytes)
}

/// Checks the property for a new case of each seed, with six times as many decisions as questions,
/// in random order.
fn hold(limits: Limits, seeds: Vec<u64>) -> Tally {
    let host = host_within(limits);
    let mut tally = Tally::default();
    for seed in seeds {
        let case = Case::random(seed, &host);
        case.hold(&case.learner(), &mut Rng::with_seed(seed), 6, &mut tally);
    }
    tally
}

/// Prints the counts. Fails if too few decisions came from the cache, because then nothing was
/// tested.
fn report(what: &str, tally: &Tally, cached: u64) {
    println!("{what}: {tally}");
    assert!(!all_cases() || tally.cached() >= cached, "{what}: {tally}");
}

/// Features of decisions that are never cached: answers that are too large to store, keys and names
/// made of them, and results that depend on the machine.
const NEVER_LEARNED: [Feature; 4] = [
    Feature::HugeText,
    Feature::HugeJson,
    Feature::OutOfStack,
    Feature::OutOfBytes,
];

#[test]
fn cached_answers_are_those_of_fresh_runs() {
    let tally = hold(case_limits(), seeds(1, 300));
    report("in random order", &tally, 60);
    println!("{}", tally.coverage);
    for feature in Feature::ALL {
        let (run, cached) = (
            tally.coverage.run(*feature),
            tally.coverage.cached(*feature),
        );
        let enough = if NEVER_LEARNED.contains(feature) {
            run >= 100
        } else {
            cached >= 100
        };
        assert!(
            enough || !all_cases(),
            "{feature:?}: {run} run, {cached} cached"
        );
        assert!(
            cached == 0 || !NEVER_LEARNED.contains(feature),
            "{feature:?}: {cached} cached"
        );
    }
}

/// Checks the check itself: if the recorded runs omit one kind of question, the same cases find
/// wrong decisions.
#[cfg(spanmux_mutations)]
#[test]
fn question_left_out_is_noticed() {
    use spanmux::Forget;

    let host = host_within(case_limits());
    for forget in [Forget::Get, Forget::Has, Forget::Keys, Forget::Bucket] {
        let mut tally = Tally::default();
        let wrong = (1 << 32..).take(100).filter(|seed| {
            let case = Case::random(*seed, &host);
            let selector = case.learner().forgetting(forget);
            case.compare_all(&selector, &mut Rng::with_seed(*seed), 6, &mut tally)
                .is_err()
        });
        let first = wrong.map(|seed| seed - (1 << 32)).next();
        println!("without {forget:?}, the case {first:?} is the first to fail, after {tally}");
        assert!(first.is_some(), "nothing fails without {forget:?}");
    }
}

#[test]
fn cached_chains_decide_as_fresh_ones() {
    let host = host_within(case_limits());
    let mut tally = ChainTally::default();
    for seed in seeds(9, 60) {
        let case = ChainCase::random(seed, &host);
        let cached = |_, selector: &ComponentSelector| selector.with_mode(Mode::Cached);
        if let Err(wrong) = case.compare(cached, 20, &mut tally) {
            panic!("{wrong}");
        }
    }
    println!("{tally}");
    assert!(tally.whole >= 1_000 || !all_cases(), "{tally}");
}

/// Checks the check, as [`question_left_out_is_noticed`] does for single selectors.
#[cfg(spanmux_mutations)]
#[test]
fn question_left_out_in_a_chain_is_noticed() {
    use spanmux::Forget;

    let host = host_within(case_limits());
    for forget in [Forget::Get, Forget::Has, Forget::Keys, Forget::Bucket] {
        let mut tally = ChainTally::default();
        let wrong = (9 << 32..).take(200).find(|seed| {
            let case = ChainCase::random(*seed, &host);
            let mutated = |_, selector: &ComponentSelector| selector.forgetting(forget);
            case.compare(mutated, 20, &mut tally).is_err()
        });
        println!("without {forget:?}, the chain {wrong:?} is the first to fail, after {tally}");
        assert!(wrong.is_some(), "nothing fails without {forget:?}");
    }
}

#[test]
fn equal_contexts_share_cached_decisions() {
    let host = host_within(case_limits());
    let mut tally = Tally::default();
    for seed in seeds(2, 30) {
        let case = Case::random(seed, &host);
        let selector = case.learner();
        let mut compare = |question, build| {
            let decision = case.compare(&selector, question, build, &mut tally);
            is_learned(&decision.unwrap_or_else(|mismatch| panic!("{}", case.explain(&mismatch))))
        };
        for question in case.questions() {
            compare(question, 0);
            // A decision that can be cached is a hit in every build.
            let cached = compare(question, 0);
            for build in [1, 2] {
                assert_eq!(compare(question, build), cached, "SPANMUX_SEED={seed}");
            }
        }
        tally.cases += 1;
    }
    report("built otherwise", &tally, 60);
}

/// Asks from four threads concurrently.
fn hold_on_threads(case: &Case, seed: u64) -> Tally {
    let selector = case.learner();
    let compare = |thread: u64| {
        let mut tally = Tally::default();
        case.hold(&selector, &mut Rng::with_seed(seed + thread), 2, &mut tally);
        tally
    };
    let mut sum = Tally::default();
    std::thread::scope(|scope| {
        let threads = [0, 1, 2, 3].map(|thread| scope.spawn(move || compare(thread)));
        for thread in threads {
            sum.add(&thread.join().expect("no mismatch"));
        }
    });
    sum
}

#[test]
fn threads_share_cached_decisions() {
    let host = host_within(case_limits());
    let mut tally = Tally::default();
    for seed in seeds(3, 25) {
        tally.add(&hold_on_threads(&Case::random(seed, &host), seed));
    }
    report("on four threads", &tally, 50);
    // Threads that evict each other's decisions.
    let host = host_within(with_room(500, 1 << 20));
    let mut tally = Tally::default();
    for seed in seeds(4, 3) {
        let case = flood(seed, &host);
        tally.add(&hold_on_threads(&case, seed));
    }
    report("on four threads in a flood", &tally, 10);
}

/// Set for the child process with which a test compares itself.
const ELSEWHERE: &str = "SPANMUX_ELSEWHERE";

/// Returns one line for each question of some cases: the fuel of a fresh run, and the second
/// decision.
fn lines(builds: u64) -> Vec<String> {
    let host = host_within(case_limits());
    let mut lines = Vec::new();
    for seed in seeds(5, 20) {
        let mut builds = Rng::with_seed(builds + seed);
        let case = Case::new(CasePlan::random(seed), &mut builds, &host);
        let selector = case.learner();
        for (at, question) in case.questions().iter().enumerate() {
            case.ask(&selector, question, 0);
            let answer = case.ask(&selector, question, 1).choice;
            lines.push(format!(
                "question {at} of {seed}: {} {answer:?}",
                question.fuel
            ));
        }
    }
    lines
}

#[test]
fn another_process_decides_the_same() {
    if asked_for(ELSEWHERE).is_some() {
        // In the child process the contexts are built in another order and hashed with other seeds.
        for line in lines(1 << 60) {
            println!("{line}");
        }
        return;
    }
    let elsewhere = Command::new(std::env::current_exe().expect("this test"))
        .args(["another_process_decides_the_same", "--exact", "--nocapture"])
        .env(ELSEWHERE, "1")
        .output()
        .expect("another process");
    let elsewhere = String::from_utf8(elsewhere.stdout).expect("text");
    let elsewhere: Vec<&str> = elsewhere
        .lines()
        .filter(|line| line.starts_with("question "))
        .collect();
    let here = lines(0);
    assert_eq!(here.len(), elsewhere.len());
    for (here, elsewhere) in here.iter().zip(elsewhere) {
        assert_eq!(here, elsewhere);
    }
    println!(
        "{} questions were answered alike by two processes",
        here.len()
    );
}

/// Returns the least fuel with which a question is answered. It is close to the fuel of its run:
/// the engine does not check the last instructions, and does not report those before a trap.
fn least_fuel(case: &Case, question: &Question) -> u64 {
    let (mut short, mut enough) = (question.fuel - 1, question.fuel);
    for step in (5..).map(|power| 1 << power) {
        match (
            case.runs_out(question, short),
            case.runs_out(question, enough),
        ) {
            (true, false) => break,
            (true, true) => (short, enough) = (enough, enough + step),
            (false, _) => (short, enough) = (short - step, short),
        }
    }
    while enough - short > 1 {
        let middle = short.midpoint(enough);
        if case.runs_out(question, middle) {
            short = middle;
        } else {
            enough = middle;
        }
    }
    enough
}

#[test]
fn cached_decisions_are_correct_at_the_limit_of_fuel() {
    let host = host_within(case_limits());
    let mut tally = Tally::default();
    for seed in seeds(6, 20) {
        let mut rng = Rng::with_seed(seed);
        let free = Case::random(seed, &host);
        let place = rng.usize(..free.questions().len());
        if free.questions()[place].is_cut_short() {
            continue;
        }
        let least = least_fuel(&free, &free.questions()[place]);
        for fuel in [least - 1, least, least + 1] {
            let case = Case::random(seed, &host_within(with_fuel(fuel)));
            assert_eq!(case.questions()[place].is_cut_short(), fuel < least);
            case.hold(&case.learner(), &mut rng, 3, &mut tally);
        }
    }
    report("at the limit of fuel", &tally, 50);
    assert!(!all_cases() || tally.coverage.cached(Feature::OutOfFuel) > 1000);
}

/// Hashing a bucket costs fuel, but the answer does not depend on that cost.
#[test]
fn cached_decisions_include_the_fuel_of_hashing() {
    let mut bucket = State::asks(What::Bucket, "user");
    bucket.number = 1;
    let program = Program::in_a_row([bucket, State::new(What::ChooseTracer)]);
    let lengths = [0, 1, 100, 255, 256, 257, 300, 511, 512, 513, 1000, 5000];
    let context = |length| ContextPlan::of([("user", Plan::Text("x".repeat(length)))]);
    let case = |fuel| {
        let plan = CasePlan {
            seed: 0,
            program: program.clone(),
            contexts: lengths.map(context).into(),
            lists: vec![&["console"]],
        };
        Case::new(plan, &mut Rng::with_seed(0), &host_within(with_fuel(fuel)))
    };
    let free = case(case_limits().fuel);
    let mut limits: Vec<u64> = free
        .questions()
        .iter()
        .map(|question| least_fuel(&free, question))
        .collect();
    limits.dedup();
    let mut tally = Tally::default();
    for fuel in limits
        .into_iter()
        .flat_map(|least| [least - 1, least, least + 1])
    {
        let case = case(fuel);
        case.hold(&case.learner(), &mut Rng::with_seed(fuel), 8, &mut tally);
    }
    report("with fuel for what is hashed", &tally, 50);
    assert!(tally.coverage.cached(Feature::OutOfFuel) > 0);
}

#[test]
fn small_caches_are_correct() {
    let rooms = [
        (8, 1 << 20),
        (64, 1 << 20),
        (100_000, 4096),
        (100_000, 20_000),
    ];
    for ((answers, bytes), test) in rooms.into_iter().zip(7..) {
        let limits = with_room(answers, bytes);
        let tally = hold(limits, seeds(test, 10));
        report(
            &format!("with room for {answers} answers in {bytes} bytes"),
            &tally,
            5,
        );
    }
}

/// Returns a case with more values than any node of a tree can store.
fn flood(seed: u64, host: &SelectorHost) -> Case {
    let mut rng = Rng::with_seed(seed);
    // Every fourth selector asks more distinct questions than the cache ever stores: two for each
    // user.
    let program = match seed % 4 {
        0 => Program::in_a_row([
            State::asks(What::Get, "tenant"),
            State::asks_of_last(What::Has, ""),
            State::asks_of_last(What::Bucket, "user."),
            State::new(What::ChooseTracer),
        ]),
        _ => Program::random(&mut rng, &["tenant", "acme"]),
    };
    let user = |rng: &mut Rng| Plan::Text(format!("user-{}", rng.u16(..600)));
    let context = |_| ContextPlan::of([("tenant", user(&mut rng)), ("acme", user(&mut rng))]);
    let plan = CasePlan {
        seed,
        program,
        contexts: (0..900).map(context).collect(),
        lists: vec![&["langfuse", "datadog", "console"]],
    };
    Case::new(plan, &mut rng, host)
}

#[test]
fn cache_is_correct_in_a_flood_of_values() {
    for answers in [256, Limits::CACHED_ANSWERS] {
        let host = host_within(with_room(answers, Limits::CACHED_BYTES));
        let mut tally = Tally::default();
        for seed in seeds(11, 4) {
            let case = flood(seed, &host);
            case.hold(&case.learner(), &mut Rng::with_seed(seed), 6, &mut tally);
        }
        report(
            &format!("in a flood with room for {answers} answers"),
            &tally,
            10,
        );
    }
}

/// Returns a cached selector that asks one question and then does `what`.
fn after_a_question(host: &SelectorHost, what: What) -> ComponentSelector {
    let program = Program::in_a_row([State::asks(What::Get, "tenant"), State::new(what)]);
    load(host, "one thing", &program.component()).with_mode(Mode::Cached)
}

fn assert_run(decision: &Decision, expected: Fallback) {
    assert_eq!(decision.choice, Choice::Fallback(expected));
    assert!(!is_learned(decision), "{decision:?}");
}

/// Endless recursion ends at a depth that depends on the host's frames, and time limits differ
/// between runs.
#[test]
fn machine_dependent_decisions_are_never_cached() {
    let clocked = case_limits()
        .fuel(u64::MAX >> 2)
        .wall_clock(Duration::from_millis(20));
    let context = RuntimeContext::empty();
    for (what, limits, budget) in [
        (What::Recurse, case_limits(), Budget::Stack),
        (What::Loop, clocked, Budget::WallClock),
    ] {
        let host = host_within(limits);
        let endless = after_a_question(&host, what);
        for _ in 0..4 {
            assert_run(&decide(&endless, &context), Fallback::OutOfBudget(budget));
        }
    }
    // Any other end of a run is cached after the first run.
    let trap = after_a_question(&host_within(case_limits()), What::Unreachable);
    assert!(!is_learned(&decide(&trap, &context)));
    assert!(is_learned(&decide(&trap, &context)));
}

#[test]
fn overload_is_never_cached() {
    let limits = case_limits()
        .fuel(u64::MAX >> 2)
        .wall_clock(Duration::from_millis(500))
        .admission_wait(Duration::ZERO)
        .sandboxes(1);
    let host = host_within(limits);
    let endless = after_a_question(&host, What::Loop);
    let selector = after_a_question(&host, What::Abstain);
    let context = RuntimeContext::empty();
    let mut was_full = None;
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            let overloaded =
                |decision: &Decision| fallback(decision) == Some(&Fallback::Overloaded);
            while overloaded(&decide(&endless, &context)) {}
        });
        while !busy.is_finished() {
            // Use an empty cache each time, because a hit needs no sandbox.
            let selector = selector.with_mode(Mode::Cached);
            let decision = decide(&selector, &context);
            if decision.choice != Choice::Abstain {
                assert_run(&decision, Fallback::Overloaded);
                was_full = Some(selector);
            }
        }
    });
    let was_full = was_full.expect("a full host");
    let decision = decide(&was_full, &context);
    assert_eq!(decision.choice, Choice::Abstain);
    assert!(!is_learned(&decision), "{decision:?}");
    assert!(is_learned(&decide(&was_full, &context)));
}
