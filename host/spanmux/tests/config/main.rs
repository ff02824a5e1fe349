//! Configuration, as a person meets it: files that are right, and every way to get
//! one wrong, with its full message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod building;
mod contexts;
mod mistakes;
mod presets;
mod schema;
mod support;
mod values;
