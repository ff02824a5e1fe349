use std::net::SocketAddr;

use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};

use super::*;

/// Starts the service on a free port.
async fn serve(provider: RoutingTracerProvider) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app(provider)).await.unwrap() });
    address
}

async fn ask(address: SocketAddr, tenant: Option<&'static str>) -> String {
    let ask = move || {
        let mut request = ureq::post(format!("http://{address}/answer"));
        if let Some(tenant) = tenant {
            request = request.header("x-tenant", tenant);
        }
        request
            .send("Why?")
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap()
    };
    tokio::task::spawn_blocking(ask).await.unwrap()
}

/// Counts the traces, each of which must contain a request and its chat.
fn traces(exporter: &InMemorySpanExporter) -> usize {
    let spans = exporter.get_finished_spans().unwrap();
    let named = |name: &'static str| spans.iter().filter(move |span| span.name == name);
    for chat in named("chat") {
        let is_parent = |span: &&SpanData| span.span_context.span_id() == chat.parent_span_id;
        assert!(named("request").any(|span| is_parent(&span)));
    }
    assert_eq!(named("request").count(), named("chat").count());
    named("request").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn request_uses_the_tracer_of_its_tenant() {
    let exporters =
        ["shared", "acme", "globex"].map(|name| (name, InMemorySpanExporter::default()));
    let mut builder = RoutingTracerProvider::builder()
        .selectors(selectors())
        .copy_to_spans(["tenant"]);
    for (name, exporter) in &exporters {
        let sdk = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
        builder = builder.tracer(*name, sdk);
    }
    let provider = builder.build().unwrap();
    trace(&provider);
    let address = serve(provider).await;

    let tenants = [
        None,
        Some("acme"),
        Some("globex"),
        Some("acme"),
        Some("nobody"),
    ];
    let asked = tenants.map(|tenant| tokio::spawn(ask(address, tenant)));
    for answer in asked {
        assert_eq!(answer.await.unwrap(), "Why? I do not know.");
    }
    assert_eq!(
        exporters.each_ref().map(|(_, exporter)| traces(exporter)),
        [2, 2, 1]
    );
    for span in exporters[1].1.get_finished_spans().unwrap() {
        let tenant = span
            .attributes
            .iter()
            .find(|kv| kv.key.as_str() == "tenant");
        assert_eq!(tenant.unwrap().value.as_str(), "acme", "every span");
    }
}
