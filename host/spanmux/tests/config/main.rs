//! Tests of the configuration through its public API: valid files, and every mistake with its
//! full message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod allow_lists;
mod building;
mod contexts;
mod destinations;
mod extremes;
mod mistakes;
mod outside;
mod presets;
mod schema;
mod support;
mod values;
