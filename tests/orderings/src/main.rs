//! What Spanmux's threads share, in every order that a few of them can run in: the learned
//! tree while it is read and added to, the runs that others wait for, the registry's swap.
//!
//! Each model is a small program of two or three threads over the host's own modules, which
//! loom runs again and again until no other order of its steps, and no older value that a
//! reader may still see, is left within the bound. `tests/orderings/run` runs them all, and
//! again over sources with a mistake, which they must notice.
//!
//! The host's modules stand beside this file as links. `tests/models` has bigger scenes of
//! the same modules, in orders at random.

#![allow(
    dead_code,
    unused_imports,
    reason = "the modules are more than is modelled"
)]
#![allow(
    clippy::arc_with_non_send_sync,
    reason = "the checker runs all threads on one"
)]

mod learning;
mod swapping;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::model::Builder;

/// What may happen to two threads in between: so many times one is stopped where it need
/// not be. Most mistakes need one.
const PREEMPTIONS: usize = 3;

/// A small program, run in every order.
type Model = fn();

const MODELS: [(&str, Model); 8] = [
    ("first", learning::the_first_way_is_seen_whole_or_not_at_all),
    (
        "known",
        learning::what_is_known_stays_known_while_another_way_is_added,
    ),
    (
        "index",
        learning::what_is_known_stays_known_while_the_index_is_made,
    ),
    (
        "overflow",
        learning::what_is_beyond_the_trunk_is_decided_right,
    ),
    (
        "flights",
        learning::equal_misses_wait_for_each_other_and_nobody_for_ever,
    ),
    ("trees", learning::equal_names_have_one_tree),
    ("swap", swapping::a_reader_sees_one_state_whole),
    ("changes", swapping::no_change_is_lost),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let mut passed = 0;
    for (name, model) in MODELS.into_iter().filter(|(name, _)| is_wanted(name)) {
        let orders = check(model);
        println!("ran: {name}, {orders} orders");
        passed += 1;
    }
    println!("{passed} passed, 0 failed, 0 skipped");
    match passed {
        0 => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// In how many orders it ran. One that breaks panics here.
fn check(model: Model) -> usize {
    let orders = Arc::new(AtomicUsize::new(0));
    let mut builder = Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.max_branches = 100_000;
    let counted = orders.clone();
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    orders.load(Ordering::Relaxed)
}
