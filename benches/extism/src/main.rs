//! Times an Extism plugin for the benchmark, which controls it through standard input: one command
//! per line, one response per line.

#[path = "../../src/allocations.rs"]
#[allow(
    dead_code,
    reason = "shared with the benchmark, which needs more of it"
)]
mod allocations;
#[path = "../../src/clock.rs"]
mod clock;

use std::collections::HashMap;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use extism::{Manifest, Plugin, Wasm};
use serde::Deserialize;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

#[derive(Deserialize)]
struct Order {
    order: String,
    entries: HashMap<String, String>,
    times: u32,
}

/// Decides as an application would: the context is serialized to JSON each time, because the plugin
/// takes bytes.
fn decide(plugin: &mut Plugin, function: &str, entries: &Arc<HashMap<String, String>>) -> String {
    let input = serde_json::to_vec(&**entries).unwrap_or_default();
    let name: Result<&str, _> = plugin.call(function, input);
    name.map(str::to_owned).unwrap_or_default()
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(wasm), Some(function)) = (arguments.next(), arguments.next()) else {
        bail!("usage: spanmux-benches-extism PLUGIN FUNCTION");
    };
    let manifest = Manifest::new([Wasm::data(std::fs::read(wasm)?)]);
    let mut plugin = Plugin::new(&manifest, [], false)?;
    let clock = clock::Ticks::calibrate();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let Order {
            order,
            entries,
            times,
        } = serde_json::from_str(&line?).context("an order")?;
        let entries = Arc::new(entries);
        let mut once = || decide(black_box(&mut plugin), &function, black_box(&entries));
        let answer: Value = match order.as_str() {
            "decide" => once().into(),
            "time" => {
                let before = clock::thread_nanos();
                for _ in 0..times {
                    black_box(once());
                }
                (clock::thread_nanos() - before).into()
            }
            "samples" => (0..times)
                .map(|_| {
                    let before = clock::ticks();
                    black_box(once());
                    clock.nanos(before, clock::ticks())
                })
                .collect(),
            "allocations" => {
                let counted = allocations::per_call(times, || drop(once()));
                json!([counted.count, counted.bytes])
            }
            other => bail!("no such order: {other}"),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
