//! A provider with several tracers, each with an in-memory exporter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, Sampler, SdkTracerProvider, ShouldSample, SpanData,
};
use spanmux::otel::{
    OtelTracer, RoutingTracerProvider, RoutingTracerProviderBuilder as Builder, RuntimeContextExt,
};
use spanmux::{Chain, Choice, RuntimeContext, selector_fn};

/// The tracers of [`Fleet::new`]. The first one is the default tracer.
pub(crate) const NAMES: [&str; 3] = ["a", "b", "c"];

/// The carrier of the selected tracer from a root span to its children: the trace id, if
/// the tracers' providers are built here, or the `tracestate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    TraceId,
    Tracestate,
}

pub(crate) const CARRIERS: [Carrier; 2] = [Carrier::TraceId, Carrier::Tracestate];

/// Prevents one test from disabling the spans of another. While a process has a single
/// subscriber, `tracing` asks the subscriber of the thread that reloads a filter, which may
/// have none, and caches the answer for all threads. These two stay until the process ends.
pub(crate) fn several_subscribers() {
    use tracing::Dispatch;
    use tracing::subscriber::NoSubscriber;
    static KEPT: std::sync::OnceLock<[Dispatch; 2]> = std::sync::OnceLock::new();
    KEPT.get_or_init(|| [(); 2].map(|()| Dispatch::new(NoSubscriber::new())));
}

/// A provider, its tracers' exporters, and the number of selector runs.
pub(crate) struct Fleet {
    pub(crate) provider: RoutingTracerProvider,
    pub(crate) exporters: BTreeMap<String, InMemorySpanExporter>,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        Self::by(Carrier::TraceId)
    }

    pub(crate) fn by(carrier: Carrier) -> Self {
        Self::built(carrier, |builder| builder)
    }

    /// Creates a fleet with these settings of the provider.
    pub(crate) fn with(settings: impl FnOnce(Builder) -> Builder) -> Self {
        Self::built(Carrier::TraceId, settings)
    }

    /// Like [`with`](Self::with), for the given carrier.
    pub(crate) fn built(carrier: Carrier, settings: impl FnOnce(Builder) -> Builder) -> Self {
        let sampler = || Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
        Self::made(carrier, sampler, settings)
    }

    /// Creates a fleet whose tracers all use this sampler.
    pub(crate) fn sampled<S: ShouldSample + 'static>(
        carrier: Carrier,
        sampler: impl Fn() -> S,
    ) -> Self {
        Self::made(carrier, sampler, |builder| builder)
    }

    fn made<S: ShouldSample + 'static>(
        carrier: Carrier,
        sampler: impl Fn() -> S,
        settings: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        several_subscribers();
        let asked = Arc::new(AtomicUsize::new(0));
        let mut exporters = BTreeMap::new();
        let mut builder = RoutingTracerProvider::builder().selectors(by_key(&asked));
        for name in NAMES {
            let exporter = InMemorySpanExporter::default();
            let sampler: Box<dyn ShouldSample> = Box::new(sampler());
            let sdk = SdkTracerProvider::builder()
                .with_sampler(sampler)
                .with_simple_exporter(exporter.clone());
            builder = match carrier {
                Carrier::TraceId => builder.tracer(name, sdk),
                Carrier::Tracestate => builder.tracer(name, sdk.build()),
            };
            exporters.insert(name.to_owned(), exporter);
        }
        let provider = settings(builder).build().unwrap();
        Self {
            provider,
            exporters,
            asked,
        }
    }

    /// Returns the context of a new root span in this tracer.
    pub(crate) fn root(&self, name: &str) -> SpanContext {
        let root = self
            .provider
            .tracer("shop")
            .start_with_context("root", &run(name));
        root.span_context().clone()
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Returns the spans that a tracer exported.
    pub(crate) fn spans(&self, name: &str) -> Vec<SpanData> {
        self.exporters[name].get_finished_spans().unwrap()
    }

    /// Returns the number of spans that each tracer exported.
    pub(crate) fn counts(&self) -> Vec<usize> {
        let of = |exporter: &InMemorySpanExporter| exporter.get_finished_spans().unwrap().len();
        self.exporters.values().map(of).collect()
    }
}

/// Chooses the tracer named by the key `tracer`, and counts its runs.
pub(crate) fn by_key(asked: &Arc<AtomicUsize>) -> Chain {
    let asked = asked.clone();
    Chain::from(selector_fn("by-key", move |context, tracers| {
        asked.fetch_add(1, Ordering::Relaxed);
        match context.text("tracer") {
            Some(name) => tracers.choose(name),
            None => Choice::Abstain,
        }
    }))
}

/// Returns a context without a span whose runtime context selects this tracer.
pub(crate) fn run(tracer: &str) -> Context {
    Context::new().with_runtime_context(wants(tracer))
}

pub(crate) fn wants(tracer: &str) -> RuntimeContext {
    RuntimeContext::builder().set("tracer", tracer).build()
}

/// Creates a tracer whose exported spans can be inspected.
pub(crate) fn tracer() -> (OtelTracer, InMemorySpanExporter) {
    let exporter = InMemorySpanExporter::default();
    let sdk = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
    (OtelTracer::from_builder(sdk), exporter)
}

/// Returns a span context as received with a request.
pub(crate) fn remote(state: &str) -> SpanContext {
    SpanContext::new(
        TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
        SpanId::from(0x00f0_67aa_0ba9_02b7),
        TraceFlags::SAMPLED,
        true,
        state.parse::<TraceState>().unwrap(),
    )
}

/// Returns the value of a span's attribute.
pub(crate) fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let mut all = span.attributes.iter();
    all.find(|kv| kv.key.as_str() == key)
        .map(|kv| kv.value.as_str().into_owned())
}

/// Asserts that the spans form one complete tree: one trace, one root span, and the
/// parent of every other span is present.
pub(crate) fn assert_whole(spans: &[SpanData]) {
    let root = spans
        .iter()
        .filter(|span| span.parent_span_id == SpanId::INVALID);
    assert_eq!(root.count(), 1, "one root");
    for span in spans {
        assert_eq!(
            span.span_context.trace_id(),
            spans[0].span_context.trace_id()
        );
        let parent = span.parent_span_id;
        assert!(
            parent == SpanId::INVALID || spans.iter().any(|of| of.span_context.span_id() == parent),
            "{} has its parent",
            span.name
        );
    }
}

/// Waits for a result of another thread.
pub(crate) fn eventually(is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(60), "timed out");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The headers of a request. Names are compared without case, and one name may occur
/// several times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

impl Headers {
    pub(crate) fn of(headers: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(headers.iter().map(owned).collect())
    }
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        self.get_all(key)?.first().copied()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let named = self
            .0
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(key));
        let values: Vec<&str> = named.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then_some(values)
    }
}

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        self.0.retain(|(name, _)| !name.eq_ignore_ascii_case(key));
        self.0.push((key.to_owned(), value));
    }
}
