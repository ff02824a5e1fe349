//! This tree beside the plain means that it replaces or extends: a map, a JSON parser, a closure, the
//! SDK of OpenTelemetry.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use ::now as spanmux;
use anyhow::Result;
use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::{
    Span as _, SpanBuilder, TraceContextExt as _, Tracer, TracerProvider as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
    TracerProviderBuilder,
};
use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt as _, attributes};
use spanmux::{Chain, Limits, RuntimeContext, Selector, SelectorHost, TracerRegistry};

use crate::{Clock, Row};

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// A provider of the SDK. Both sides have the same resource, and a queue that does not overflow: to
/// drop a span is cheaper than to queue it.
fn sdk() -> TracerProviderBuilder {
    let queue = BatchConfigBuilder::default().with_max_queue_size(1 << 16);
    let processor = BatchSpanProcessor::builder(Nowhere).with_batch_config(queue.build());
    SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name("bench").build())
        .with_span_processor(processor.build())
}

fn entries() -> Vec<(String, String)> {
    (0..20)
        .map(|number| (format!("key.{number}"), format!("value {number}")))
        .collect()
}

fn context(entries: &[(String, String)]) -> RuntimeContext {
    let builder = entries
        .iter()
        .fold(RuntimeContext::builder(), |builder, (key, value)| {
            builder.set(key, value)
        });
    builder.build()
}

fn row(name: &'static str, work: impl FnMut() + 'static) -> Row {
    Row::new(name, Clock::Thread, 1, work)
}

/// The yardsticks, each with the work of this tree.
pub fn rows() -> Result<Vec<(Row, Row)>> {
    let mut rows = contexts();
    rows.extend(hits()?);
    rows.extend(spans()?);
    Ok(rows)
}

fn three(builder: spanmux::RuntimeContextBuilder) -> RuntimeContext {
    builder
        .set("tenant", "acme")
        .set("user", "u-1024")
        .set("tier", "free")
        .build()
}

fn contexts() -> Vec<(Row, Row)> {
    let entries = entries();
    let map = {
        let entries = entries.clone();
        move || {
            drop(black_box(
                entries.iter().cloned().collect::<HashMap<_, _>>(),
            ))
        }
    };
    let ours = {
        let entries = entries.clone();
        move || drop(black_box(context(&entries)))
    };
    let alone = || drop(black_box(three(RuntimeContext::builder())));
    let service = context(&entries);
    let extended = move || drop(black_box(three(service.to_builder())));
    let members: Vec<_> = entries
        .iter()
        .map(|(key, value)| format!("\"{key}\": \"{value}\""))
        .collect();
    let json = Arc::new(format!("{{{}}}", members.join(", ")));
    let value = {
        let json = json.clone();
        move || drop(black_box(serde_json::from_str::<serde_json::Value>(&json)))
    };
    let parsed = move || drop(black_box(RuntimeContext::from_json(&json)));
    let view = |key: &'static str| {
        let context = context(&self::entries()).to_builder().set("tier", "free");
        let context = context.build();
        move || {
            black_box(context.view().get(black_box(key)));
        }
    };
    vec![
        (
            row("a `HashMap<String, String>`", map),
            row("build 20 keys", ours),
        ),
        (
            row("the 3 keys alone", alone),
            row("a base of 20 keys plus 3", extended),
        ),
        (
            row("`serde_json::Value`", value),
            row("20 keys from JSON", parsed),
        ),
        (
            row("a present plain key", view("tier")),
            row("an absent dotted key", view("user.tier")),
        ),
    ]
}

fn registry(host: &SelectorHost, files: &[&[u8]]) -> Result<TracerRegistry<()>> {
    let registry = TracerRegistry::new();
    for tracer in ["langfuse", "datadog", "console"] {
        registry.register(tracer, ())?;
    }
    let load = |wasm: &&[u8]| Ok(Arc::new(host.load("bench", wasm)?) as Arc<dyn Selector>);
    let selectors: Result<Vec<_>> = files.iter().map(load).collect();
    registry.set_selectors(selectors?.into_iter().collect::<Chain>());
    Ok(registry)
}

fn hits() -> Result<Vec<(Row, Row)>> {
    let host = SelectorHost::new(Limits::default())?;
    let one_key = include_bytes!("../../selectors/one-key.wasm").as_slice();
    let abstains = include_bytes!("../../selectors/abstains.wasm").as_slice();
    let entries: Vec<_> = entries()
        .into_iter()
        .chain([
            ("environment".to_owned(), "production".to_owned()),
            ("tenant".to_owned(), "acme".to_owned()),
        ])
        .collect();
    let map: HashMap<String, String> = entries.iter().cloned().collect();
    let closure: Box<dyn Fn(&HashMap<String, String>) -> Option<&'static str>> =
        Box::new(|map| match map.get("environment").map(String::as_str) {
            Some("production") => Some("langfuse"),
            Some("staging") => Some("datadog"),
            Some(_) => Some("console"),
            None => None,
        });
    let closure = black_box(closure);
    let native = move || {
        black_box(closure(black_box(&map)));
    };
    let context = context(&entries);
    let hit = |registry: TracerRegistry<()>| {
        let context = context.clone();
        move || {
            black_box(registry.select(&context.view()).tracer());
        }
    };
    let one = hit(registry(&host, &[one_key])?);
    let alone = hit(registry(&host, &[abstains])?);
    let sixteen = hit(registry(&host, &[abstains; 16])?);
    Ok(vec![
        (
            row("a closure over a `HashMap`", native),
            row("hit, one key", one),
        ),
        (
            row("a chain of one", alone),
            row("a chain of 16 with one shared key", sixteen),
        ),
    ])
}

