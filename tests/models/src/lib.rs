//! The sources of the host's learning and of its circuit, compiled with the primitives of
//! a model checker: [shuttle] runs the threads of a test one at a time, and lets another
//! go on wherever one touches what is shared, in thousands of orders.
//!
//! [shuttle]: https://docs.rs/shuttle
#![allow(
    dead_code,
    unused_imports,
    reason = "not all of the host is asked here"
)]

#[path = "../../../host/src/component/circuit.rs"]
mod circuit;
#[path = "../../../host/src/context/mod.rs"]
mod context;
#[path = "../../../host/src/decision.rs"]
mod decision;
#[path = "../../../host/src/explanation/mod.rs"]
pub mod explanation;
#[path = "../../../host/src/learned/mod.rs"]
mod learned;
mod limits;
mod sync;
#[path = "../../../host/src/tracer_names.rs"]
mod tracer_names;

pub use context::{ContextLimits, ContextView, RootSpan, RuntimeContext, Value};
pub use decision::*;
pub use tracer_names::*;

pub mod models;
