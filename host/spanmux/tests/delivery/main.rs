//! Tests for delivery: which spans the exporters receive when they fail in various ways,
//! and which counts result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod draining;
mod dropped_parents;
mod faults;
mod files;
mod lifecycle;
mod log;
mod redaction;
mod support;
