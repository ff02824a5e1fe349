//! Tests of the routing tracer provider, based on the spans that exporters received.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod baggage;
mod borders;
mod carrier;
mod exporters;
#[cfg(feature = "layer")]
mod layer;
mod lifecycle;
mod reasons;
mod routing;
mod runs;
mod selecting;
mod support;
mod telemetry;
mod trace_context;
