//! The routing tracer provider, checked on what the exporters received.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod carrier;
mod exporters;
mod lifecycle;
mod reasons;
mod routing;
mod selecting;
mod support;
mod telemetry;
