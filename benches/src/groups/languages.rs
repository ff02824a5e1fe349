//! One key in selectors of other languages: the cost of a hit does not depend on the language.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use anyhow::{Result, ensure};
use spanmux::{ComponentSelector, Mode, SelectorHost};

use super::Bench;
use crate::clock::thread_nanos;
use crate::engines::spanmux_side::{self, registry, select};
use crate::measure::{self, Subject};
use crate::questions::{Question, TRACERS};
use crate::report::{Bound, Table, bytes, nanos, number};

/// Built by `benches/run`, because their toolchains are external.
const LANGUAGES: [(&str, &str); 2] = [("JavaScript", "javascript.wasm"), ("Python", "python.wasm")];

pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    let host = spanmux_side::host()?;
    let cases = Question::OneKey.cases();
    let mut found = vec![("Rust", Question::OneKey.component().to_vec())];
    for (language, file) in LANGUAGES {
        match std::fs::read(bench.args.extras.join("languages").join(file)) {
            Ok(component) => found.push((language, component)),
            Err(_) => bench.report.skip(format!(
                "{language}: its selector is not built; `benches/run` builds it"
            )),
        }
    }
    let (mut rows, mut loads, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
    for (language, component) in &found {
        let before = thread_nanos();
        let selector = match load(&host, language, component) {
            Ok(selector) => selector,
            Err(error) => {
                bench.report.skip(format!(
                    "{language}: its selector cannot be loaded: {error}"
                ));
                continue;
            }
        };
        loads.push((thread_nanos() - before) as f64);
        rows.push((*language, component.len()));
        for mode in [Mode::Cached, Mode::Fresh] {
            let selector = Arc::new(selector.with_mode(mode));
            let registry = registry(TRACERS, [selector as Arc<_>])?;
            for case in &cases {
                ensure!(
                    select(&registry, &case.view()) == case.expected,
                    "{language} is wrong"
                );
            }
            let case = &cases[0];
            subjects.push(Subject::new(move || select(&registry, &case.view())));
        }
    }
    let rounds = measure::rounds(&mut subjects, bench.effort.part(2));
    let mut table = Table::new([
        "selector in",
        "bytes",
        "load",
        "hit",
        "times Rust's",
        "miss",
    ]);
    for (place, (language, size)) in rows.into_iter().enumerate() {
        let (hit, miss) = (&rounds[place * 2], &rounds[place * 2 + 1]);
        let ratio = measure::ratio(hit, &rounds[0]);
        table.row([
            language.to_owned(),
            bytes(size as f64),
            nanos(loads[place]),
            nanos(measure::median(hit)),
            number(ratio),
            nanos(measure::median(miss)),
        ]);
        if place > 0 {
            let what = format!("hit, selector in {language}: times one in Rust");
            bench.report.goal(what, Bound::AtMost(1.05), ratio);
        }
    }
    table.print();
    Ok(())
}

/// A failure of one language does not affect the others.
fn load(host: &SelectorHost, name: &str, component: &[u8]) -> Result<ComponentSelector, String> {
    let loaded = catch_unwind(AssertUnwindSafe(|| host.load(name, component)));
    loaded
        .map_err(|_| "the host panicked".to_owned())?
        .map_err(|error| error.to_string())
}
