//! Combines a tracer from a configuration file with an existing provider, and selects the
//! existing provider for premium customers.
//!
//!     cargo run --example mixed
#![allow(clippy::print_stdout, clippy::print_stderr)]

use opentelemetry::Context;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use spanmux::config::Config;
use spanmux::otel::RuntimeContextExt as _;
use spanmux::{Choice, RuntimeContext, selector_fn};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mixed.toml");

/// The exporter that the service already had.
#[derive(Debug)]
struct Custom;

impl SpanExporter for Custom {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in batch {
            println!("custom exporter: {}", span.name);
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let custom = SdkTracerProvider::builder().with_simple_exporter(Custom);
    let provider = Config::from_file(FILE)?
        .builder()
        .tracer("custom", custom.build())
        .native_selector(selector_fn("by-tier", |context, tracers| {
            match context.text("user.tier") {
                Some("premium") => tracers.choose("custom"),
                _ => Choice::Abstain,
            }
        }))
        .build()?;

    let tracer = provider.tracer("example");
    for tier in ["premium", "free"] {
        let user = serde_json::json!({"tier": tier});
        let run = RuntimeContext::builder().set_json("user", &user).build();
        let context = Context::new().with_runtime_context(run);
        tracer.in_span_with_context(format!("agent run of {tier}"), &context, |_| {
            tracer.in_span("tool call", |_| {});
        });
    }

    provider.shutdown().into_result()?;
    Ok(())
}
