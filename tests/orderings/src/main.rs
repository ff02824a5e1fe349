//! The state that threads of Spanmux share, in every order of a few threads: the decision tree
//! during reads and inserts, single flight, and the swap of the registry's snapshot.
//!
//! Each model is a small program of two or three threads that uses `spanmux-core` built with `--cfg
//! loom`. loom runs it until every order of its steps, and every stale value that a reader may see,
//! is covered within the bound. `tests/orderings/run` runs all models, and runs them again on
//! sources with a deliberate mistake, which they must notice.
//!
//! `tests/models` has larger scenes of the same code in random orders.

#![allow(
    dead_code,
    unused_imports,
    reason = "the modules are more than is modelled"
)]
#![allow(
    clippy::arc_with_non_send_sync,
    reason = "the checker runs all threads on one"
)]

mod caching;
mod swapping;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::model::Builder;

/// Maximum number of preemptions. Most mistakes need one.
const PREEMPTIONS: usize = 3;

/// A small program that runs in every order.
type Model = fn();

const MODELS: [(&str, Model); 8] = [
    ("first", caching::the_first_way_is_seen_whole_or_not_at_all),
    (
        "known",
        caching::what_is_known_stays_known_while_another_way_is_added,
    ),
    (
        "index",
        caching::what_is_known_stays_known_while_the_index_is_made,
    ),
    (
        "overflow",
        caching::what_is_beyond_the_trunk_is_decided_right,
    ),
    (
        "flights",
        caching::equal_misses_wait_for_each_other_and_nobody_for_ever,
    ),
    ("trees", caching::equal_names_have_one_tree),
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

/// Runs a model and returns the number of orders. A failing model panics.
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
