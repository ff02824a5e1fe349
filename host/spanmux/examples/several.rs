//! Several tracers from a configuration file, and a selector in code that chooses one by the
//! runtime context of a run.
//!
//!     cargo run --example several
#![allow(clippy::print_stdout, clippy::print_stderr)]

use opentelemetry::Context;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use spanmux::config::Config;
use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt as _};
use spanmux::{Choice, RuntimeContext, selector_fn};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/several.toml");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = Config::from_file(FILE)?
        .builder()
        .native_selector(selector_fn("by-environment", |context, tracers| {
            match context.text("environment") {
                Some("production") => tracers.choose("langfuse"),
                Some("staging") => tracers.choose("datadog"),
                Some("development") => tracers.choose("console"),
                _ => Choice::Abstain, // use the default tracer
            }
        }))
        .build()?;

    for environment in ["production", "staging", "development", "qa"] {
        run(&provider, environment)?;
    }

    provider.shutdown().into_result()?;
    Ok(())
}

fn run(provider: &RoutingTracerProvider, environment: &str) -> Result<(), spanmux::ContextError> {
    let run = RuntimeContext::builder().set("environment", environment);
    let context = Context::new().with_runtime_context(run.build());
    let tracer = provider.tracer("example");
    tracer.in_span_with_context(format!("agent run in {environment}"), &context, |_| {
        tracer.in_span("llm generation", |_| {}); // uses the tracer of its root
    });
    Ok(())
}
