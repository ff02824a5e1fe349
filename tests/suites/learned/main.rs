//! A learned answer is what a fresh run would answer: random selectors, random
//! contexts, in random order.
//!
//! `SPANWAY_CASES=20` runs twenty times as many cases. `SPANWAY_SEED=7` runs the one
//! case of that seed, as a failure prints it. `--nocapture` shows what was compared.

mod case;
mod contexts;
mod features;
mod program;
mod switch;

use std::process::Command;
use std::time::Duration;

use case::{Case, CasePlan, Question, Tally, case_limits};
use contexts::{ContextPlan, Plan};
use fastrand::Rng;
use program::{Program, State, What};
use spanway::{Budget, Choice, Decision, Fallback, Limits, RuntimeContext};
use spanway_tests::{decide, host_within, load};
use switch::{is_learned, learner, with_room};

/// A number from the environment.
fn asked_for(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={value} is no number")),
    )
}

/// The seeds of a test's cases, so many by default. Each test has its own, so that
/// together they see more.
fn seeds(test: u64, count: u64) -> Vec<u64> {
    match asked_for("SPANWAY_SEED") {
        Some(seed) => vec![seed],
        None => {
            let first = test << 32;
            (first..first + count * asked_for("SPANWAY_CASES").unwrap_or(1)).collect()
        }
    }
}

/// Whether all cases run, so that together they must have met enough.
fn all_cases() -> bool {
    asked_for("SPANWAY_SEED").is_none()
}

/// The property, for each seed: in random order, `times` times as many decisions
/// as there are questions.
fn hold(limits: Limits, seeds: Vec<u64>, times: usize) -> Tally {
    let host = host_within(limits);
    let mut tally = Tally::default();
    for seed in seeds {
        let case = Case::random(seed, &host);
        let mut rng = Rng::with_seed(seed);
        if let Err(mismatch) = case.compare_all(&case.learner(), &mut rng, times, &mut tally) {
            panic!("{}", case.explain(&mismatch));
        }
    }
    println!("{tally}");
    tally
}

#[test]
fn learned_answers_are_those_of_fresh_runs() {
    let tally = hold(case_limits(), seeds(1, 250), 6);
    println!("{}", tally.coverage);
}

#[test]
fn equal_contexts_hit_what_the_other_taught() {
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
            // What can be learned at all is known in every build.
            let learned = compare(question, 0);
            for build in [1, 2] {
                assert_eq!(compare(question, build), learned, "SPANWAY_SEED={seed}");
            }
        }
    }
    println!("{tally}");
}

#[test]
fn several_threads_share_what_is_learned() {
    let host = host_within(case_limits());
    let mut tally = Tally::default();
    for seed in seeds(3, 30) {
        let case = Case::random(seed, &host);
        let selector = case.learner();
        let compare = |thread: u64| {
            let mut rng = Rng::with_seed(seed + thread);
            let mut tally = Tally::default();
            match case.compare_all(&selector, &mut rng, 2, &mut tally) {
                Ok(()) => tally,
                Err(mismatch) => panic!("{}", case.explain(&mismatch)),
            }
        };
        std::thread::scope(|scope| {
            let threads = [0, 1, 2, 3].map(|thread| scope.spawn(move || compare(thread)));
            for thread in threads {
                tally.add(&thread.join().expect("no mismatch"));
            }
        });
    }
    println!("{tally}");
}

/// Set for the process that a test starts to compare itself with.
const ELSEWHERE: &str = "SPANWAY_ELSEWHERE";

