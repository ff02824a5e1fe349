//! Each scene in thousands of orders: at random, and with an algorithm that finds faults that need
//! few switches at the right points.

use spanmux_models::models;

/// Orders per algorithm.
const ORDERS: usize = 2_000;

fn check(scene: fn()) {
    shuttle::check_random(scene, ORDERS);
    shuttle::check_pct(scene, ORDERS, 3);
}

#[test]
fn concurrent_threads_get_correct_decisions() {
    check(models::concurrent_threads_get_correct_decisions);
}

#[test]
fn small_cache_gives_correct_decisions() {
    check(models::small_cache_gives_correct_decisions);
}

#[test]
fn equal_misses_share_one_run() {
    check(models::equal_misses_share_one_run);
}

#[test]
fn every_tracer_list_has_its_own_tree() {
    check(models::every_tracer_list_has_its_own_tree);
}

#[test]
fn one_control_run_at_a_time_and_no_suspension() {
    check(models::one_control_run_at_a_time_and_no_suspension);
}

#[test]
fn one_probe_runs_at_a_time_and_recovers() {
    check(models::one_probe_runs_at_a_time_and_recovers);
}
