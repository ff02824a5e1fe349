//! Timing. Nothing here asserts a time.
//!
//! Compared subjects are timed in turns: each round times every subject once, in an order that
//! rotates, so that disturbances of the machine affect all of them equally. Ratios are computed
//! within each round, and the median of the rounds is reported.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::clock::thread_nanos;
use crate::engines::Row;
use crate::questions::Case;

/// The time budget of the measurements.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds of one comparison.
    pub rounds: usize,
    /// Nanoseconds of one subject in one round.
    pub turn: f64,
    /// Single decisions for p50 and p99.
    pub samples: u32,
}

impl Effort {
    pub const FULL: Effort = Effort {
        rounds: 101,
        turn: 2e6,
        samples: 20_000,
    };
    pub const QUICK: Effort = Effort {
        rounds: 21,
        turn: 1e6,
        samples: 4_000,
    };
    pub const SMOKE: Effort = Effort {
        rounds: 3,
        turn: 1e5,
        samples: 100,
    };

    /// Reduces the rounds if a comparison is one of many.
    pub fn part(self, of: usize) -> Effort {
        Effort {
            rounds: (self.rounds / of).max(3) | 1,
            ..self
        }
    }
}

/// A timed subject: runs its work the given number of times and returns the processor time of this
/// thread in nanoseconds.
pub struct Subject<'a>(Box<dyn FnMut(u32) -> u64 + 'a>);

impl<'a> Subject<'a> {
    /// Creates a subject whose loop is compiled together with the work.
    pub fn new<T>(mut work: impl FnMut() -> T + 'a) -> Self {
        let run = move |times| {
            let before = thread_nanos();
            for _ in 0..times {
                black_box(work());
            }
            thread_nanos() - before
        };
        Self(Box::new(run))
    }

    /// Creates a subject from a row of the tables for one case.
    pub fn of_row(row: &Row, case: &'a Case) -> Result<Self> {
        let mut engine = row.make()?;
        engine.prepare(case);
        Ok(Self(Box::new(move |times| engine.time(case, times))))
    }
}

/// Nanoseconds per unit of work: one list for each subject, one figure for each round.
pub fn rounds(subjects: &mut [Subject<'_>], effort: Effort) -> Vec<Vec<f64>> {
    let times: Vec<u32> = subjects
        .iter_mut()
        .map(|subject| times_for(&mut subject.0, effort.turn))
        .collect();
    let mut figures = vec![Vec::with_capacity(effort.rounds); subjects.len()];
    for round in 0..effort.rounds {
        for turn in 0..subjects.len() {
            let which = (round + turn) % subjects.len();
            let nanos = (subjects[which].0)(times[which]);
            figures[which].push(nanos as f64 / f64::from(times[which]));
        }
    }
    figures
}

/// Returns how often the work must run to fill a turn. Also serves as a warm-up.
fn times_for(run: &mut dyn FnMut(u32) -> u64, turn: f64) -> u32 {
    let mut times = 1_u32;
    loop {
        let nanos = run(times) as f64;
        if nanos >= turn / 4.0 || times >= 1 << 26 {
            let each = (nanos / f64::from(times)).max(0.1);
            return ((turn / each) as u32).max(1);
        }
        times *= 2;
    }
}

/// The median.
pub fn median(figures: &[f64]) -> f64 {
    quantile(figures, 0.5)
}

/// The figure below which this share of the figures is.
pub fn quantile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1) as f64;
    sorted
        .get((last * share).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// The median over the rounds of the ratio of `a` to `b`.
pub fn ratio(a: &[f64], b: &[f64]) -> f64 {
    let ratios: Vec<f64> = a.iter().zip(b).map(|(a, b)| a / b).collect();
    median(&ratios)
}

/// The throughput of two threads divided by that of one, in wall-clock time. The median of turns
/// with one thread and then two.
pub fn two_threads(row: &Row, case: &Case, each: f64, effort: Effort) -> Result<f64> {
    let times = (effort.turn * 5.0 / each).max(1.0) as u32;
    let rounds = (effort.rounds / 4).max(3) | 1;
    let barrier = Barrier::new(2);
    let scaling: Result<Vec<f64>> = std::thread::scope(|scope| {
        let other = scope.spawn(|| -> Result<Vec<Duration>> {
            let engine = row.make();
            barrier.wait();
            let mut engine = engine?;
            engine.prepare(case);
            engine.time(case, times);
            Ok((0..rounds)
                .map(|_| {
                    barrier.wait();
                    let took = wall(|| engine.time(case, times));
                    barrier.wait();
                    took
                })
                .collect())
        });
        let engine = row.make();
        barrier.wait();
        let mut engine = engine?;
        engine.prepare(case);
        engine.time(case, times);
        let mut own = Vec::new();
        for _ in 0..rounds {
            let alone = wall(|| engine.time(case, times));
            barrier.wait();
            let together = wall(|| engine.time(case, times));
            barrier.wait();
            own.push((alone, together));
        }
        let others = other
            .join()
            .map_err(|_| anyhow::anyhow!("the other thread panicked"))??;
        let scaling = own.iter().zip(others).map(|((alone, together), other)| {
            let alone = alone.as_secs_f64();
            alone / together.as_secs_f64() + alone / other.as_secs_f64()
        });
        Ok(scaling.collect())
    });
    Ok(median(&scaling?))
}

fn wall<T>(work: impl FnOnce() -> T) -> Duration {
    let before = Instant::now();
    black_box(work());
    before.elapsed()
}
