//! The shape of `[selectors]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::limits::LimitsTable;
use spanmux_component::Mode;

/// Which selectors are asked, and in which order.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectorsTable {
    /// The directory of the selectors that are components. Its path is seen from the
    /// file. Without it only native selectors are asked.
    pub(crate) directory: Option<PathBuf>,
    /// The selectors that code registers by name. One that is named here and was not
    /// registered is an error at the start.
    #[serde(default)]
    pub(crate) native: Vec<String>,
    /// The names of selectors in the order in which they are asked. "*" stands for
    /// the files that are not named. Native selectors that are not named are asked
    /// first, and files that are not named last, unless there is a "*".
    #[serde(default)]
    pub(crate) order: Vec<String>,
    /// The directory in which compiled selectors are kept, so that the next start
    /// takes milliseconds. Only this user may be able to write to it.
    pub(crate) cache: Option<PathBuf>,
    /// The lock: a file that lists which selectors may go live, with their digests, as
    /// `spanmux lock` writes it. It may not lie in the directory. Without it every file
    /// in the directory goes live.
    pub(crate) lock: Option<PathBuf>,
    /// What becomes of a file that cannot be loaded. "fallback", unless it is said.
    #[serde(default)]
    pub(crate) unavailable: Unavailable,
    /// How selectors are run, by their names. "learned", unless it is said.
    #[serde(default)]
    pub(crate) modes: BTreeMap<String, ModeName>,
    /// What selectors may use.
    #[serde(default)]
    pub(crate) limits: LimitsTable,
}

/// What becomes of a file that cannot be loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unavailable {
    /// It keeps its place, and decisions that reach it go to the fallback tracer.
    #[default]
    Fallback,
    /// It is left out, and the next selector is asked.
    Skip,
    /// Nothing is started.
    Error,
}

/// How a selector is run.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModeName {
    /// In a fresh sandbox for what was not seen before, and what it decides is
    /// learned.
    Cached,
    /// In a fresh sandbox for each decision.
    Fresh,
    /// In a sandbox that is kept, for one decision at a time.
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
