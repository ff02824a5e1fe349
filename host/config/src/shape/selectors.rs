//! The shape of `[selectors]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::limits::LimitsTable;
use spanmux_component::Mode;

/// The selectors and their order.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectorsTable {
    /// The directory of component selectors. The path is relative to the configuration. Without it,
    /// only native selectors run.
    pub(crate) directory: Option<PathBuf>,
    /// The selectors that code registers by name. A name that is not registered is an error at the
    /// start.
    #[serde(default)]
    pub(crate) native: Vec<String>,
    /// The names of selectors in order. "*" stands for the files that are not named. Without "*",
    /// unnamed native selectors run first and unnamed files last.
    #[serde(default)]
    pub(crate) order: Vec<String>,
    /// The directory for compiled selectors, so that the next start takes milliseconds. Only this
    /// user may have write access.
    pub(crate) cache: Option<PathBuf>,
    /// The lock file: the selectors that may be live with their digests, as `spanmux lock` writes
    /// it. It must not be inside the directory. Without it, every file in the directory is live.
    pub(crate) lock: Option<PathBuf>,
    /// The treatment of a file that cannot be loaded. Defaults to "fallback".
    #[serde(default)]
    pub(crate) unavailable: Unavailable,
    /// The modes of selectors by name. Defaults to "cached".
    #[serde(default)]
    pub(crate) modes: BTreeMap<String, ModeName>,
    /// Limits of selectors.
    #[serde(default)]
    pub(crate) limits: LimitsTable,
}

/// The treatment of a file that cannot be loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unavailable {
    /// The file keeps its position, and decisions that reach it go to the fallback tracer.
    #[default]
    Fallback,
    /// The file is left out, and the next selector runs.
    Skip,
    /// The configuration is not built.
    Error,
}

/// The mode of a selector.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModeName {
    /// In a fresh instance unless the decision is cached.
    Cached,
    /// In a fresh instance for each decision.
    Fresh,
    /// In an instance that is kept, for one decision at a time.
    Stateful,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Cached => Self::Cached,
            ModeName::Fresh => Self::Fresh,
            ModeName::Stateful => Self::Stateful,
        }
    }
}
