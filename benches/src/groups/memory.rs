//! Resident memory of a loaded selector and of a cached node.

use std::sync::Arc;

use anyhow::Result;
use spanmux::RuntimeContext;

use super::Bench;
use super::contexts::{USERS, context_of};
use crate::allocations;
use crate::engines::spanmux_side::{self, CACHED_BYTES, registry};
use crate::questions::{Question, TRACERS};
use crate::report::{Table, bytes};
use crate::stream::user;

pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    let mut table = Table::new(["", "resident", "of that on the heap", "self-reported"]);
    allocations::settle();
    let before = allocations::resident();
    let (heap, host) = allocations::growth(spanmux_side::host);
    let host = host?;
    let resident = allocations::resident() - before;
    table.row([
        "a host".to_owned(),
        bytes(resident as f64),
        bytes(heap as f64),
        String::new(),
    ]);

    let many = bench.args.size(200, 50, 3);
    let load = |number| host.load("one-key", &unlike(Question::OneKey.component(), number));
    load(0)?; // what the first of all needs once
    allocations::settle();
    let before = allocations::resident();
    let (heap, selectors) =
        allocations::growth(|| (1..=many).map(load).collect::<Result<Vec<_>, _>>());
    let selectors = selectors?;
    let each = |total: f64| bytes(total / f64::from(many));
    let resident = allocations::resident().saturating_sub(before) as f64;
    table.row([
        format!("a selector (one of {many}, 5 kB each)"),
        each(resident),
        each(heap as f64),
        String::new(),
    ]);
    drop(selectors);

    let users = bench.args.size(40_000, 20_000, 50);
    let host = spanmux_side::host_with_cache_of(CACHED_BYTES)?;
    let selector = host.load("users", USERS)?;
    let registry = registry(TRACERS, [Arc::new(selector.clone()) as Arc<_>])?;
    allocations::settle();
    let before = allocations::resident();
    let learn = || -> Result<()> {
        for place in 0..users {
            let context: RuntimeContext = context_of(&user(place))?;
            registry.select(&context.view());
        }
        Ok(())
    };
    let (heap, learnt) = allocations::growth(learn);
    learnt?;
    let each = |total: f64| bytes(total / users as f64);
    let resident = allocations::resident().saturating_sub(before) as f64;
    let (itself, _) = spanmux_side::cached(&selector, &registry.names());
    table.row([
        format!("a cached user of 21 bytes (one of {users})"),
        each(resident),
        each(heap as f64),
        each(itself as f64),
    ]);
    table.print();
    Ok(())
}

/// The same component with an additional section, so that it is a different one.
fn unlike(component: &[u8], number: u32) -> Vec<u8> {
    let name = format!("copy-{number:04}");
    let length = name.len() as u8;
    let mut bytes = component.to_vec();
    bytes.extend([0, length + 1, length]);
    bytes.extend(name.bytes());
    bytes
}
