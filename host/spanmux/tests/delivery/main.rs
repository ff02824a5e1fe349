//! Delivery, checked on what exporters that fail in every way were handed, and on
//! what was counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod draining;
mod faults;
mod files;
mod lifecycle;
mod log;
mod scrubbing;
mod support;
