//! Tests for spans whose parent is in another process.

use opentelemetry::Context;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use spanmux::exporters::{
    Braintrust, BraintrustParent, DatadogIntake, Exporter, LangSmith, Langfuse, Mlflow,
    OtlpExporter, Phoenix, RemoteParent,
};
use spanmux::otel::{Inbound, RoutingTracerProvider, TracerConfig};
use spanmux::redaction::SpanFilter;

use crate::collector::Collector;

const REMOTE: u64 = 0x00f0_67aa_0ba9_02b7;

fn remote(state: &str) -> Context {
    let parent = SpanContext::new(
        TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
        SpanId::from(REMOTE),
        TraceFlags::SAMPLED,
        true,
        state.parse::<TraceState>().unwrap(),
    );
    Context::new().with_remote_span_context(parent)
}

/// Starts a local root with a child below a remote parent, and returns both as received.
fn serve(exporter: OtlpExporter, setting: Option<RemoteParent>, inbound: Inbound) -> [Span; 2] {
    let spans = serve_filtered(exporter, setting, inbound, SpanFilter::new());
    spans.try_into().unwrap()
}

/// Like [`serve`], with a filter.
fn serve_filtered(
    exporter: OtlpExporter,
    setting: Option<RemoteParent>,
    inbound: Inbound,
    filter: SpanFilter,
) -> Vec<Span> {
    let collector = Collector::start();
    let exporter = Exporter::from(exporter.origin(collector.origin())).filter(filter);
    let config = TracerConfig::new().exporter(exporter);
    let config = match setting {
        Some(setting) => config.remote_parent(setting),
        None => config,
    };
    let provider = RoutingTracerProvider::builder()
        .service_name("shop")
        .tracer("llm", config)
        .inbound(inbound)
        .build()
        .unwrap();
    let tracer = provider.tracer("library");
    let root = tracer.start_with_context("serve", &remote("spanmux=llm"));
    let cx = remote("").with_span(root);
    tracer.start_with_context("call", &cx).end();
    cx.span().end();
    provider.force_flush().into_result().unwrap();
    let message = collector.received().remove(0).message();
    let scopes = message
        .resource_spans
        .into_iter()
        .flat_map(|of| of.scope_spans);
    let mut spans: Vec<Span> = scopes.flat_map(|scope| scope.spans).collect();
    spans.sort_by(|a, b| b.name.cmp(&a.name));
    spans
}

fn assert_kept(spans: &[Span; 2], case: &str) {
    assert_eq!(spans[0].parent_span_id, REMOTE.to_be_bytes(), "{case}");
    assert!(spans[0].links.is_empty(), "{case}");
    assert_eq!(spans[1].parent_span_id, spans[0].span_id, "{case}");
}

fn assert_linked(spans: &[Span; 2], case: &str) {
    let [root, child] = spans;
    assert!(root.parent_span_id.is_empty(), "{case}: {root:?}");
    let [link] = &root.links[..] else {
        panic!("{case}: {:?}", root.links);
    };
    assert_eq!(link.span_id, REMOTE.to_be_bytes(), "{case}");
    assert_eq!(link.trace_id, root.trace_id, "{case}");
    let meaning = link.attributes[0].value.as_ref().unwrap().value.clone();
    assert_eq!(link.attributes[0].key, "spanmux.link");
    assert_eq!(
        meaning,
        Some(Value::StringValue("remote_parent".to_owned()))
    );
    // The rest of the trace keeps its shape.
    assert_eq!(child.parent_span_id, root.span_id, "{case}");
    assert_eq!(child.trace_id, root.trace_id, "{case}");
    assert!(child.links.is_empty(), "{case}");
}

fn llm_backends() -> Vec<OtlpExporter> {
    let project = BraintrustParent::ProjectName("shop".to_owned());
    vec![
        Langfuse::new("pk", "sk").into(),
        LangSmith::new("key").into(),
        Phoenix::http("http://localhost:6006").into(),
        Mlflow::new("http://localhost:5000", "0").into(),
        Braintrust::new("key", project).into(),
        DatadogIntake::new("datadoghq.com", "key")
            .llm_observability()
            .into(),
    ]
}

fn general_backends() -> Vec<OtlpExporter> {
    vec![
        OtlpExporter::http("http://localhost:4318"),
        DatadogIntake::new("datadoghq.com", "key").into(),
    ]
}

#[test]
fn llm_backends_get_a_root_with_a_link() {
    for exporter in llm_backends() {
        let name = exporter.name();
        assert_linked(&serve(exporter, None, Inbound::Select), name);
    }
    for exporter in general_backends() {
        let name = exporter.name();
        assert_kept(&serve(exporter, None, Inbound::Select), name);
    }
}

#[test]
fn tracer_overrides_the_default_of_its_exporters() {
    for exporter in llm_backends().into_iter().chain(general_backends()) {
        let name = exporter.name();
        let linked = serve(exporter.clone(), Some(RemoteParent::Link), Inbound::Select);
        assert_linked(&linked, name);
        assert_kept(
            &serve(exporter, Some(RemoteParent::Keep), Inbound::Select),
            name,
        );
    }
}

/// The caller sent its part of the trace to the same tracer.
#[test]
fn span_of_a_followed_selection_keeps_its_parent() {
    for exporter in llm_backends() {
        let name = exporter.name();
        let spans = serve(
            exporter,
            Some(RemoteParent::Link),
            Inbound::FollowTracestate,
        );
        assert_kept(&spans, name);
    }
}

/// A filter drops the local root, and its child gets the remote parent.
#[test]
fn child_of_a_dropped_local_root_is_handled_as_the_root() {
    for exporter in llm_backends() {
        let name = exporter.name();
        let child = |inbound| {
            let filter = SpanFilter::new().drop_names(["serve"]);
            let mut spans = serve_filtered(exporter.clone(), None, inbound, filter);
            assert_eq!(spans.len(), 1, "{name}: {spans:?}");
            spans.remove(0)
        };
        let followed = child(Inbound::FollowTracestate);
        assert_eq!(followed.name, "call");
        assert_eq!(followed.parent_span_id, REMOTE.to_be_bytes(), "{name}");
        assert!(followed.links.is_empty(), "{name}");
        let selected = child(Inbound::Select);
        assert!(selected.parent_span_id.is_empty(), "{name}");
        assert_eq!(selected.links[0].span_id, REMOTE.to_be_bytes(), "{name}");
    }
}
