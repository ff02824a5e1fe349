//! Selectors that are WebAssembly components.
//!
//! A [`SelectorHost`] owns an engine and loads components; a [`ComponentSelector`]
//! answers each decision from a fresh instance. What a guest does wrong comes out
//! as a [`Fallback`](crate::Fallback), never as an error, a panic or a wait.
//!
//! This is the only module that knows wasmtime. In reading order: what a file says
//! of itself (`manifest`, held against the `contract`, and what it `declared`
//! against the `limits`), how it becomes a selector (`host`, made by a `builder`, on
//! what all of them `shared`; `compiled` once for each content, by a few `workers` at
//! once, and kept in a `cache` in a `private` directory), and what one decision is made of (`selector` runs a `sandbox`, which
//! may ask `questions`, pays in `fuel`, lives in a `quota`, sees an empty `world`
//! through `wasi`, and comes to a `stop`).

mod contract;
mod declared;
mod error;
mod limits;

mod manifest;

mod admission;
mod builder;
mod cache;
mod compiled;
mod engine;
mod host;
mod private;
mod shared;
mod workers;

mod fuel;
mod questions;
mod quota;
mod sandbox;
mod selector;
mod stop;
mod words;

mod wasi;
mod world;

pub use builder::SelectorHostBuilder;
pub use cache::{CacheState, CompileCache};
pub use compiled::CompileStatus;
pub use error::LoadError;
pub use host::{HostError, SelectorHost};
pub use limits::Limits;
pub use selector::ComponentSelector;
