//! The sets of selectors, and their selections outside of tracing.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use spanmux::{
    Chain, Choice, Limits, Mode, RootSpan, RuntimeContext, Selector, SelectorHost,
    SelectorsDirectory, TracerRegistry, selector_fn,
};

use crate::tracers::{FALLBACK, TRACERS};
use crate::work::Work;

/// A set of the example selectors, by name.
const SETS: [(&str, &[&str]); 5] = [
    (
        "all five",
        &[
            "10-health-checks",
            "20-tenant",
            "30-rollout",
            "40-tier-region",
            "50-environment",
        ],
    ),
    ("20-tenant", &["20-tenant"]),
    (
        "30-rollout, 40-tier-region",
        &["30-rollout", "40-tier-region"],
    ),
    ("50-environment", &["50-environment"]),
    (
        "a native one, all five",
        &[
            PINNED,
            "10-health-checks",
            "20-tenant",
            "30-rollout",
            "40-tier-region",
            "50-environment",
        ],
    ),
];
/// The native selector: it selects the tracer that the run requests.
const PINNED: &str = "pinned";

/// The selector's name if all abstained.
pub const NOBODY: &str = "nobody";
/// The reason if a selector chose the tracer.
pub const CHOSEN: &str = "chosen";

/// A set of selectors and its expected selections.
pub struct SelectorSet {
    pub name: &'static str,
    /// The chain that routes the runs. Its decisions are cached.
    pub chain: Chain,
    /// The same selectors outside of tracing. Their decisions are not cached: each question runs
    /// the component.
    asked: TracerRegistry<()>,
}

/// The tracer that a set of selectors chooses for a run, and the reason.
#[derive(Clone, Debug)]
pub struct Named {
    pub tracer: String,
    pub by: String,
    pub why: String,
}

impl SelectorSet {
    /// Loads all sets from the live selectors in `directory`.
    pub fn load(directory: &Path) -> Result<Vec<Self>> {
        let host = SelectorHost::new(Limits::default())?;
        let report = SelectorsDirectory::new(directory, host).load()?;
        if let Some((file, error)) = report.failed().next() {
            return Err(anyhow::Error::msg(error.to_string()).context(file.display().to_string()));
        }
        let find = |name: &str, mode: Mode| -> Result<Arc<dyn Selector>> {
            if name == PINNED {
                return Ok(pinned());
            }
            let selector = report.loaded().find(|selector| selector.name() == name);
            let selector = selector.with_context(|| format!("there is no selector {name}"))?;
            Ok(Arc::new(selector.with_mode(mode)))
        };
        let set = |(name, members): (&'static str, &[&str])| {
            let chain = |mode| {
                members
                    .iter()
                    .map(|member| find(member, mode))
                    .collect::<Result<_>>()
            };
            Self::new(name, chain(Mode::Cached)?, chain(Mode::Fresh)?)
        };
        SETS.into_iter().map(set).collect()
    }

    fn new(
        name: &'static str,
        routing: Vec<Arc<dyn Selector>>,
        asked: Vec<Arc<dyn Selector>>,
    ) -> Result<Self> {
        let registry = TracerRegistry::new();
        for (tracer, _) in TRACERS {
            registry.register(tracer, Arc::new(()))?;
        }
        registry.set_fallback(Some(FALLBACK))?;
        registry.set_selectors(Chain::from_iter(asked));
        Ok(Self {
            name,
            chain: Chain::from_iter(routing),
            asked: registry,
        })
    }

    /// Returns the tracer for a run.
    pub fn ask(&self, context: &RuntimeContext, work: Work) -> Result<Named> {
        let (name, kind) = work.root();
        let attributes = RuntimeContext::empty;
        let root = RootSpan::new(name, kind, &attributes);
        let selection = self.asked.select(&context.view_with_span(&root));
        let tracer = selection.tracer_name().context("no tracer was selected")?;
        let why = selection
            .reason()
            .cause()
            .map_or(CHOSEN, |cause| cause.as_str());
        ensure!(
            why != "trapped" && why != "host",
            "a selector broke: {selection:?}"
        );
        Ok(Named {
            tracer: tracer.to_owned(),
            by: selection.selector_name().unwrap_or(NOBODY).to_owned(),
            why: why.to_owned(),
        })
    }
}

fn pinned() -> Arc<dyn Selector> {
    Arc::new(selector_fn(PINNED, |context, tracers| {
        match context.text("pin") {
            Some(tracer) => tracers.choose(tracer),
            None => Choice::Abstain,
        }
    }))
}
