//! An axum service that selects the tracer of each request.
//!
//! A middleware attaches the runtime context of a request. Handlers and libraries use
//! `tracing` as usual and need no changes.
//!
//! ```sh
//! cargo run -p spanmux-examples --bin axum-service
//! curl -X POST localhost:8080/answer -H 'x-tenant: acme' -d 'What is a span?'
//! ```

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::post;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::FutureExt as _;
use opentelemetry_http::HeaderExtractor;
use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt as _, TracerConfig};
use spanmux::{Chain, RuntimeContext, selector_fn};
use tracing::{Instrument as _, info, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

#[cfg(test)]
mod tests;

/// Each tenant with a tracer uses that tracer. All others share the default tracer.
fn selectors() -> Chain {
    Chain::from(selector_fn("by-tenant", |context, tracers| {
        match context.text("tenant") {
            Some(tenant) if tracers.contains(tenant) => tracers.choose(tenant),
            _ => spanmux::Choice::Abstain,
        }
    }))
}

fn app(provider: RoutingTracerProvider) -> Router {
    Router::new()
        .route("/answer", post(answer))
        .layer(from_fn_with_state(provider, traced))
}

/// Attaches the runtime context of the request and starts its root span.
async fn traced(
    State(provider): State<RoutingTracerProvider>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let tenant = headers
        .get("x-tenant")
        .and_then(|value| value.to_str().ok());
    let run = RuntimeContext::builder()
        .set("environment", "production")
        .set("tenant", tenant)
        .build(); // larger than a runtime context may be
    let caller = provider.propagator().extract(&HeaderExtractor(headers));
    let context = caller.with_runtime_context(run);
    let path = request.uri().path().to_owned();
    async move {
        let span = info_span!("request", otel.kind = "server", http.route = path);
        next.run(request).instrument(span).await
    }
    .with_context(context)
    .await
}

async fn answer(question: String) -> String {
    // Simulates an instrumented library. Its spans follow the request.
    let chat = info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.request.model = "small"
    );
    async { info!("thinking") }.instrument(chat).await;
    format!("{question} I do not know.")
}

/// Subscribes the provider. The level filter drops the HTTP library's own spans, which have
/// lower levels.
fn trace(provider: &RoutingTracerProvider) {
    let layer = provider.layer().with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(layer).init();
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let provider = RoutingTracerProvider::builder()
        .service_name("shop")
        .tracer("console", TracerConfig::console())
        .tracer("acme", TracerConfig::file("acme.jsonl"))
        .selectors(selectors())
        .copy_to_spans(["tenant"])
        .build()?;
    trace(&provider);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await;
    let listener = listener.context("failed to listen on port 8080")?;
    axum::serve(listener, app(provider.clone()))
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    provider.shutdown().into_result()?;
    Ok(())
}
