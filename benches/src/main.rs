//! Compares Spanmux with alternative engines: one command, one run, ratios and plots. The output is
//! Markdown.

mod allocations;
mod args;
mod clock;
mod engines;
mod groups;
mod machine;
mod measure;
mod plots;
mod questions;
mod report;
mod stream;

use anyhow::Result;
use clap::Parser as _;

use args::{Args, Group};
use groups::Bench;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> Result<()> {
    let args = Args::parse();
    if let Some(name) = &args.spin {
        return groups::spin(name);
    }
    println!("# Spanmux's benchmark\n");
    machine::print(&args);
    let mut bench = Bench::new(&args)?;
    for group in Group::ALL {
        if args.wants(group) {
            bench.run(group)?;
        }
    }
    bench.close();
    machine::print_load("after the run");
    Ok(())
}