/// The tracers of both sides, with the context of a request.
///
/// The plain provider has no selection, so its root spans receive the attributes that the other one
/// writes.
fn providers() -> Result<(SdkTracerProvider, RoutingTracerProvider, [KeyValue; 3])> {
    let host = SelectorHost::new(Limits::default())?;
    let wasm = include_bytes!("../../selectors/one-key.wasm");
    let selector = Arc::new(host.load("bench", wasm)?);
    let reason = [
        KeyValue::new(attributes::TRACER, "langfuse"),
        KeyValue::new(attributes::SELECTOR, "bench"),
        KeyValue::new(
            attributes::SELECTOR_DIGEST,
            selector.digest().unwrap_or_default().to_owned(),
        ),
    ];
    let provider = RoutingTracerProvider::builder()
        .tracer("langfuse", sdk())
        .tracer("datadog", sdk())
        .tracer("console", sdk())
        .selectors(selector as Arc<dyn Selector>)
        .build()?;
    Ok((sdk().build(), provider, reason))
}

fn spans() -> Result<Vec<(Row, Row)>> {
    let (sdk, ours, reason) = providers()?;
    let (theirs, mine) = (sdk.tracer("bench"), ours.tracer("bench"));
    let runtime = context(&entries()).to_builder();
    let runtime = runtime.set("environment", "production").build();
    let with_context = Context::new().with_runtime_context(runtime);
    let mut rows = vec![(
        row(
            "the SDK, same attributes",
            root(theirs.clone(), Context::new(), reason.to_vec()),
        ),
        row(
            "root span",
            root(mine.clone(), with_context.clone(), Vec::new()),
        ),
    )];
    rows.push((
        row("the SDK", child(theirs.clone(), &Context::new())),
        row("child span", child(mine.clone(), &with_context)),
    ));
    rows.push((
        two_threads("the SDK", theirs.clone(), &Context::new()),
        two_threads("child span, two threads", mine.clone(), &with_context),
    ));
    let theirs = move || request(&theirs, &Context::new(), &reason);
    let entries = entries();
    let mine = move || {
        // Keeps both providers alive.
        let _ = (&sdk, &ours);
        let context = entries
            .iter()
            .fold(RuntimeContext::builder(), |builder, (key, value)| {
                builder.set(key, value)
            });
        let context = context.set("environment", "production").build();
        request(&mine, &Context::new().with_runtime_context(context), &[]);
    };
    rows.push((
        row("the SDK alone, same attributes", theirs),
        row("a request: context, root, ten children", mine),
    ));
    Ok(rows)
}

fn root<T: Tracer + 'static>(tracer: T, context: Context, attributes: Vec<KeyValue>) -> impl FnMut()
where
    T::Span: Send + Sync + 'static,
{
    move || start(&tracer, &context, &attributes).end()
}

fn start<T: Tracer>(tracer: &T, context: &Context, attributes: &[KeyValue]) -> T::Span {
    let mut root = SpanBuilder::from_name("answer");
    if !attributes.is_empty() {
        root = root.with_attributes(attributes.to_vec());
    }
    tracer.build_with_context(root, context)
}

fn child<T: Tracer + 'static>(tracer: T, context: &Context) -> impl FnMut() + use<T>
where
    T::Span: Send + Sync + 'static,
{
    let parent = context.with_span(tracer.start_with_context("answer", context));
    move || tracer.start_with_context("look up", &parent).end()
}

/// Child spans on two threads at once, each with a trace of its own.
fn two_threads<T: Tracer + Clone + Send + Sync + 'static>(
    name: &'static str,
    tracer: T,
    context: &Context,
) -> Row
where
    T::Span: Send + Sync + 'static,
{
    const EACH: u32 = 20_000;
    let context = context.clone();
    Row::new(name, Clock::Process, 2 * EACH, move || {
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let mut work = child(tracer.clone(), &context);
                scope.spawn(move || (0..EACH).for_each(|_| work()));
            }
        });
    })
}

fn request<T: Tracer>(tracer: &T, context: &Context, attributes: &[KeyValue])
where
    T::Span: Send + Sync + 'static,
{
    let parent = context.with_span(start(tracer, context, attributes));
    for _ in 0..10 {
        tracer.start_with_context("look up", &parent).end();
    }
    parent.span().end();
}
