//! Scenes of a few threads over the decision cache and the circuit breaker of `spanmux-core`,
//! built with `--cfg shuttle`.
//!
//! [shuttle] runs the threads of a test one at a time and switches between them wherever one
//! accesses shared state, in thousands of orders.
//!
//! [shuttle]: https://docs.rs/shuttle

pub mod models;
