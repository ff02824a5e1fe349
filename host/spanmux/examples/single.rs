//! One tracer for all traces, configured in code.
//!
//!     cargo run --example single
#![allow(clippy::print_stdout, clippy::print_stderr)]

use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use spanmux::exporters::Exporter;
use spanmux::otel::{RoutingTracerProvider, Sampling, TracerConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = RoutingTracerProvider::builder()
        .service_name("my-service")
        .tracer(
            "default",
            TracerConfig::new()
                .sampling(Sampling::Always)
                .exporter(Exporter::console()),
        )
        .build()?;

    let tracer = provider.tracer("example");
    tracer.in_span("agent run", |_| {
        tracer.in_span("llm generation", |_| {});
    });

    provider.shutdown().into_result()?;
    Ok(())
}
