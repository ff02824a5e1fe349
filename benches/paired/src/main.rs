//! This tree beside an earlier commit, and beside the plain means that it replaces, in one program.
//! Both sides do the same work in turns, in an order that alternates, and the median of the ratios of
//! the rounds is printed.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};

mod receiver;
mod yardsticks;

/// The rows, compiled against the earlier commit.
mod before {
    use ::before as spanmux;
    include!("rows.rs");
}

/// The rows, compiled against this tree.
mod now {
    use ::now as spanmux;
    include!("rows.rs");
}

/// The clock of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// Processor time of the calling thread.
    Thread,
    /// Processor time of all threads of the process.
    Process,
    /// Time that passes.
    Wall,
}

/// A piece of work that one side does. One unit is what the row's name says.
struct Row {
    name: &'static str,
    clock: Clock,
    units: u32,
    work: Box<dyn FnMut()>,
}

impl Row {
    fn new(name: &'static str, clock: Clock, units: u32, work: impl FnMut() + 'static) -> Self {
        Self {
            name,
            clock,
            units,
            work: Box::new(work),
        }
    }

    /// Does the work this often, and returns the nanoseconds of one unit.
    fn time(&mut self, times: u32) -> f64 {
        let before = now_nanos(self.clock);
        for _ in 0..times {
            (self.work)();
        }
        (now_nanos(self.clock) - before) / (f64::from(times) * f64::from(self.units))
    }

    /// Returns how often the work must be done to take about 4 ms.
    fn times(&mut self) -> u32 {
        let mut times = 1;
        while times < 1 << 24 {
            let began = Instant::now();
            self.time(times);
            if began.elapsed().as_micros() >= 4_000 {
                break;
            }
            times *= 2;
        }
        times
    }
}

fn now_nanos(clock: Clock) -> f64 {
    let id = match clock {
        Clock::Thread => libc::CLOCK_THREAD_CPUTIME_ID,
        Clock::Process => libc::CLOCK_PROCESS_CPUTIME_ID,
        Clock::Wall => libc::CLOCK_MONOTONIC,
    };
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid `timespec` that lives for the call.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The nanoseconds of a slow row, which is timed in a few rounds only.
const SLOW: f64 = 1e9;

/// The ratios that we want to reach: beside the earlier commit, and beside the yardsticks.
const GOALS: [(&str, f64); 15] = [
    ("a chain of the five examples, hit", 0.45),
    ("a chain of 16, the last asks for the user, hit", 1.05),
    ("64 different misses on two threads", 0.6),
    ("load of a large component, cold", 0.55),
    ("load of a large component, warm", 0.65),
    ("build 20 keys: a `HashMap<String, String>`", 0.3),
    ("a base of 20 keys plus 3: the 3 keys alone", 1.2),
    ("20 keys from JSON: `serde_json::Value`", 0.5),
    ("an absent dotted key: a present plain key", 1.2),
    ("hit, one key: a closure over a `HashMap`", 1.4),
    ("a chain of 16 with one shared key: a chain of one", 1.2),
    ("child span: the SDK", 1.2),
    ("child span, two threads: the SDK", 1.0),
    ("root span: the SDK, same attributes", 1.25),
    (
        "a request: context, root, ten children: the SDK alone, same attributes",
        1.15,
    ),
];

/// Describes the goal of a row and whether its ratio reaches it.
fn goal(name: &str, ratio: f64) -> String {
    match GOALS.iter().find(|(row, _)| *row == name) {
        Some((_, goal)) if ratio <= *goal => format!("≤ {goal}: yes"),
        Some((_, goal)) => format!("≤ {goal}: **no**"),
        None => String::new(),
    }
}

/// Times two rows in turns and prints a line.
fn compare(name: &str, mut one: Row, mut other: Row, rounds: usize) {
    let times = one.times().max(other.times());
    // A row that takes seconds would take an hour otherwise.
    let rounds = if one.time(times) > SLOW { 3 } else { rounds };
    let mut figures = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (a, b) = if round % 2 == 0 {
            let a = one.time(times);
            (a, other.time(times))
        } else {
            let b = other.time(times);
            (one.time(times), b)
        };
        figures.0.push(a);
        figures.1.push(b);
        figures.2.push(b / a);
    }
    figures.2.sort_unstable_by(f64::total_cmp);
    println!(
        "| {name} | {:.1} ns | {:.1} ns | {:.3} | {:.3} to {:.3} | {} |",
        median(figures.0),
        median(figures.1),
        figures.2[rounds / 2],
        figures.2[rounds / 4],
        figures.2[rounds * 3 / 4],
        goal(name, figures.2[rounds / 2]),
    );
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let commit = arguments.next().context("the earlier commit is missing")?;
    let mut rounds = 101_usize;
    let mut only = String::new();
    let mut component = None;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                rounds = arguments
                    .next()
                    .context("--rounds needs a number")?
                    .parse()?
            }
            "--component" => {
                let path = arguments.next().context("--component needs a path")?;
                component = Some(PathBuf::from(path));
            }
            "--only" => only = arguments.next().context("--only needs a part of a name")?,
            other => anyhow::bail!("unknown argument {other}"),
        }
    }
    let receiver = receiver::start()?;
    let before = before::rows(&receiver, component.as_deref())?;
    let now = now::rows(&receiver, component.as_deref())?;
    println!("| row | {commit} | now | ratio | middle half of the ratios | goal |");
    println!("|---|---:|---:|---:|---|---|");
    for (before, now) in before.into_iter().zip(now) {
        anyhow::ensure!(before.name == now.name, "the rows differ");
        if now.name.contains(&only) {
            compare(before.name, before, now, rounds);
        }
    }
    println!("\n| row | yardstick | Spanmux | ratio | middle half of the ratios | goal |");
    println!("|---|---:|---:|---:|---|---|");
    for (yardstick, ours) in yardsticks::rows()? {
        let name = format!("{}: {}", ours.name, yardstick.name);
        if name.contains(&only) {
            compare(&name, yardstick, ours, rounds);
        }
    }
    Ok(())
}
