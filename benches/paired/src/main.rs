//! This tree beside an earlier commit, and beside the plain means that it replaces, in one program.
//! Both sides do the same work in turns, in an order that alternates, and the median of the ratios of
//! the rounds is printed.

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

/// Times two rows in turns and prints a line.
fn compare(name: &str, mut one: Row, mut other: Row, rounds: usize) {
    let times = one.times().max(other.times());
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
        "| {name} | {:.1} ns | {:.1} ns | {:.3} | {:.3} to {:.3} |",
        median(figures.0),
        median(figures.1),
        figures.2[rounds / 2],
        figures.2[rounds / 4],
        figures.2[rounds * 3 / 4],
    );
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let commit = arguments.next().context("the earlier commit is missing")?;
    let mut rounds = 101_usize;
    let mut only = String::new();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                rounds = arguments
                    .next()
                    .context("--rounds needs a number")?
                    .parse()?
            }
            "--only" => only = arguments.next().context("--only needs a part of a name")?,
            other => anyhow::bail!("unknown argument {other}"),
        }
    }
    let receiver = receiver::start()?;
    let before = before::rows(&receiver)?;
    let now = now::rows(&receiver)?;
    println!("| row | {commit} | now | ratio | middle half of the ratios |");
    println!("|---|---:|---:|---:|---|");
    for (before, now) in before.into_iter().zip(now) {
        anyhow::ensure!(before.name == now.name, "the rows differ");
        if now.name.contains(&only) {
            compare(before.name, before, now, rounds);
        }
    }
    println!("\n| row | yardstick | Spanmux | ratio | middle half of the ratios |");
    println!("|---|---:|---:|---:|---|");
    for (yardstick, ours) in yardsticks::rows()? {
        let name = format!("{}: {}", ours.name, yardstick.name);
        if name.contains(&only) {
            compare(&name, yardstick, ours, rounds);
        }
    }
    Ok(())
}
