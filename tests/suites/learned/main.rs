//! A learned answer is what a fresh run would answer, for random selectors.

mod case;
mod contexts;
mod features;
mod program;
mod switch;

use case::{Case, Tally, case_limits};
use fastrand::Rng;
use spanway_tests::host_within;
use std::time::Instant;

#[test]
fn probe() {
    let host = host_within(case_limits());
    let mut tally = Tally::default();
    let began = Instant::now();
    let (mut making, mut asking) = (0.0, 0.0);
    for seed in 0..60 {
        let t = Instant::now();
        let (case, selector) = Case::random(seed, &host);
        making += t.elapsed().as_secs_f64();
        let t = Instant::now();
        tally.cases += 1;
        let mut rng = Rng::with_seed(seed);
        if let Err(mismatch) = case.compare(&selector, &mut rng, 2, &mut tally) {
            panic!("{}", case.explain(&mismatch, || selector.clone()));
        }
        asking += t.elapsed().as_secs_f64();
    }
    println!(
        "{tally}{} in {:?} making {making} asking {asking}",
        tally.coverage,
        began.elapsed()
    );
}
