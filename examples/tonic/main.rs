//! A tonic service that selects the tracer of each request.
//!
//! An interceptor creates the runtime context of a request and stores the OpenTelemetry
//! context in the request's extensions. The method runs in that context.
//!
//! ```sh
//! cargo run -p spanmux-examples --bin tonic-service
//! ```

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::FutureExt as _;
use opentelemetry_http::HeaderExtractor;
use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt as _, TracerConfig};
use spanmux::{Chain, RuntimeContext, selector_fn};
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tracing::{Instrument as _, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

#[cfg(test)]
mod tests;

#[derive(Clone, PartialEq, prost::Message)]
pub struct Question {
    #[prost(string, tag = "1")]
    pub text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Answer {
    #[prost(string, tag = "1")]
    pub text: String,
}

#[allow(missing_docs, unreachable_pub)]
mod rpc {
    include!(concat!(env!("OUT_DIR"), "/shop.Assistant.rs"));
}
use rpc::assistant_server::{Assistant, AssistantServer};

/// Requests of free users use the sampled tracer, all others the full tracer.
fn selectors() -> Chain {
    let by_tier = selector_fn("by-tier", |context, tracers| {
        match context.text("user.tier") {
            Some("free") => tracers.choose("sampled"),
            _ => tracers.choose("full"),
        }
    });
    Chain::from(by_tier)
}

/// Creates the context of a request before its method is called.
fn attach(
    provider: RoutingTracerProvider,
) -> impl FnMut(Request<()>) -> Result<Request<()>, Status> + Clone {
    move |mut request| {
        let headers = request.metadata().clone().into_headers();
        let tier = headers
            .get("x-user-tier")
            .and_then(|value| value.to_str().ok());
        let run = RuntimeContext::builder().set("user.tier", tier).build();
        let caller = provider.propagator().extract(&HeaderExtractor(&headers));
        request
            .extensions_mut()
            .insert(caller.with_runtime_context(run));
        Ok(request)
    }
}

struct Shop;

#[tonic::async_trait]
impl Assistant for Shop {
    async fn answer(&self, mut request: Request<Question>) -> Result<Response<Answer>, Status> {
        let context = request.extensions_mut().remove::<Context>();
        let question = request.into_inner().text;
        async {
            let span = info_span!("shop.Assistant/Answer", otel.kind = "server");
            Ok(Response::new(answer(question).instrument(span).await))
        }
        .with_context(context.unwrap_or_default())
        .await
    }
}

async fn answer(question: String) -> Answer {
    info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| Answer {
        text: format!("{question} I do not know."),
    })
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
        .tracer("full", TracerConfig::console())
        .tracer("sampled", TracerConfig::file("sampled.jsonl"))
        .selectors(selectors())
        .build()?;
    trace(&provider);

    let shop = AssistantServer::with_interceptor(Shop, attach(provider.clone()));
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let server = Server::builder().add_service(shop);
    server
        .serve_with_shutdown("127.0.0.1:50051".parse()?, stop)
        .await?;
    provider.shutdown().into_result()?;
    Ok(())
}
