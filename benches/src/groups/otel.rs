//! Root and child spans: a routing provider compared with the SDK's own provider, which writes the
//! same attributes. Both use a batch processor whose exporter discards the spans.

use std::sync::Arc;

use anyhow::Result;
use opentelemetry::global;
use opentelemetry::trace::{
    Span as _, SpanBuilder, TraceContextExt as _, Tracer, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
    TracerProviderBuilder,
};
use spanmux::Selector;
use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt as _, attributes};
use tracing_subscriber::layer::SubscriberExt as _;

use super::Bench;
use crate::engines::spanmux_side;
use crate::measure::{self, Subject};
use crate::questions::Question;
use crate::report::{Bound, Table, nanos, number};

/// Discards every batch.
#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// The queue is longer than the default, which would overflow: dropping a span is cheaper than
/// queuing it.
fn sdk() -> TracerProviderBuilder {
    let queue = BatchConfigBuilder::default().with_max_queue_size(1 << 16);
    let processor = BatchSpanProcessor::builder(Nowhere).with_batch_config(queue.build());
    SdkTracerProvider::builder().with_span_processor(processor.build())
}

/// The APIs with which an application creates spans.
const WAYS: [&str; 3] = ["the API", "a boxed global tracer", "the `tracing` layer"];

pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    let selector = spanmux_side::host()?.load("bench", Question::OneKey.component())?;
    let selector = Arc::new(selector);
    let reason = [
        KeyValue::new(attributes::TRACER, "langfuse"),
        KeyValue::new(attributes::SELECTOR, "bench"),
        KeyValue::new(
            attributes::SELECTOR_DIGEST,
            selector.digest().unwrap_or_default().to_owned(),
        ),
    ];
    let routing = RoutingTracerProvider::builder()
        .tracer("langfuse", sdk())
        .tracer("datadog", sdk())
        .tracer("console", sdk())
        .selectors(selector as Arc<dyn spanmux::Selector>)
        .build()?;
    let direct = sdk().build();
    let case = Question::OneKey.cases().swap_remove(0);
    let context = Context::new().with_runtime_context(case.context);

    global::set_tracer_provider(direct.clone());
    let boxed_direct = global::tracer("bench");
    global::set_tracer_provider(routing.clone());
    let boxed_routing = global::tracer("bench");

    let (own, ours) = (direct.tracer("bench"), routing.tracer("bench"));
    // The plain provider has no selection, so it receives the attributes that the other one writes.
    let plain = Some(&reason);
    let mut subjects = Vec::new();
    subjects.extend(pair(&own, &context, plain));
    subjects.extend(pair(&ours, &context, None));
    subjects.extend(pair(&boxed_direct, &context, plain));
    subjects.extend(pair(&boxed_routing, &context, None));
    subjects.extend(layered(own.clone(), &context, true));
    subjects.extend(layered(ours.clone(), &context, false));
    let rounds = measure::rounds(&mut subjects, bench.effort.part(2));

    let mut table = Table::new(["spans through", "", "SDK alone", "Spanmux", "times"]);
    for (way, name) in WAYS.iter().enumerate() {
        let figures = |place: usize| &rounds[way * 4 + place];
        for (kind, place, goal) in [("root", 0, 1.5), ("child", 1, 1.3)] {
            let (plain, routed) = (figures(place), figures(place + 2));
            let ratio = measure::ratio(routed, plain);
            let cells = [
                nanos(measure::median(plain)),
                nanos(measure::median(routed)),
                number(ratio),
            ];
            table.row(
                [(*name).to_owned(), kind.to_owned()]
                    .into_iter()
                    .chain(cells),
            );
            let what = format!("{kind} span through {name}: times the SDK alone");
            bench.report.goal(what, Bound::AtMost(goal), ratio);
        }
    }
    table.print();
    drop(subjects);
    for failure in routing.shutdown().failed {
        println!("{failure}");
    }
    Ok(direct.shutdown()?)
}

/// A root span and a child span, each started and ended.
fn pair<'a, T>(
    tracer: &'a T,
    context: &'a Context,
    reason: Option<&'a [KeyValue; 3]>,
) -> [Subject<'a>; 2]
where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    let builder = |name| SpanBuilder::from_name(name);
    let root = move || {
        let builder = match reason {
            Some(reason) => builder("answer").with_attributes(reason.clone()),
            None => builder("answer"),
        };
        tracer.build_with_context(builder, context).end();
    };
    let parent = context.with_span(tracer.build_with_context(builder("answer"), context));
    let child = move || tracer.build_with_context(builder("look up"), &parent).end();
    [Subject::new(root), Subject::new(child)]
}

/// The same through `tracing`, with the context attached as in an application.
fn layered<'a, T>(tracer: T, context: &'a Context, reason: bool) -> [Subject<'a>; 2]
where
    T: Tracer + Clone + Send + Sync + 'static,
    T::Span: Send + Sync + 'static,
{
    let digest = "0".repeat(64);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    let subscriber = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    let inside = subscriber.clone();
    let parent = {
        let _attached = context.clone().attach();
        tracing::dispatcher::with_default(&inside, || tracing::info_span!("answer"))
    };
    let root = move || {
        let _attached = context.clone().attach();
        tracing::dispatcher::with_default(&subscriber, || {
            if reason {
                drop(
                    tracing::info_span!(
                        "answer",
                        spanmux.tracer = "langfuse",
                        spanmux.selector = "bench",
                        spanmux.selector.digest = digest
                    )
                    .entered(),
                )
            } else {
                drop(tracing::info_span!("answer").entered())
            }
        });
    };
    let child = move || {
        tracing::dispatcher::with_default(&inside, || {
            drop(tracing::info_span!(parent: &parent, "look up").entered());
        });
    };
    [Subject::new(root), Subject::new(child)]
}
