use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tonic::metadata::MetadataValue;
use tonic::transport::server::TcpIncoming;

use super::rpc::assistant_client::AssistantClient;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn request_uses_the_tracer_of_its_tier() {
    let exporters = ["full", "sampled"].map(|name| (name, InMemorySpanExporter::default()));
    let mut builder = RoutingTracerProvider::builder().selectors(selectors());
    for (name, exporter) in &exporters {
        let sdk = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
        builder = builder.tracer(*name, sdk);
    }
    let provider = builder.build().unwrap();
    trace(&provider);

    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    let shop = AssistantServer::with_interceptor(Shop, attach(provider));
    let server = Server::builder().add_service(shop);
    tokio::spawn(server.serve_with_incoming(incoming));

    let client = AssistantClient::connect(format!("http://{address}"))
        .await
        .unwrap();
    let tiers = [Some("free"), None, Some("gold"), Some("free"), Some("free")];
    let asked = tiers.map(|tier| {
        let mut client = client.clone();
        tokio::spawn(async move {
            let text = "Why?".to_owned();
            let mut request = Request::new(Question { text });
            if let Some(tier) = tier {
                let tier = MetadataValue::from_static(tier);
                request.metadata_mut().insert("x-user-tier", tier);
            }
            client.answer(request).await.unwrap().into_inner().text
        })
    });
    for answer in asked {
        assert_eq!(answer.await.unwrap(), "Why? I do not know.");
    }
    let traces = exporters.each_ref().map(|(name, exporter)| {
        let spans = exporter.get_finished_spans().unwrap().into_iter();
        let names = spans.map(|span| span.name.into_owned());
        let (roots, chats): (Vec<_>, Vec<_>) = names.partition(|name| name != "chat");
        assert_eq!(roots.len(), chats.len(), "{name}");
        roots.len()
    });
    assert_eq!(traces, [2, 3]);
}
