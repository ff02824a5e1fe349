//! The cost of a decision as one dimension grows.

use std::sync::Arc;

use anyhow::{Result, ensure};
use spanmux::{
    Chain, Choice, Mode, RuntimeContext, Selector, SelectorHost, TracerRegistry, selector_fn,
};

use super::Bench;
use crate::clock::thread_nanos;
use crate::engines::spanmux_side::{self, native_selector, registry};
use crate::measure::{self, Subject};
use crate::plots::Line;
use crate::questions::{Question, TRACERS};
use crate::report::{Bound, Table, bytes, nanos, number};

const ABSTAINS: &[u8] = include_bytes!("../../selectors/abstains.wasm");

/// The three kinds of decision.
const SERIES: [&str; 3] = ["native selector", "hit", "miss"];

/// One size of the growing dimension, with a subject for each of [`SERIES`].
struct Step {
    size: f64,
    subjects: [Subject<'static>; 3],
}

pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    let host = spanmux_side::host()?;
    let sizes = bench.args.size(
        &[1, 10, 100, 1_000, 10_000][..],
        &[1, 10, 1_000, 10_000],
        &[1, 10],
    );
    let steps: Result<_> = sizes.iter().map(|size| context_of(&host, *size)).collect();
    let figures = axis(bench, "context", "keys in the context", steps?)?;
    if let Some(ratio) = between(&figures, 1, 10.0, 10_000.0) {
        let what = "hit, context of 10,000 keys: times 10 keys";
        bench.report.goal(what, Bound::AtMost(1.2), ratio);
    }

    let sizes = bench
        .args
        .size(&[1, 3, 10, 100, 1_000][..], &[1, 3, 100, 1_000], &[1, 3]);
    let steps: Result<_> = sizes.iter().map(|size| tracers(&host, *size)).collect();
    let figures = axis(bench, "tracers", "tracers", steps?)?;
    if let Some(ratio) = between(&figures, 1, 3.0, 1_000.0) {
        bench
            .report
            .goal("hit, 1,000 tracers: times 3", Bound::AtMost(1.1), ratio);
    }

    let sizes = bench.args.size(&[1, 2, 4, 8, 16][..], &[1, 4, 16], &[1, 2]);
    // A separate host for each size: the sandboxes of one host serve only a limited number of
    // components.
    let steps: Result<_> = sizes
        .iter()
        .map(|size| chain(&spanmux_side::host()?, *size))
        .collect();
    axis(
        bench,
        "chain",
        "selectors in the chain; the last decides",
        steps?,
    )?;

    component_size(bench, &host)
}

type Figures = Vec<(f64, Vec<Vec<f64>>)>;

/// Times every step in turns and prints the figures.
fn axis(bench: &Bench<'_>, file: &str, title: &str, steps: Vec<Step>) -> Result<Figures> {
    let sizes: Vec<f64> = steps.iter().map(|step| step.size).collect();
    let mut subjects: Vec<_> = steps.into_iter().flat_map(|step| step.subjects).collect();
    let mut rounds = measure::rounds(&mut subjects, bench.effort.part(2)).into_iter();
    let mut next = || -> Vec<Vec<f64>> { rounds.by_ref().take(SERIES.len()).collect() };
    let figures: Figures = sizes.iter().map(|size| (*size, next())).collect();

    println!("\n### {title}\n");
    let mut table = Table::new([title].into_iter().chain(SERIES));
    for (size, series) in &figures {
        let cells = series.iter().map(|rounds| nanos(measure::median(rounds)));
        table.row([number(*size)].into_iter().chain(cells));
    }
    table.print();
    let line = |(place, name): (usize, &&str)| {
        let points = figures
            .iter()
            .map(|(size, series)| (*size, measure::median(&series[place])));
        Line::new(*name, points)
    };
    let lines: Vec<Line> = SERIES.iter().enumerate().map(line).collect();
    let title = format!("A decision, by {title}");
    bench
        .plots
        .lines(&format!("growth-{file}.svg"), &title, (file, "ns"), &lines)?;
    Ok(figures)
}

/// The ratio of the figures at two sizes.
fn between(figures: &Figures, series: usize, small: f64, large: f64) -> Option<f64> {
    let at = |size: f64| figures.iter().find(|(known, _)| *known == size);
    Some(measure::ratio(&at(large)?.1[series], &at(small)?.1[series]))
}

/// The three subjects for the chain that these functions create.
fn three(
    size: usize,
    names: &[String],
    context: &RuntimeContext,
    mut chain: impl FnMut(Option<Mode>) -> Result<Vec<Arc<dyn Selector>>>,
) -> Result<Step> {
    let mut subject = |mode: Option<Mode>, name: &str| -> Result<Subject<'static>> {
        let registry = registry(names, chain(mode)?)?;
        let context = context.clone();
        let selection = registry.select(&context.view());
        ensure!(
            selection.tracer_name() == Some("langfuse"),
            "{name}, {size}: {:?}",
            selection.reason().cause()
        );
        drop(selection);
        Ok(Subject::new(move || select(&registry, &context)))
    };
    Ok(Step {
        size: size as f64,
        subjects: [
            subject(None, SERIES[0])?,
            subject(Some(Mode::Cached), SERIES[1])?,
            subject(Some(Mode::Fresh), SERIES[2])?,
        ],
    })
}

