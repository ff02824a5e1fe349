//! Each scene in thousands of orders: at random, and by the method that finds faults that
//! need few switches at the right places.

use spanmux_models::models;

/// Orders of each kind.
const ORDERS: usize = 2_000;

fn check(scene: fn()) {
    shuttle::check_random(scene, ORDERS);
    shuttle::check_pct(scene, ORDERS, 3);
}

#[test]
fn threads_that_learn_together_are_never_wrong() {
    check(models::threads_that_learn_together_are_never_wrong);
}

#[test]
fn with_little_room_threads_are_never_wrong() {
    check(models::with_little_room_threads_are_never_wrong);
}

#[test]
fn equal_misses_share_one_run() {
    check(models::equal_misses_share_one_run);
}

#[test]
fn each_list_of_tracers_has_its_tree() {
    check(models::each_list_of_tracers_has_its_tree);
}

#[test]
fn one_probe_at_a_time_and_it_comes_back() {
    check(models::one_probe_at_a_time_and_it_comes_back);
}
