//! Shared test support.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use spanmux::genai::{Ai, AiOptions};
use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt};
use spanmux::{Chain, Choice, RuntimeContext, selector_fn};

/// Creates a handle over the plain SDK, and the exporter of its spans.
pub(crate) fn ai(options: AiOptions) -> (Ai, InMemorySpanExporter) {
    let exporter = InMemorySpanExporter::default();
    let sdk = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    (Ai::with_options(sdk.tracer("shop"), options), exporter)
}

/// Returns the exported spans in the order in which they ended.
pub(crate) fn spans(exporter: &InMemorySpanExporter) -> Vec<SpanData> {
    exporter.get_finished_spans().unwrap()
}

/// Formats attributes as sorted `key=value` lines. Panics on a duplicate key.
pub(crate) fn shown(attributes: &[KeyValue]) -> Vec<String> {
    let mut all = BTreeMap::new();
    for kv in attributes {
        let before = all.insert(kv.key.to_string(), kv.value.to_string());
        assert_eq!(before, None, "duplicate attribute {}", kv.key);
    }
    all.iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

pub(crate) fn value(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|kv| kv.key.as_str() == key);
    found.map(|kv| kv.value.to_string())
}

/// The tracers of [`Fleet`]. The first is the default.
pub(crate) const NAMES: [&str; 2] = ["default", "other"];

/// The carrier of the selected tracer: the trace id, or the `tracestate`.
pub(crate) const CARRIERS: [bool; 2] = [true, false];

/// A routing provider with a selector that chooses the tracer named in the runtime context.
pub(crate) struct Fleet {
    pub(crate) provider: RoutingTracerProvider,
    exporters: Vec<InMemorySpanExporter>,
    asked: Arc<AtomicUsize>,
}

impl Fleet {
    pub(crate) fn new(by_trace_id: bool) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let by_key = selector_fn("by-key", move |context, tracers| {
            count.fetch_add(1, Ordering::Relaxed);
            let wanted = context.text("tracer");
            wanted.map_or(Choice::Abstain, |name| tracers.choose(name))
        });
        let exporters: Vec<_> = NAMES.map(|_| InMemorySpanExporter::default()).into();
        let mut builder = RoutingTracerProvider::builder().selectors(Chain::from(by_key));
        for (name, exporter) in NAMES.iter().zip(&exporters) {
            let sdk = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
            builder = if by_trace_id {
                builder.tracer(*name, sdk)
            } else {
                builder.tracer(*name, sdk.build())
            };
        }
        let provider = builder.build().unwrap();
        Self {
            provider,
            exporters,
            asked,
        }
    }

    pub(crate) fn ai(&self) -> Ai {
        Ai::new(self.provider.tracer("shop"))
    }

    /// Returns the spans that one tracer exported.
    pub(crate) fn spans(&self, name: &str) -> Vec<SpanData> {
        let place = NAMES.iter().position(|known| *known == name).unwrap();
        spans(&self.exporters[place])
    }

    /// Returns the number of spans that each tracer exported.
    pub(crate) fn counts(&self) -> Vec<usize> {
        NAMES.map(|name| self.spans(name).len()).into()
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Creates a context without a span, for a run that asks for this tracer.
pub(crate) fn run(tracer: &str) -> Context {
    let run = RuntimeContext::builder().set("tracer", tracer);
    Context::new().with_runtime_context(run.build())
}