/// A complete selection without the search for the name's index: the number of names differs here.
fn select(registry: &TracerRegistry<()>, context: &RuntimeContext) -> usize {
    let selection = registry.select(&context.view());
    std::hint::black_box((
        selection.selector_name(),
        selection.reason().cause(),
        selection.origin(),
    ));
    selection.tracer_name().map_or(0, str::len)
}

fn decides(host: &SelectorHost, mode: Option<Mode>) -> Result<Arc<dyn Selector>> {
    Ok(match mode {
        None => native_selector(Question::OneKey),
        Some(mode) => Arc::new(
            host.load("one-key", Question::OneKey.component())?
                .with_mode(mode),
        ),
    })
}

fn abstains(host: &SelectorHost, mode: Option<Mode>, number: usize) -> Result<Arc<dyn Selector>> {
    let name = format!("abstains-{number}");
    Ok(match mode {
        None => Arc::new(selector_fn(name, |context, tracers| {
            match context.text("tenant") {
                Some("nobody") => tracers.choose("console"),
                _ => Choice::Abstain,
            }
        })),
        Some(mode) => Arc::new(host.load(&name, ABSTAINS)?.with_mode(mode)),
    })
}

fn three_names() -> Vec<String> {
    TRACERS.map(str::to_owned).to_vec()
}

fn production() -> RuntimeContext {
    let builder = RuntimeContext::builder().set("environment", "production");
    builder.set("tenant", "acme").build()
}

fn context_of(host: &SelectorHost, keys: usize) -> Result<Step> {
    let fillers = 1..keys;
    let builder = RuntimeContext::builder().set("environment", "production");
    let context = fillers
        .fold(builder, |builder, number| {
            builder.set(&format!("app.setting.{number}"), "value")
        })
        .build();
    three(keys, &three_names(), &context, |mode| {
        Ok(vec![decides(host, mode)?])
    })
}

fn tracers(host: &SelectorHost, tracers: usize) -> Result<Step> {
    let others = (1..tracers).map(|number| format!("tracer-{number}"));
    let names: Vec<String> = others.chain(["langfuse".to_owned()]).collect();
    three(tracers, &names, &production(), |mode| {
        Ok(vec![decides(host, mode)?])
    })
}

fn chain(host: &SelectorHost, links: usize) -> Result<Step> {
    three(links, &three_names(), &production(), |mode| {
        let before = (1..links).map(|number| abstains(host, mode, number));
        before.chain([decides(host, mode)]).collect()
    })
}

/// The effect of a component's size on loading and on decisions.
fn component_size(bench: &mut Bench<'_>, host: &SelectorHost) -> Result<()> {
    println!("\n### bytes of the component\n");
    println!("The same selector, padded with unused code.\n");
    let functions = bench
        .args
        .size(&[0, 100, 1_000, 10_000][..], &[0, 100, 1_000], &[0, 10]);
    let context = production();
    let (mut loads, mut sizes, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
    for count in functions {
        let component = padded(*count)?;
        let before = thread_nanos();
        let selector = host.load("padded", &component)?;
        loads.push((thread_nanos() - before) as f64);
        sizes.push(component.len() as f64);
        for mode in [Mode::Cached, Mode::Fresh] {
            let selector = selector.with_mode(mode);
            let registry = TracerRegistry::new();
            registry.register("langfuse", ())?;
            registry.set_selectors(Chain::from(selector));
            let context = context.clone();
            ensure!(
                registry.select(&context.view()).reason().cause().is_none(),
                "a padded selector fails"
            );
            subjects.push(Subject::new(move || select(&registry, &context)));
        }
    }
    let rounds = measure::rounds(&mut subjects, bench.effort.part(4));
    let mut table = Table::new(["bytes", "load", "hit", "miss"]);
    let (mut hits, mut misses) = (Vec::new(), Vec::new());
    for (place, size) in sizes.iter().enumerate() {
        let (hit, miss) = (
            measure::median(&rounds[place * 2]),
            measure::median(&rounds[place * 2 + 1]),
        );
        table.row([bytes(*size), nanos(loads[place]), nanos(hit), nanos(miss)]);
        hits.push((*size, hit));
        misses.push((*size, miss));
    }
    table.print();
    let loads = sizes.iter().copied().zip(loads);
    let lines = [
        Line::new("load", loads),
        Line::new("miss", misses),
        Line::new("hit", hits),
    ];
    let title = "A selector, by the bytes of its component";
    bench
        .plots
        .lines("growth-component.svg", title, ("bytes", "ns"), &lines)
}

/// A selector that chooses `langfuse` after it has read one key. It contains `count` unused
/// functions that the compiler cannot remove.
fn padded(count: usize) -> Result<Vec<u8>> {
    let mut functions = String::new();
    for number in 0..count {
        functions.push_str(&format!(
            "(func (export \"pad-{number}\") (param i32 i32) (result i32)
               (local $i i32)
               (loop $again
                 (local.set $i (i32.add (local.get $i) (i32.const {number})))
                 (i32.store (i32.and (local.get $i) (i32.const 0xffc)) (local.get 1))
                 (br_if $again (i32.lt_u (local.get $i) (local.get 0))))
               (i32.mul (local.get $i) (i32.xor (local.get 0) (i32.const {}))))",
            number + 7
        ));
    }
    let text = include_str!("../padded.wat").replace(";; MORE FUNCTIONS", &functions);
    Ok(wat::parse_str(text)?)
}
