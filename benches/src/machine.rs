//! Describes the machine of the measurement.

use std::fs::read_to_string;

use crate::args::Args;

pub fn print(args: &Args) {
    let processors = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // The release without the suffix of a distributor or an operator.
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    println!("- processor: {model}, {cores} cores");
    println!("- system: {} {kernel}", std::env::consts::OS);
    println!("- compiler: {}", env!("BENCH_RUSTC"));
    println!(
        "- run: {}",
        args.size("full", "quick", "smoke: these figures mean nothing")
    );
    print_load("before the run");
}

/// Prints the load of the machine.
pub fn print_load(when: &str) {
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let minute = load.split(' ').next().unwrap_or("unknown");
    println!("- load {when}: {minute}");
}
