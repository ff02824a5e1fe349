//! Many distinct contexts: the cost of a decision, the hit rate, and the effect of a flood.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use spanmux::{ComponentSelector, RuntimeContext, Selector, TracerRegistry, selector_fn};

use super::Bench;
use crate::allocations::{self, resident};
use crate::engines::spanmux_side::{self, CACHED_BYTES, is_hit, registry};
use crate::measure::{self, Subject};
use crate::plots::Line;
use crate::questions::TRACERS;
use crate::report::{Bound, Table, bytes, nanos, number};
use crate::stream::{Zipf, user};

/// Reads three keys with few values, and then the user.
pub const USERS: &[u8] = include_bytes!("../../selectors/users.wasm");

/// The maximum number of timed contexts.
const TIMED: usize = 20_000;

/// The context of a user.
pub fn context_of(user: &str) -> Result<RuntimeContext> {
    Ok(RuntimeContext::builder()
        .set("environment", "production")
        .set("region", "eu-west-1")
        .set("tier", "pro")
        .set("user.id", user)
        .build())
}

/// A registry with the selector of users and this cache limit.
fn learns(bytes: usize) -> Result<(Arc<TracerRegistry<()>>, ComponentSelector)> {
    let selector = spanmux_side::host_with_cache_of(bytes)?.load("users", USERS)?;
    Ok((
        registry(TRACERS, [Arc::new(selector.clone()) as Arc<_>])?,
        selector,
    ))
}

/// The same in native code, which measures the cost of reading as many contexts.
fn native_users() -> Arc<dyn Selector> {
    Arc::new(selector_fn("users", |context, tracers| {
        if context.text("environment") == Some("development")
            || context.text("region") == Some("nowhere")
            || context.text("tier") == Some("internal")
        {
            return tracers.choose("console");
        }
        match context
            .text("user.id")
            .unwrap_or_default()
            .as_bytes()
            .last()
        {
            Some(b'0'..=b'7') => tracers.choose("langfuse"),
            _ => tracers.choose("datadog"),
        }
    }))
}

/// Returns whether it was a hit.
fn select(registry: &TracerRegistry<()>, context: &RuntimeContext) -> bool {
    let selection = registry.select(&context.view());
    std::hint::black_box((selection.tracer_name(), selection.selector_name()));
    is_hit(&selection)
}

fn share(hits: usize, of: usize) -> f64 {
    hits as f64 * 100.0 / of.max(1) as f64
}

pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    growth(bench)?;
    hit_rate(bench)?;
    flood(bench)
}

/// Each of `n` users is seen twice and then requested again in random order.
fn growth(bench: &Bench<'_>) -> Result<()> {
    println!(
        "A selector reads three narrow keys and the user. All users are equally frequent, and \
         each was seen twice before.\n"
    );
    let sizes = bench.args.size(
        &[1, 10, 100, 1_000, 10_000, 100_000, 1_000_000][..],
        &[1, 100, 10_000, 100_000],
        &[1, 20],
    );
    let mut table = Table::new([
        "users",
        "within",
        "a decision",
        "a native selector's",
        "hits, %",
        "self-reported",
    ]);
    let mut lines = Vec::new();
    for (name, limit) in [("16 MiB", CACHED_BYTES), ("1 GiB", 1 << 30)] {
        let mut points = Vec::new();
        for users in sizes {
            let (registry, selector) = learns(limit)?;
            for place in (0..*users).chain(0..*users) {
                select(&registry, &context_of(&user(place))?);
            }
            // In the order of arrival, not of insertion.
            let step = (users / TIMED).max(1);
            let timed: Result<Vec<_>> = (0..*users)
                .step_by(step)
                .map(|place| context_of(&user(place)))
                .collect();
            let timed = timed?;
            let hits = timed
                .iter()
                .filter(|context| select(&registry, context))
                .count();
            let walk = |registry: Arc<TracerRegistry<()>>| {
                let (timed, mut next) = (&timed, 0);
                Subject::new(move || {
                    next = (next + 7_919) % timed.len();
                    select(&registry, &timed[next])
                })
            };
            let native = spanmux_side::registry(TRACERS, [native_users()])?;
            let mut subjects = [walk(registry.clone()), walk(native)];
            let rounds = measure::rounds(&mut subjects, bench.effort.part(10));
            let (figure, native) = (measure::median(&rounds[0]), measure::median(&rounds[1]));
            points.push((*users as f64, figure));
            let (held, _) = spanmux_side::cached(&selector, &registry.names());
            table.row([
                number(*users as f64),
                name.to_owned(),
                nanos(figure),
                nanos(native),
                number(share(hits, timed.len())),
                bytes(held as f64),
            ]);
        }
        lines.push(Line::new(format!("may learn {name}"), points));
    }
    table.print();
    let title = "A decision, by distinct users";
    bench
        .plots
        .lines("contexts.svg", title, ("distinct users", "ns"), &lines)
}

