//! Configuration.

mod document;
mod environment;
mod interpolate;
mod json;
mod nearest;
mod problem;
mod schema;
mod shape;
mod toml;
mod values;

pub use problem::{ConfigError, Problem};
#[doc(hidden)]
pub fn x()->serde_json::Value{schema::schema()}
