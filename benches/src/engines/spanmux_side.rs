//! Spanmux: `registry.select` as an application calls it, with the reason read.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use spanmux::{
    Chain, CompileCache, ComponentSelector, ContextView, Limits, Mode, Origin, Selection, Selector,
    SelectorHost, TracerNames, TracerRegistry, selector_fn,
};

use crate::engines::{Engine, Row};
use crate::questions::{Case, Question, TRACERS, tracer};

/// What the measured hosts may learn of one selector.
pub const CACHED_BYTES: usize = 16 << 20;

/// The row of a closure.
const NATIVE: &str = "native selector";

/// How a component answers, and what a reader of the tables takes it for.
const MODES: [(&str, Mode); 3] = [
    ("hit", Mode::Cached),
    ("miss", Mode::Fresh),
    ("stateful", Mode::Stateful),
];

/// Whether a decision came from what was learned.
pub fn is_hit<T>(selection: &Selection<T>) -> bool {
    matches!(selection.origin(), Origin::Cached)
}

/// A host with the limits that the documentation names.
pub fn host() -> Result<SelectorHost> {
    Ok(SelectorHost::new(Limits::default())?)
}

/// A host that may learn this many bytes of a selector.
pub fn host_that_learns(bytes: usize) -> Result<SelectorHost> {
    Ok(SelectorHost::new(
        Limits::default()
            .cached_bytes(bytes)
            // The bytes are the limit, and not the number.
            .cached_answers(usize::MAX >> 8),
    )?)
}

/// A host that keeps what it compiled in a folder.
pub fn host_with_cache(folder: &Path) -> Result<SelectorHost> {
    let cache = CompileCache::in_directory(folder);
    Ok(SelectorHost::builder().cache(cache).build()?)
}

/// Bytes and answers of what a selector learned for these tracers, as it says.
pub fn cached(selector: &ComponentSelector, tracers: &TracerNames) -> (usize, usize) {
    let explanation = selector.explain(tracers);
    (explanation.bytes, explanation.edges)
}

/// A registry with these tracers that asks these selectors.
pub fn registry<N: Into<String>>(
    tracers: impl IntoIterator<Item = N>,
    selectors: impl IntoIterator<Item = Arc<dyn Selector>>,
) -> Result<Arc<TracerRegistry<()>>> {
    let registry = TracerRegistry::new();
    for name in tracers {
        registry.register(name, ())?;
    }
    registry.set_selectors(selectors.into_iter().collect::<Chain>());
    Ok(Arc::new(registry))
}

/// One whole selection: the tracer, who chose it, and why it was not chosen.
#[inline]
pub fn select(registry: &TracerRegistry<()>, view: &ContextView<'_>) -> usize {
    let selection = registry.select(view);
    std::hint::black_box((
        selection.tracer(),
        selection.selector_name(),
        selection.reason().cause(),
        selection.origin(),
    ));
    selection.tracer_name().map_or(usize::MAX, tracer)
}

struct Select {
    registry: Arc<TracerRegistry<()>>,
    hits: bool,
}

impl Engine for Select {
    /// What is called a hit is one.
    fn prepare(&mut self, case: &Case) {
        let mut again = 0..100;
        while self.hits && !is_hit(&self.registry.select(&case.view())) {
            assert!(again.next().is_some(), "a decision that is not cached");
        }
    }

    fn decide(&mut self, case: &Case) -> usize {
        select(&self.registry, &case.view())
    }
}

/// A native closure as the selector of a registry.
pub fn native_selector(question: Question) -> Arc<dyn Selector> {
    Arc::new(selector_fn("native", move |context, tracers| {
        tracers.choose(question.answer(|key| context.text(key)))
    }))
}

/// A row of its own, with one registry for all of its threads.
pub fn row(route: &str, question: Question) -> Result<Row> {
    let (route, selector) = match MODES.iter().find(|(name, _)| *name == route) {
        None => (NATIVE, native_selector(question)),
        Some((name, mode)) => {
            let selector = host()?.load("bench", question.component())?;
            (*name, Arc::new(selector.with_mode(*mode)) as Arc<_>)
        }
    };
    let registry = registry(TRACERS, [selector])?;
    let hits = route == "hit";
    Ok(Row::new("Spanmux", route, move || {
        let registry = registry.clone();
        Ok(Select { registry, hits })
    }))
}

pub fn rows(question: Question) -> Result<Vec<Row>> {
    let routes = ["native selector"]
        .into_iter()
        .chain(MODES.map(|(name, _)| name));
    routes.map(|route| row(route, question)).collect()
}
