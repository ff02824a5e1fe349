//! WebAssembly components as selectors.
//!
//! A [`SelectorHost`] owns engines and loads components. A [`ComponentSelector`] answers from its
//! decision cache, and otherwise from a fresh instance. Every fault of a guest becomes a
//! [`Fallback`](spanmux_core::Fallback): never an error, a panic or an unbounded wait.
//!
//! This is the only crate that depends on wasmtime. Reading order:
//!
//! - The contents of a file: `manifest`, checked against the `contract`, and its `requirements`,
//!   checked against the `limits`.
//! - From a file to a selector: the `host`, created by a `builder`, and its shared state
//!   (`host_state`): one engine per shard (`shards`, `engine`), the `epoch` ticker, and
//!   `admission`. An `artifact` is compiled once per content by a few `workers`, and stored in a
//!   `cache` whose directory has strict `permissions`.
//! - One decision: the `selector` with its `mode` runs the `compiled` component, if its circuit
//!   breaker admits it, as an `instance`, which is fresh or `stateful`. The `sandbox` answers
//!   `questions`, charges `fuel`, enforces a `quota`, and shows an empty `world` through `wasi`.
//!   Faults are a `guest_fault` or are assigned by `classify`.
//! - The selectors `directory`, its watcher and its lock file.
//! - Each `event` goes through `tracing` and to the callback of the host.

mod contract;
mod control;
mod directory;
mod error;
mod event;
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
mod tier;

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
pub use event::SelectorEvent;
pub use host::{HostError, SelectorHost};
pub use limits::Limits;
pub use mode::Mode;
pub use selector::ComponentSelector;
#[cfg(spanmux_mutations)]
pub use selector::Forget;
pub(crate) use text::{place, selector_name};
pub use tier::CompileTier;
