//! Tests of AI spans, based on the exported spans.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attributes;
mod content;
mod errors;
mod external;
mod kinds;
mod late;
mod models;
mod open;
mod runs;
mod schemas;
mod support;
mod tracers;
