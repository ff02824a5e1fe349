//! Tests of the routing tracer provider, based on the spans that exporters received.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attributes;
mod baggage;
mod borders;
mod carrier;
#[cfg(feature = "layer")]
mod compositions;
mod exporters;
#[cfg(feature = "layer")]
mod layer;
mod lifecycle;
mod open_spans;
mod reasons;
mod routing;
mod runs;
mod selecting;
mod support;
mod telemetry;
mod trace_context;
mod traceparents;
mod tracestates;
mod user_code;
