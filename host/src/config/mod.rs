//! Configuration.

mod builder;
mod chain;
mod check;
#[allow(clippy::module_inception)]
mod config;
mod document;
mod environment;
mod exporter;
mod interpolate;
mod json;
mod names;
mod nearest;
mod problem;
mod schema;
mod shape;
mod summary;
mod toml;
mod tracer;
mod values;
mod variants;

pub use builder::{ConfigBuildError, ConfigBuilder};
pub use chain::LoadedSelectors;
pub use config::Config;
pub use problem::{ConfigError, Problem};
pub use summary::{ExporterSummary, TracerSummary};