/// One line for each question of some cases: the fuel of a fresh run, and what is
/// answered the second time that it is asked.
fn lines(builds: u64) -> Vec<String> {
    let host = host_within(case_limits());
    let mut lines = Vec::new();
    for seed in seeds(4, 20) {
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
fn another_process_answers_the_same() {
    if asked_for(ELSEWHERE).is_some() {
        // Contexts are built in other orders there, and hashed with other seeds.
        for line in lines(1 << 60) {
            println!("{line}");
        }
        return;
    }
    let elsewhere = Command::new(std::env::current_exe().expect("this test"))
        .args(["another_process_answers_the_same", "--exact", "--nocapture"])
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

/// The least fuel with which a question is answered: what its run took, less the
/// instructions after the last look at the fuel.
fn least_fuel(case: &Case, question: &Question) -> u64 {
    let (mut short, mut enough) = (question.fuel, question.fuel);
    while !case.runs_out(question, short) {
        enough = short;
        short = short.saturating_sub(32);
    }
    while enough - short > 1 {
        let middle = short.midpoint(enough);
        match case.runs_out(question, middle) {
            true => short = middle,
            false => enough = middle,
        }
    }
    enough
}

#[test]
fn at_the_limit_of_fuel() {
    let host = host_within(case_limits());
    let mut tally = Tally::default();
    for seed in seeds(5, 20) {
        let mut rng = Rng::with_seed(seed);
        let free = Case::random(seed, &host);
        let place = rng.usize(..free.questions().len());
        if free.questions()[place].is_cut_short() {
            continue;
        }
        let least = least_fuel(&free, &free.questions()[place]);
        for fuel in [least - 1, least, least + 1] {
            let case = Case::random(
                seed,
                &host_within(Limits {
                    fuel,
                    ..case_limits()
                }),
            );
            assert_eq!(case.questions()[place].is_cut_short(), fuel < least);
            if let Err(mismatch) = case.compare_all(&case.learner(), &mut rng, 3, &mut tally) {
                panic!("with {fuel} of fuel: {}", case.explain(&mismatch));
            }
        }
    }
    println!("at the limit of fuel: {tally}");
}

/// What a bucket hashes costs fuel and is not in its answer.
#[test]
fn fuel_for_what_is_hashed() {
    let mut bucket = State::new(What::Bucket);
    bucket.words.text = "user".to_owned();
    bucket.targets = vec![1];
    let program = Program {
        states: vec![bucket, State::new(What::ChooseTracer)],
    };
    let plan = || CasePlan {
        seed: 0,
        program: program.clone(),
        contexts: [0, 1, 10, 100, 5000]
            .map(|length| ContextPlan::of([("user", Plan::Text("x".repeat(length)))]))
            .into(),
        lists: vec![&["console"]],
    };
    let case = |limits| Case::new(plan(), &mut Rng::with_seed(0), &host_within(limits));
    let mut tally = Tally::default();
    let free = case(case_limits());
    for question in free.questions() {
        let least = least_fuel(&free, question);
        for fuel in [least - 1, least, least + 1] {
            let case = case(Limits {
                fuel,
                ..case_limits()
            });
            let mut rng = Rng::with_seed(fuel);
            if let Err(mismatch) = case.compare_all(&case.learner(), &mut rng, 8, &mut tally) {
                panic!("with {fuel} of fuel: {}", case.explain(&mismatch));
            }
        }
    }
    println!("{tally}");
}

#[test]
fn with_little_room() {
    for (test, answers, bytes) in [
        (6, 8, 1 << 20),
        (7, 64, 1 << 20),
        (8, 100_000, 4096),
        (9, 100_000, 20_000),
    ] {
        let limits = with_room(case_limits(), answers, bytes);
        print!("room for {answers} answers in {bytes} bytes: ");
        hold(limits, seeds(test, 10), 6);
    }
}

/// More values than any node of a tree holds, and more questions than are kept.
#[test]
fn a_flood_of_values() {
    let host = host_within(case_limits());
    let mut tally = Tally::default();
    for seed in seeds(10, 6) {
        let mut rng = Rng::with_seed(seed);
        let mut plan = CasePlan::random(seed);
        let user = |rng: &mut Rng| Plan::Text(format!("user-{}", rng.u16(..600)));
        plan.contexts = (0..900)
            .map(|_| ContextPlan::of([("tenant", user(&mut rng)), ("acme", user(&mut rng))]))
            .collect();
        plan.lists.truncate(1);
        plan.program = Program::random(&mut rng, &["tenant", "acme"]);
        let case = Case::new(plan, &mut rng, &host);
        if let Err(mismatch) = case.compare_all(&case.learner(), &mut rng, 6, &mut tally) {
            panic!("{}", case.explain(&mismatch));
        }
    }
    println!("{tally}");
}

/// A selector that does one thing, after it has asked one question.
fn after_a_question(what: What) -> Vec<u8> {
    let mut get = State::new(What::Get);
    get.targets = vec![1];
    let states = vec![get, State::new(what)];
    Program { states }.component()
}

fn assert_run(decision: &Decision, expected: Fallback) {
    assert_eq!(decision.choice, Choice::Fallback(expected));
    assert!(!is_learned(decision), "{decision:?}");
}

/// Endless recursion ends where the host's frames are in the way, and a clock is
/// not asked twice alike.
#[test]
fn what_depends_on_the_machine_is_never_learned() {
    let limits = Limits {
        fuel: u64::MAX >> 2,
        wall_clock: Duration::from_millis(20),
        ..case_limits()
    };
    let host = host_within(limits);
    for (what, budget) in [
        (What::Recurse, Budget::Stack),
        (What::Loop, Budget::WallClock),
    ] {
        let selector = load(&host, "endless", &after_a_question(what));
        for _ in 0..4 {
            let decision = decide(&selector, &RuntimeContext::empty());
            assert_run(&decision, Fallback::OutOfBudget(budget));
        }
    }
}

#[test]
fn a_host_that_was_full_is_never_learned() {
    let limits = Limits {
        fuel: u64::MAX >> 2,
        wall_clock: Duration::from_millis(500),
        admission_wait: Duration::ZERO,
        sandboxes: 1,
        ..case_limits()
    };
    let host = host_within(limits);
    let endless = load(&host, "endless", &after_a_question(What::Loop));
    let selector = load(&host, "abstains", &after_a_question(What::Abstain));
    let context = RuntimeContext::empty();
    let mut overloaded = 0;
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| decide(&endless, &context));
        while !busy.is_finished() {
            // Until the other has the only sandbox, and for the moment after it,
            // this one runs: then what it learns must not be asked again.
            let decision = decide(&learner(&selector), &context);
            if decision.choice != Choice::Abstain {
                assert_run(&decision, Fallback::Overloaded);
                overloaded += 1;
            }
        }
    });
    assert!(overloaded > 0);
    assert_eq!(decide(&selector, &context).choice, Choice::Abstain);
}
