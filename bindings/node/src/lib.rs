//! The native module of the npm package `spanmux`.
//!
//! The flow is that of the library: facts become a context (`context`), a policy decides for a list
//! of tracers (`policy`, `list`), and the result is an object (`decision`). Learned decisions need a few
//! values of the context (`asked`). JavaScript functions can be selectors (`selector`), and receive
//! events (`event`). Objects of the application are read in TypeScript, above this module.

mod asked;
mod context;
mod decision;
mod event;
mod header;
mod list;
mod loading;
mod policy;
mod selector;
mod status;

// JavaScript reaches every item by its registration, which a build for tests leaves out.
pub use asked::MAX_ASKED_KEYS;
pub use context::{MAX_CONTEXT_BYTES, MAX_CONTEXT_DEPTH, MAX_CONTEXT_KEYS};
pub use header::encode_name;
