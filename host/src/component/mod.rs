//! Selectors that are WebAssembly components.
//!
//! A [`SelectorHost`] owns an engine and loads components; a [`ComponentSelector`]
//! answers each decision from a fresh instance. What a guest does wrong comes out
//! as a [`Fallback`](crate::Fallback), never as an error, a panic or a wait.
//!
//! This is the only module that knows wasmtime.

mod admission;
mod engine;
mod error;
mod host;
mod limits;
mod manifest;
mod sandbox;
mod selector;
mod world;

pub use error::LoadError;
pub use host::{HostError, SelectorHost};
pub use limits::Limits;
pub use selector::ComponentSelector;
