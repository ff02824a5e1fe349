//! Spanway: `registry.select` as an application calls it, with the reason read.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use spanway::{
    Chain, ComponentSelector, ContextView, Limits, Selector, SelectorHost, TracerRegistry, native,
};

use crate::engines::{Engine, Row};
use crate::questions::{Case, Question, TRACERS, tracer};

/// How a component answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// From what was learned of it: the default.
    Learned,
    /// A sandbox of its own for each decision, and nothing learned: what a miss costs.
    Fresh,
    /// One sandbox, kept.
    Stateful,
}

impl Mode {
    pub const ALL: [Mode; 3] = [Mode::Learned, Mode::Fresh, Mode::Stateful];

    pub fn set(self, selector: ComponentSelector) -> ComponentSelector {
        // One arm each once components have modes.
        match self {
            Mode::Learned | Mode::Fresh | Mode::Stateful => selector,
        }
    }

    fn route(self) -> &'static str {
        match self {
            Mode::Learned => "hit",
            Mode::Fresh => "miss",
            Mode::Stateful => "stateful",
        }
    }
}

/// Whether a decision came from what was learned.
pub fn is_hit<T>(_selection: &spanway::Selection<T>) -> bool {
    false
}

/// What may be learned, in bytes, unless a host says otherwise.
pub const LEARNED_BYTES: usize = 16 << 20;

/// A host with the limits that the documentation names.
pub fn host() -> Result<SelectorHost> {
    Ok(SelectorHost::new(Limits::default())?)
}

/// A host that may learn this many bytes.
pub fn host_that_learns(_bytes: usize) -> Result<SelectorHost> {
    host()
}

/// A host that keeps what it compiled in a folder; none if there is no such thing.
pub fn host_with_cache(_folder: &Path) -> Result<Option<SelectorHost>> {
    Ok(None)
}

/// Bytes and edges of what a selector learned, as it says itself.
pub fn learned(_selector: &ComponentSelector) -> Option<(usize, usize)> {
    None
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
    registry.set_selectors(Chain::new(selectors));
    Ok(Arc::new(registry))
}

/// One whole selection: the tracer, who chose it, and why it was not chosen.
#[inline]
pub fn select(registry: &TracerRegistry<()>, view: &ContextView<'_>) -> usize {
    let selection = registry.select(view);
    std::hint::black_box((
        selection.tracer(),
        selection.selector_name(),
        selection.fallback(),
        selection.origin(),
    ));
    selection.tracer_name().map_or(usize::MAX, tracer)
}

struct Select(Arc<TracerRegistry<()>>);

impl Engine for Select {
    fn decide(&mut self, case: &Case) -> usize {
        select(&self.0, &case.view())
    }
}

/// A native closure as the selector of a registry.
pub fn native_selector(question: Question) -> Arc<dyn Selector> {
    Arc::new(native("native", move |context, tracers| {
        tracers.choose(question.answer(|key| context.text(key)))
    }))
}

/// A row of its own, with one registry for all of its threads.
pub fn row(route: &'static str, question: Question) -> Result<Row> {
    let mode = Mode::ALL.into_iter().find(|mode| mode.route() == route);
    let selector = match mode {
        None => native_selector(question),
        Some(mode) => Arc::new(mode.set(host()?.load("bench", question.component())?)),
    };
    let registry = registry(TRACERS, [selector])?;
    Ok(Row::new("Spanway", route, move || Ok(Select(registry.clone()))))
}

pub fn rows(question: Question) -> Result<Vec<Row>> {
    let routes = ["native selector"].into_iter().chain(Mode::ALL.map(Mode::route));
    routes.map(|route| row(route, question)).collect()
}
