//! Runs the fuzz targets over the committed seeds and regressions, and over some thousand variants
//! of them. The inputs are the same in every run.

use std::fs;

use spanmux_tests::folder_of;
use spanmux_tests::fuzz::{TARGETS, Target};

/// Number of variants of each seed.
const NEAR: usize = 40;

fn inputs(folder: &str, target: &str) -> Vec<Vec<u8>> {
    let folder = folder_of("../fuzz").join(folder).join(target);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files
        .into_iter()
        .map(|file| fs::read(file).unwrap())
        .collect()
}

/// Returns a variant of the seed with some bytes changed or removed.
fn near(seed: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut input = seed.to_vec();
    for _ in 0..random.usize(1..4) {
        if let Some(place) = random.choice(0..input.len()) {
            input[place] = random.u8(..);
        }
    }
    input.truncate(random.usize(input.len() / 2..=input.len()));
    input
}

#[test]
fn committed_inputs_and_their_variants_pass() {
    for (name, target) in TARGETS {
        let seeds = inputs("seeds", name);
        assert!(seeds.len() >= 3, "{name}: {} seeds", seeds.len());
        let found = inputs("regressions", name);
        let mut random = fastrand::Rng::with_seed(1);
        for input in seeds.iter().chain(&found) {
            run(target, input);
            (0..NEAR).for_each(|_| run(target, &near(input, &mut random)));
        }
        println!(
            "{name}: {} seeds, {} that were found",
            seeds.len(),
            found.len()
        );
    }
}

/// Runs one input. A failure prints the input.
fn run(target: Target, input: &[u8]) {
    let outcome = std::panic::catch_unwind(|| target(input));
    assert!(outcome.is_ok(), "{:?}", String::from_utf8_lossy(input));
}
