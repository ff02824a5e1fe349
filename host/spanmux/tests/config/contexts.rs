//! The `[context]` and `[ai]` tables.

use std::collections::HashMap;

use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use spanmux::RuntimeContext;
use spanmux::config::Config;
use spanmux::exporters::TraceTree;
use spanmux::genai::Ai;
use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt as _};

use crate::support::Folder;

const TRACERS: &str = "
    [tracers.a]
    exporter = { type = 'file', path = 'a.jsonl' }
    [tracers.b]
    exporter = { type = 'file', path = 'b.jsonl' }
";

fn provider(folder: &Folder, more: &str) -> RoutingTracerProvider {
    let text = format!("service = 'shop'\n{more}\n{TRACERS}");
    folder.builder(&text).build().unwrap()
}

/// The only trace that a tracer of the folder received.
fn trace(folder: &Folder, provider: &RoutingTracerProvider, name: &str) -> Option<TraceTree> {
    assert!(provider.force_flush().failed.is_empty());
    let text = std::fs::read_to_string(folder.path(&format!("{name}.jsonl"))).unwrap();
    TraceTree::read_otlp_lines(&text).unwrap().pop()
}

fn request(member: &str) -> HashMap<String, String> {
    HashMap::from([
        (
            "traceparent".to_owned(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        ),
        ("tracestate".to_owned(), member.to_owned()),
    ])
}

#[test]
fn inbound_choice_is_followed_only_from_configured_carriers() {
    for (inbound, asked) in [
        ("select", 1),
        ("tracestate", 0),
        ("baggage", 1),
        ("both", 0),
    ] {
        let folder = Folder::new();
        let provider = provider(&folder, &format!("context.inbound = '{inbound}'"));
        let parent = provider.propagator().extract(&request("spanmux=b"));
        let tracer = provider.tracer("shop");
        tracer.in_span_with_context("answer", &parent, |_| {});
        assert_eq!(provider.registry().counts().total(), asked, "{inbound}");
        let to = if asked == 0 { "b" } else { "a" };
        assert!(trace(&folder, &provider, to).is_some(), "{inbound}");
    }
}

#[test]
fn configured_keys_are_copied_from_baggage_and_to_spans() {
    let folder = Folder::new();
    let provider = provider(
        &folder,
        "context = { baggage_keys = ['user.id'], copy_to_spans = ['user.id'], \
         copy_to_root_spans = ['tenant'], outbound = 'both' }",
    );
    let run = RuntimeContext::builder().set("tenant", "acme").build();
    let cx = Context::new()
        .with_baggage([KeyValue::new("user.id", "u-7"), KeyValue::new("other", "x")])
        .with_runtime_context(run);
    let mut sent = HashMap::new();
    provider
        .tracer("shop")
        .in_span_with_context("answer", &cx, |cx| {
            provider.propagator().inject_context(&cx, &mut sent);
        });
    assert!(sent["baggage"].contains("spanmux.tracer=a"), "{sent:?}");
    let root = trace(&folder, &provider, "a").unwrap();
    assert_eq!(root.root_attribute("user.id"), Some("u-7"));
    assert_eq!(root.root_attribute("tenant"), Some("acme"));
    assert_eq!(root.root_attribute("other"), None);
}

#[test]
fn ai_table_sets_content_and_dialect() {
    let content = |more: &str| {
        let config = Config::from_toml(&format!(
            "service = 'shop'\n{more}\ntracers.a.exporter.type = 'discard'"
        ));
        config.unwrap().ai_options()
    };
    assert!(!content("").captures_content());
    assert!(content("ai.capture_content = true").captures_content());

    let folder = Folder::new();
    let provider = provider(&folder, "");
    let options = content("ai.dialect = 'open-inference'");
    let ai = Ai::with_options(provider.tracer("shop"), options);
    ai.agent_run("assistant").start().end();
    let root = trace(&folder, &provider, "a").unwrap();
    assert_eq!(
        root.root_attribute("openinference.span.kind"),
        Some("AGENT")
    );
    assert_eq!(root.root_attribute("gen_ai.operation.name"), None);
}
