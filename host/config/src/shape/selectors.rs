//! The structure of `[selectors]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::limits::LimitsTable;
use spanmux_component::Mode;
use spanmux_core::{AllowedTracers, PatternError};

/// The pattern of the file names of selectors.
const FILE_NAMES: &str = "\\.wasm$";

/// The ending of the file names of selectors.
pub(crate) const FILE_ENDING: &str = ".wasm";

/// The selectors and their order in the chain.
#[derive(Debug, Default, Deserialize, JsonSchema)]
// `serde` cannot deny unknown fields here; the schema does.
#[schemars(transform = by_file_name)]
pub(crate) struct SelectorsTable {
    /// The directory of component selectors, relative to the configuration file. Without it,
    /// the chain contains only native selectors.
    pub(crate) directory: Option<PathBuf>,
    /// The names of the native selectors that code registers. A name that is not registered
    /// is an error at startup.
    #[serde(default)]
    pub(crate) native: Vec<String>,
    /// The selector names in chain order. "*" stands for all files that are not listed.
    /// Unlisted native selectors come first. Without "*", unlisted files come last.
    #[serde(default)]
    pub(crate) order: Vec<String>,
    /// The directory for compiled selectors, so that the next start takes milliseconds. No
    /// other user may have write access to it.
    pub(crate) cache: Option<PathBuf>,
    /// The lock file, which lists the selectors that may be loaded and their digests, as
    /// written by `spanmux lock`. It must be outside the selectors directory. Without it,
    /// every file in the directory is loaded.
    pub(crate) lock: Option<PathBuf>,
    /// The handling of files that fail to load. Defaults to "fallback".
    #[serde(default)]
    pub(crate) unavailable: Unavailable,
    /// The execution modes by selector name. Each defaults to "learned".
    #[serde(default)]
    pub(crate) modes: BTreeMap<String, ModeName>,
    /// Reserves no address space for sandboxes, and uses one engine: for a process with few threads
    /// or a limit of its address space. Runs of components take a little longer. Defaults to
    /// `false`, in Python to `true`.
    pub(crate) small: Option<bool>,
    /// The resource limits of selectors.
    #[serde(default)]
    pub(crate) limits: LimitsTable,
    /// The settings of single selectors by file name.
    #[serde(flatten)]
    pub(crate) files: BTreeMap<String, SelectorTable>,
}

/// The settings of one selector file, such as `[selectors."20-tenant.wasm"]`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectorTable {
    /// The names of the tracers that the selector may choose. "*" in a name stands for any number of
    /// characters. The host refuses any other answer, and the trace goes to the fallback tracer.
    pub(crate) tracers: Patterns,
}

/// An allow-list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>")]
#[schemars(with = "Vec<String>", extend("minItems" = 1))]
pub(crate) struct Patterns(pub(crate) AllowedTracers);

impl TryFrom<Vec<String>> for Patterns {
    type Error = PatternError;

    fn try_from(patterns: Vec<String>) -> Result<Self, PatternError> {
        AllowedTracers::new(patterns).map(Self)
    }
}

/// Accepts the tables of single files by the ending of their keys.
fn by_file_name(schema: &mut Schema) {
    if let Some(table) = schema.remove("additionalProperties") {
        schema.insert(
            "patternProperties".to_owned(),
            serde_json::json!({ FILE_NAMES: table }),
        );
    }
    schema.insert("additionalProperties".to_owned(), false.into());
}

/// The handling of files that fail to load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unavailable {
    /// The file keeps its position in the chain, and decisions that reach it go to the
    /// fallback tracer.
    #[default]
    Fallback,
    /// The file is skipped, and the next selector in the chain decides.
    Skip,
    /// Startup fails.
    Error,
}

/// The execution mode of a selector.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModeName {
    /// Answers from the decision cache. A miss runs in a fresh instance, and its decision is
    /// cached.
    Cached,
    /// Runs every decision in a fresh instance.
    Fresh,
    /// Keeps one instance, which makes one decision at a time.
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
