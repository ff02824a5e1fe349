//! Selectors that are WebAssembly components.
//!
//! A [`SelectorHost`] owns an engine and loads components; a [`ComponentSelector`]
//! answers from what was learned of it, and else from a fresh instance. What a guest
//! does wrong comes out as a [`Fallback`](spanmux_core::Fallback), never as an error, a
//! panic or a wait.
//!
//! This is the only module that knows wasmtime. In reading order: what a file says
//! of itself (`manifest`, held against the `contract`, and what it `declared`
//! against the `limits`), how it becomes a selector (`host`, made by a `builder`, on
//! what all of them `shared`: `lanes` of an `engine` each, with a `clock` behind an
//! `admission`; compiled to an `artifact` once for each content, by a few `workers` at
//! once, and kept in a `cache` in a `private` directory), and what one decision is made
//! of: the `selector` in its `mode` runs, if its `circuit` is closed, what was `compiled` as a guest
//! that is `live`, in a sandbox that is fresh or `kept`. The `sandbox` may ask
//! `questions`, pays in `fuel`, lives in a `quota`, sees an empty `world` through
//! `wasi`, and comes to a `stop` or another `fault`.

mod contract;
mod directory;
mod error;
mod limits;
mod requirements;

mod manifest;

mod admission;
mod artifact;
mod builder;
mod cache;
mod engine;
mod epoch;
mod host;
mod host_state;
mod permissions;
mod shards;
mod workers;

mod compiled;
mod instance;
mod mode;
mod selector;
mod stateful;

mod classify;
mod fuel;
mod guest_fault;
mod questions;
mod quota;
mod sandbox;
mod text;

mod wasi;
mod world;

pub use artifact::CompileStatus;
pub use builder::SelectorHostBuilder;
pub use cache::{CacheState, CompileCache};
pub use directory::{
    ActiveSelector, DirectoryError, LoadReport, LoadedFile, LockError, Refusal, SelectorsDirectory,
    SelectorsLock, WatchSettings, WatchStatus, WatchedDirectory, WatchedFile,
};
pub use error::LoadError;
pub use host::{HostError, SelectorHost};
pub use limits::Limits;
pub use mode::Mode;
pub use selector::ComponentSelector;
#[cfg(spanmux_mutations)]
pub use selector::Forget;
pub(crate) use text::{place, selector_name};
