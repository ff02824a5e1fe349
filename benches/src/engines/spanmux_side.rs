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

/// The cache limit of the measured hosts for one selector, in bytes.
pub const CACHED_BYTES: usize = 16 << 20;

/// The row of a closure.
const NATIVE: &str = "native selector";

/// The modes of a component, with their names in the tables.
const MODES: [(&str, Mode); 3] = [
    ("hit", Mode::Cached),
    ("miss", Mode::Fresh),
    ("stateful", Mode::Stateful),
];

/// Returns `true` if a decision came from the decision cache.
pub fn is_hit<T>(selection: &Selection<T>) -> bool {
    matches!(selection.origin(), Origin::Cached)
}

/// A host with the default limits.
pub fn host() -> Result<SelectorHost> {
    Ok(SelectorHost::new(Limits::default())?)
}

/// A host with this cache limit for each selector.
pub fn host_with_cache_of(bytes: usize) -> Result<SelectorHost> {
    Ok(SelectorHost::new(
        Limits::default()
            .cached_bytes(bytes)
            // The bytes are the limit, not the number of answers.
            .cached_answers(usize::MAX >> 8),
    )?)
}

/// A host with a compile cache in this folder.
pub fn host_with_cache(folder: &Path) -> Result<SelectorHost> {
    let cache = CompileCache::in_directory(folder);
    Ok(SelectorHost::builder().cache(cache).build()?)
}

/// The bytes and the edges of a selector's decision tree for these tracers.
pub fn cached(selector: &ComponentSelector, tracers: &TracerNames) -> (usize, usize) {
    let explanation = selector.explain(tracers);
    (explanation.bytes, explanation.edges)
}

/// A registry with these tracers and selectors.
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

/// One complete selection: the tracer, the origin and the reason.
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
    /// Checks that a row named `hit` measures hits.
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

/// A single row with one registry for all of its threads.
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
