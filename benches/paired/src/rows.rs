// Included twice, with `spanmux` being one side and the other. No `//!`, because `include!`
// refuses it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    SdkTracerProvider, Span, SpanData, SpanProcessor, TracerProviderBuilder,
};
use spanmux::delivery::BatchConfig;
use spanmux::exporters::{Exporter, OtlpExporter};
use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt as _, TracerConfig};
use spanmux::{
    Chain, CompileCache, Limits, Mode, RuntimeContext, Selector, SelectorHost, TracerRegistry,
};

use crate::{Clock, Row};

const TRACERS: [&str; 3] = ["langfuse", "datadog", "console"];

/// Spans of one trace in the rows about delivery.
const SPANS: u32 = 512;

/// Discards each span where it ends, so that a row has the cost of the tracer and not that of two
/// threads that share a queue.
#[derive(Debug)]
struct Discard;

impl SpanProcessor for Discard {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        drop(std::hint::black_box(span));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn sdk() -> TracerProviderBuilder {
    SdkTracerProvider::builder().with_span_processor(Discard)
}

fn context() -> RuntimeContext {
    let mut context = RuntimeContext::builder();
    for number in 0..16 {
        context = context.set(&format!("key.{number}"), format!("value {number}").as_str());
    }
    context
        .set("tenant", "acme")
        .set("tier", "free")
        .set("region", "us-east")
        .set("environment", "production")
        .build()
}

fn selector(host: &SelectorHost, wasm: &[u8]) -> Result<Arc<dyn Selector>> {
    Ok(Arc::new(host.load("bench", wasm)?))
}

/// The rows of this side, in order.
///
/// `component` is the file of a large component, whose loads are timed if it is given.
pub fn rows(receiver: &str, component: Option<&Path>) -> Result<Vec<Row>> {
    let host = SelectorHost::new(Limits::default())?;
    let mut rows = Vec::new();
    for (name, wasm) in [
        (
            "hit, one key",
            include_bytes!("../../selectors/one-key.wasm").as_slice(),
        ),
        (
            "hit, four keys",
            include_bytes!("../../selectors/four-keys.wasm").as_slice(),
        ),
    ] {
        let registry = TracerRegistry::new();
        for tracer in TRACERS {
            registry.register(tracer, ())?;
        }
        registry.set_selectors([selector(&host, wasm)?].into_iter().collect::<Chain>());
        let context = context();
        let work = move || {
            let selection = registry.select(&context.view());
            std::hint::black_box(selection.tracer());
        };
        rows.push(Row::new(name, Clock::Thread, 1, work));
    }
    for (name, key) in [
        ("a plain key", "tier"),
        ("a dotted key that is absent", "user.tier"),
    ] {
        let context = context();
        let work = move || {
            std::hint::black_box(context.view().get(std::hint::black_box(key)));
        };
        rows.push(Row::new(name, Clock::Thread, 1, work));
    }
    rows.extend(contexts());
    rows.extend(chains(&host)?);
    rows.push(misses(&host)?);
    rows.extend(loads(component)?);
    rows.extend(spans(&host)?);
    rows.push(delivery("delivery of a plain span", receiver, false)?);
    rows.push(delivery(
        "delivery of a span with messages",
        receiver,
        true,
    )?);
    Ok(rows)
}

/// Contexts that are built for a request.
fn contexts() -> Vec<Row> {
    let entries: Vec<_> = (0..20)
        .map(|number| (format!("key.{number}"), format!("value {number}")))
        .collect();
    let service = entries.clone();
    let build = move || {
        let builder = entries
            .iter()
            .fold(RuntimeContext::builder(), |builder, (key, value)| {
                builder.set(key, value)
            });
        drop(std::hint::black_box(builder.build()));
    };
    let extend = {
        let service = service
            .iter()
            .fold(RuntimeContext::builder(), |builder, (key, value)| {
                builder.set(key, value)
            });
        let service = service.build();
        move || {
            let request = service.to_builder().set("tenant", "acme");
            let request = request.set("user", "u-1024").set("tier", "free");
            drop(std::hint::black_box(request.build()));
        }
    };
    let members: Vec<_> = service
        .iter()
        .map(|(key, value)| format!("\"{key}\": \"{value}\""))
        .collect();
    let json = format!("{{{}}}", members.join(", "));
    let parse = move || drop(std::hint::black_box(RuntimeContext::from_json(&json)));
    vec![
        Row::new("a context of 20 keys", Clock::Thread, 1, build),
        Row::new(
            "a context of 20 keys, extended by 3",
            Clock::Thread,
            1,
            extend,
        ),
        Row::new("a context from JSON, 20 keys", Clock::Thread, 1, parse),
    ]
}

/// Chains of selectors whose decisions are cached.
fn chains(host: &SelectorHost) -> Result<Vec<Row>> {
    let abstains = include_bytes!("../../selectors/abstains.wasm").as_slice();
    let users = include_bytes!("../../selectors/users.wasm").as_slice();
    let examples = [
        include_bytes!("../../../selectors/10-health-checks.wasm").as_slice(),
        include_bytes!("../../../selectors/20-tenant.wasm").as_slice(),
        include_bytes!("../../../selectors/30-rollout.wasm").as_slice(),
        include_bytes!("../../../selectors/40-tier-region.wasm").as_slice(),
        include_bytes!("../../../selectors/50-environment.wasm").as_slice(),
    ];
    let mut per_user = vec![abstains; 15];
    per_user.push(users);
    let mut rows = Vec::new();
    for (name, files, many_users) in [
        (
            "a chain of the five examples, hit",
            examples.to_vec(),
            false,
        ),
        (
            "a chain of 16 that ask one key, hit",
            vec![abstains; 16],
            false,
        ),
        (
            "a chain of 16, the last asks for the user, hit",
            per_user,
            true,
        ),
    ] {
        let registry = TracerRegistry::new();
        for tracer in TRACERS {
            registry.register(tracer, ())?;
        }
        let selectors: Result<Vec<_>> = files.iter().map(|wasm| selector(host, wasm)).collect();
        registry.set_selectors(selectors?.into_iter().collect::<Chain>());
        let users = if many_users { 500 } else { 1 };
        let contexts: Vec<_> = (0..users)
            .map(|user| {
                let context = context().to_builder();
                context.set("user.id", format!("u-{user}").as_str()).build()
            })
            .collect();
        for context in contexts.iter().cycle().take(4 * users) {
            std::hint::black_box(registry.select(&context.view()).tracer());
        }
        let mut next = 0;
        let work = move || {
            next = (next + 1) % contexts.len();
            let selection = registry.select(&contexts[next].view());
            std::hint::black_box(selection.tracer());
        };
        rows.push(Row::new(name, Clock::Thread, 1, work));
    }
    Ok(rows)
}

/// A chain of different selectors that abstain, each in a fresh sandbox, on two threads at once.
fn misses(host: &SelectorHost) -> Result<Row> {
    let abstains = include_bytes!("../../selectors/abstains.wasm").as_slice();
    let different = |number: u8| {
        // A custom section without contents, with a name of its own.
        let wasm = [abstains, &[0, 2, 1, b'!' + number]].concat();
        let selector = host.load("bench", &wasm)?.with_mode(Mode::Fresh);
        Ok(Arc::new(selector) as Arc<dyn Selector>)
    };
    let selectors: Result<Chain> = (0..64).map(different).collect();
    let registry = TracerRegistry::new();
    for tracer in TRACERS {
        registry.register(tracer, ())?;
    }
    registry.set_selectors(selectors?);
    let context = context();
    let work = move || {
        let select = || {
            std::hint::black_box(registry.select(&context.view()).tracer());
        };
        std::thread::scope(|scope| {
            scope.spawn(select);
            select();
        });
    };
    let name = "64 different misses on two threads";
    Ok(Row::new(name, Clock::Process, 1, work))
}

/// A host that loads a large component, with an empty and with a filled compile cache.
fn loads(component: Option<&Path>) -> Result<Vec<Row>> {
    let Some(component) = component else {
        return Ok(Vec::new());
    };
    let wasm: Arc<[u8]> = std::fs::read(component)?.into();
    let folder = tempfile::tempdir()?;
    let load = |cache: Option<&Path>, wasm: &[u8]| {
        let mut host = SelectorHost::builder();
        if let Some(folder) = cache {
            host = host.cache(CompileCache::in_directory(folder));
        }
        let host = host.build().expect("a host");
        std::hint::black_box(host.load("bench", wasm).expect("a component"));
    };
    let cold = {
        let wasm = wasm.clone();
        move || load(None, &wasm)
    };
    let warm = move || load(Some(folder.path()), &wasm);
    Ok(vec![
        Row::new("load of a large component, cold", Clock::Wall, 1, cold),
        Row::new("load of a large component, warm", Clock::Wall, 1, warm),
    ])
}

/// A root span and a child span, each started and ended.
fn spans(host: &SelectorHost) -> Result<Vec<Row>> {
    let wasm = include_bytes!("../../selectors/one-key.wasm").as_slice();
    let provider = RoutingTracerProvider::builder()
        .tracer("langfuse", sdk())
        .tracer("datadog", sdk())
        .tracer("console", sdk())
        .selectors(selector(host, wasm)?)
        .build()?;
    let tracer = provider.tracer("bench");
    let context = Context::new().with_runtime_context(context());
    let parent = context.with_span(tracer.start_with_context("answer", &context));
    let root = {
        let (tracer, context) = (tracer.clone(), context);
        move || tracer.start_with_context("answer", &context).end()
    };
    let child = move || {
        // Keeps the provider alive.
        let _ = &provider;
        tracer.start_with_context("look up", &parent).end();
    };
    Ok(vec![
        Row::new("root span", Clock::Thread, 1, root),
        Row::new("child span", Clock::Thread, 1, child),
    ])
}

/// A root with its children, until all of them are delivered over HTTP.
fn delivery(name: &'static str, receiver: &str, messages: bool) -> Result<Row> {
    let batch = BatchConfig::new()
        .max_queue_size(1 << 14)
        .scheduled_delay(Duration::from_secs(5));
    let config = TracerConfig::new()
        .exporter(Exporter::otlp(OtlpExporter::http(receiver)))
        .batch(batch);
    let provider = RoutingTracerProvider::builder()
        .tracer("only", config)
        .build()?;
    let tracer = provider.tracer("bench");
    let work = move || {
        let root = tracer.start_with_context("answer", &Context::new());
        let parent = Context::new().with_span(root);
        for number in 1..SPANS {
            let mut span = tracer.start_with_context("look up", &parent);
            span.set_attribute(KeyValue::new("step", i64::from(number)));
            span.set_attribute(KeyValue::new("shop.order", "a-1024"));
            if messages {
                span.set_attribute(KeyValue::new("gen_ai.input.messages", MESSAGES));
                span.set_attribute(KeyValue::new("gen_ai.request.model", "large"));
            }
            span.end();
        }
        parent.span().end();
        provider.force_flush().into_result().expect("delivered");
        let delivery = &provider.delivery()[0].exporters[0].1;
        assert_eq!(delivery.ended, delivery.delivered, "{delivery:?}");
    };
    Ok(Row::new(name, Clock::Process, SPANS, work))
}

const MESSAGES: &str = r#"[{"role":"system","parts":[{"type":"text","content":"You answer questions about orders, briefly and politely, and never invent an order that you have not looked up."}]},{"role":"user","parts":[{"type":"text","content":"Where is my order a-1024? I ordered two weeks ago, and the page of the carrier says that the parcel has left the warehouse, but nothing has arrived since. Could you find out whether it is lost, and send another one if it is?"}]}]"#;