/// The same stream through Spanmux and through an ideal cache of the same size.
fn hit_rate(bench: &mut Bench<'_>) -> Result<()> {
    let users = 1_000_000;
    let length = bench.args.size(20_000_000, 3_000_000, 2_000);
    println!(
        "\n### Hit rate: Zipf(1.0) over {} users, 16 MiB\n",
        number(users as f64)
    );
    println!(
        "{} decisions. The ideal cache contains the most frequent users from the first \
         decision on: as many as fit at the bytes that Spanmux needs for each, and second, \
         as many as fit at the bytes of the key plus 16.\n",
        number(length as f64)
    );
    let (registry, selector) = learns(CACHED_BYTES)?;
    let mut zipf = Zipf::new(users, 7);
    let parts = 20;
    let mut points = Vec::new();
    let (mut all, mut last) = (0, 0);
    for part in 1..=parts {
        let mut hits = 0;
        for _ in 0..length / parts {
            hits += usize::from(select(&registry, &context_of(&user(zipf.draw()))?));
        }
        points.push((
            (part * (length / parts)) as f64,
            share(hits, length / parts),
        ));
        all += hits;
        last = hits;
    }
    let of_all = share(all, length);
    let of_last = share(last, length / parts);
    let (held, answers) = spanmux_side::cached(&selector, &registry.names());
    let entry = held as f64 / answers.max(1) as f64;
    let key = user(0).len() as f64 + 16.0;
    let ideal = |entry: f64| zipf.share_of((CACHED_BYTES as f64 / entry) as usize) * 100.0;

    let mut table = Table::new([
        "",
        "hits, %",
        "Spanmux in % of it",
        "in the last twentieth, %",
    ]);
    table.row([
        "Spanmux".to_owned(),
        number(of_all),
        String::new(),
        number(of_last),
    ]);
    for (name, each) in [
        ("ideal, bytes as measured", entry),
        ("ideal, key and 16 bytes", key),
    ] {
        let best = ideal(each);
        let name = format!("{name} ({each:.0} B)");
        let reached = number(of_all / best * 100.0);
        table.row([name, number(best), reached, number(of_last / best * 100.0)]);
    }
    table.print();
    let what = "hit rate, Zipf over 1,000,000 users, 16 MiB: % of the ideal";
    let note = format!(
        "the last twentieth: {}",
        number(of_last / ideal(entry) * 100.0)
    );
    bench.report.goal_with(
        what,
        Bound::AtLeast(95.0),
        of_all / ideal(entry) * 100.0,
        note,
    );
    let lines = [
        Line::new("Spanmux", points.clone()),
        Line::new("ideal", points.iter().map(|(at, _)| (*at, ideal(entry)))),
    ];
    let title = "Hits along a stream, Zipf(1.0) over a million users, 16 MiB";
    bench
        .plots
        .lines("hit-rate.svg", title, ("decisions", "% hits"), &lines)
}

/// Values that never repeat, and a few contexts that do.
fn flood(bench: &mut Bench<'_>) -> Result<()> {
    let values = bench.args.size(10_000_000, 1_000_000, 2_000);
    println!(
        "\n### A flood of {} distinct users\n",
        number(values as f64)
    );
    allocations::settle();
    let calm = resident();
    let (registry, selector) = learns(CACHED_BYTES)?;
    let hot: Result<Vec<_>> = (0..100)
        .map(|place| context_of(&format!("hot-{place}")))
        .collect();
    let hot = hot?;
    for context in hot.iter().cycle().take(1_000) {
        select(&registry, context);
    }
    let time = || {
        let mut next = 0;
        let mut subject = [Subject::new(|| {
            next = (next + 1) % hot.len();
            select(&registry, &hot[next])
        })];
        measure::median(&measure::rounds(&mut subject, bench.effort.part(10))[0])
    };
    let before = time();
    let began = Instant::now();
    let (mut most, mut asked, mut hits) = (calm, 0, 0);
    let mut points = Vec::new();
    for value in 0..values {
        select(&registry, &context_of(&format!("flood-{value:016x}"))?);
        if value % 10 == 0 {
            asked += 1;
            hits += usize::from(select(&registry, &hot[(value / 10) % hot.len()]));
        }
        if value % (values / 100).max(1) == 0 {
            most = most.max(resident());
            points.push((value as f64 + 1.0, most.saturating_sub(calm) as f64));
        }
    }
    let took = began.elapsed().as_secs_f64();
    let after = time();
    let growth = most.saturating_sub(calm) as f64;
    let mut table = Table::new(["", ""]);
    table.row([
        "maximum growth of resident memory".to_owned(),
        bytes(growth),
    ]);
    let (held, _) = spanmux_side::cached(&selector, &registry.names());
    table.row(["cached, self-reported".to_owned(), bytes(held as f64)]);
    table.row([
        "decisions per second".to_owned(),
        number(values as f64 * 1.1 / took),
    ]);
    table.row([
        "hits on 100 hot contexts, %".to_owned(),
        number(share(hits, asked)),
    ]);
    table.row(["a hot decision before".to_owned(), nanos(before)]);
    table.row(["a hot decision after".to_owned(), nanos(after)]);
    table.print();
    let cap = CACHED_BYTES as f64 / 1e6;
    bench.report.goal(
        format!("flood of {} users: MB of growth", number(values as f64)),
        Bound::AtMost(cap),
        growth / 1e6,
    );
    let what = "flood: % hits on hot contexts meanwhile";
    bench
        .report
        .goal(what, Bound::AtLeast(99.0), share(hits, asked));
    let what = "flood: a hot hit after it, times before";
    bench.report.goal(what, Bound::AtMost(1.1), after / before);
    let line = Line::new("resident growth", points);
    let cap = Line::new("16 MiB", [(1.0, cap * 1e6), (values as f64, cap * 1e6)]);
    let title = "Resident growth under a flood of distinct users";
    bench.plots.lines(
        "flood.svg",
        title,
        ("distinct users", "bytes"),
        &[line, cap],
    )
}
