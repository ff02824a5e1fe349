//! One trace across two processes. The first process starts the second one, selects a tracer
//! and sends a request. The second process on its own would select another tracer.
//!
//! ```sh
//! cargo run -p spanmux-examples --bin two-processes -- traces follow
//! cargo run -p spanmux-examples --bin two-processes -- traces select
//! ```
//!
//! Each command writes `traces/langfuse.jsonl` and `traces/datadog.jsonl`. With `follow`,
//! the second process follows the selection that arrives with the request, and the trace
//! stays in one tracer. With `select`, it runs its own selector, and the trace is split.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_http::HeaderExtractor;
use spanmux::otel::{Inbound, RoutingTracerProvider, RuntimeContextExt as _, TracerConfig};
use spanmux::{Chain, RuntimeContext, selector_fn};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [dir, inbound @ ("follow" | "select")] => front(dir, inbound),
        ["back", dir, inbound] => back(dir, inbound),
        _ => anyhow::bail!("usage: two-processes DIRECTORY follow|select"),
    }
}

/// Creates the provider, with the same tracers and the same selector in both processes.
fn provider(dir: &str, inbound: Inbound) -> anyhow::Result<RoutingTracerProvider> {
    std::fs::create_dir_all(dir)?;
    let file = |name| TracerConfig::file(format!("{dir}/{name}.jsonl"));
    let by_environment = selector_fn("by-environment", |context, tracers| {
        match context.text("environment") {
            Some("production") => tracers.choose("langfuse"),
            _ => tracers.choose("datadog"),
        }
    });
    let provider = RoutingTracerProvider::builder()
        .service_name("shop")
        .tracer("langfuse", file("langfuse"))
        .tracer("datadog", file("datadog"))
        .selectors(Chain::from(by_environment))
        .inbound(inbound)
        .build()?;
    Ok(provider)
}

fn front(dir: &str, inbound: &str) -> anyhow::Result<()> {
    let provider = provider(dir, Inbound::Select)?;
    let mut second = Command::new(std::env::current_exe()?)
        .args(["back", dir, inbound])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    let stdout = second.stdout.take().context("stdout is not piped")?;
    BufReader::new(stdout).read_line(&mut said)?;

    let run = RuntimeContext::builder()
        .set("environment", "production")
        .build();
    let context = Context::new().with_runtime_context(run);
    let answer = provider
        .tracer("front")
        .in_span_with_context("answer", &context, |context| {
            let mut headers = HashMap::new();
            provider.propagator().inject_context(&context, &mut headers);
            let request = ureq::get(format!("http://{}/", said.trim()));
            let request = headers
                .iter()
                .fold(request, |all, (name, value)| all.header(name, value));
            request.call()?.body_mut().read_to_string()
        })?;
    second.wait()?; // closes its standard input, which makes it exit
    let asked = provider.registry().counts().total();
    println!("decisions: first process {asked}, second process {answer}");
    provider.shutdown().into_result()?;
    Ok(())
}

#[tokio::main]
async fn back(dir: &str, inbound: &str) -> anyhow::Result<()> {
    let provider = provider(
        dir,
        match inbound {
            "follow" => Inbound::FollowTracestate,
            _ => Inbound::Select,
        },
    )?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let shared = provider.clone();
    let app = Router::new().route(
        "/",
        get(async move |headers: HeaderMap| {
            let context = shared.propagator().extract(&HeaderExtractor(&headers));
            let tracer = shared.tracer("back");
            tracer.in_span_with_context("retrieve", &context, |_| tracer.in_span("query", |_| {}));
            shared.registry().counts().total().to_string()
        }),
    );
    let stop =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    axum::serve(listener, app)
        .with_graceful_shutdown(async { drop(stop.await) })
        .await?;
    provider.shutdown().into_result()?;
    Ok(())
}
