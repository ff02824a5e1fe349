//! Tests of code of the application that runs inside of tracing. It may start spans and
//! panic; neither reaches the call that starts or ends a span.
//!
//! | place | thread | when it starts a span | when it panics |
//! |---|---|---|---|
//! | selector | caller | a no-op | the trace goes to the fallback tracer |
//! | name or digest of a selector | caller | a no-op | the attribute is missing |
//! | `Sampling::custom` | caller | a no-op | the trace is recorded |
//! | sampler of a provider | caller | a no-op | the span is a no-op and counted |
//! | id generator of a provider | caller | a no-op | the span is a no-op and counted |
//! | `on_start` of a processor | caller | a no-op | the span is a no-op and counted |
//! | `on_end` of a processor or exporter | caller | a no-op | the span ends, the counts are right |
//! | custom redaction, writer of an exporter | exporter | a no-op | the exporter continues |
//! | shutdown and drop of a processor | shutdown | a no-op | the report names the tracer |

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::trace::{
    Link, Span as _, SpanId, SpanKind, TraceContextExt, TraceId, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    IdGenerator, InMemorySpanExporter, RandomIdGenerator, SamplingDecision, SamplingResult,
    SdkTracerProvider, ShouldSample, Span, SpanData, SpanProcessor,
};
use spanmux::exporters::Exporter;
use spanmux::otel::{OtelTracer, RoutingTracerProvider, Sampling, TracerConfig};
use spanmux::redaction::Redaction;
use spanmux::{Chain, Choice, ContextView, Selector, TracerNames};

use crate::support::attribute;

/// Code of the application: counts its runs, starts spans in every way, and may panic.
#[derive(Clone, Default)]
struct Code(Arc<State>);

#[derive(Default)]
struct State {
    provider: OnceLock<RoutingTracerProvider>,
    runs: AtomicUsize,
    panics: bool,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

impl Code {
    fn new(panics: bool) -> Self {
        Self(Arc::new(State {
            panics,
            ..State::default()
        }))
    }

    fn run(&self) {
        let runs = self.0.runs.fetch_add(1, Ordering::Relaxed);
        assert!(runs < 10_000, "runs for its own spans");
        let Some(provider) = self.0.provider.get() else {
            return;
        };
        let tracer = provider.tracer("inside");
        tracer.start_with_context("inside", &Context::new()).end();
        drop(tracer.start_with_context("inside, dropped", &Context::new()));
        #[cfg(feature = "layer")]
        tracing::info_span!("inside, of tracing").in_scope(|| tracing::info!("event"));
        assert!(!self.0.panics, "code of the application");
    }

    fn runs(&self) -> usize {
        self.0.runs.load(Ordering::Relaxed)
    }
}

impl ShouldSample for Code {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        self.run();
        SamplingResult {
            decision: SamplingDecision::RecordAndSample,
            attributes: Vec::new(),
            trace_state: opentelemetry::trace::TraceState::NONE,
        }
    }
}

impl IdGenerator for Code {
    fn new_trace_id(&self) -> TraceId {
        self.run();
        RandomIdGenerator::default().new_trace_id()
    }

    fn new_span_id(&self) -> SpanId {
        self.run();
        RandomIdGenerator::default().new_span_id()
    }
}

/// A processor that runs code at its start, its end, or its shutdown.
#[derive(Debug)]
struct Processor {
    code: Code,
    place: &'static str,
}

impl Processor {
    fn run_at(&self, place: &str) {
        if self.place == place {
            self.code.run();
        }
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, _: &mut Span, _: &Context) {
        self.run_at("start");
    }

    fn on_end(&self, _: SpanData) {
        self.run_at("end");
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.run_at("shutdown");
        Ok(())
    }
}

/// A selector whose name and digest are computed.
struct Named(Code);

impl Selector for Named {
    fn name(&self) -> &str {
        self.0.run();
        "named"
    }

    fn digest(&self) -> Option<&str> {
        self.0.run();
        Some("0123")
    }

    fn decide(&self, _: &ContextView<'_>, tracers: &TracerNames) -> Choice {
        tracers.choose("only")
    }
}

fn provider(tracer: impl Into<spanmux::otel::TracerSource>, code: &Code) -> RoutingTracerProvider {
    crate::support::several_subscribers();
    let provider = RoutingTracerProvider::builder()
        .tracer("only", tracer)
        .build()
        .unwrap();
    code.0.provider.set(provider.clone()).unwrap();
    provider
}

/// Starts and ends a root span and a child, directly and through `tracing`.
fn go(provider: &RoutingTracerProvider) -> usize {
    let tracer = provider.tracer("shop");
    let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    tracer.start_with_context("child", &root).end();
    root.span().end();
    #[cfg(feature = "layer")]
    {
        use tracing_subscriber::layer::SubscriberExt;
        let subscriber = tracing_subscriber::registry().with(provider.layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info_span!("root").in_scope(|| tracing::info_span!("child").in_scope(|| {}));
        });
        4
    }
    #[cfg(not(feature = "layer"))]
    2
}

const BOTH: [bool; 2] = [false, true];

#[test]
fn custom_sampling_may_start_spans_and_panic() {
    for panics in BOTH {
        let code = Code::new(panics);
        let asked = code.clone();
        let sampling = Sampling::custom(move |_| {
            asked.run();
            true
        });
        let config = TracerConfig::new()
            .exporter(Exporter::discard())
            .sampling(sampling);
        let provider = provider(config, &code);
        let spans = go(&provider);
        provider.force_flush().into_result().unwrap();
        let delivery = &provider.delivery()[0];
        assert_eq!(delivery.open, 0);
        assert_eq!(delivery.exporters[0].1.ended, spans as u64, "{panics}");
        assert_eq!(code.runs(), spans / 2, "once for each root");
    }
}

/// The function also runs for spans that are started with the provider of the SDK below
/// the tracer.
#[test]
fn custom_sampling_that_starts_a_span_of_the_sdk_ends() {
    let below: Arc<OnceLock<SdkTracerProvider>> = Arc::default();
    let inside = below.clone();
    let tracer = TracerConfig::new()
        .exporter(Exporter::discard())
        .sampling(Sampling::custom(move |_| {
            let provider = inside.get().unwrap();
            provider
                .tracer("inside")
                .start_with_context("inside", &Context::new())
                .end();
            true
        }))
        .build()
        .unwrap();
    below.set(tracer.provider().clone()).unwrap();
    let provider = RoutingTracerProvider::builder()
        .tracer("only", tracer)
        .build()
        .unwrap();
    go(&provider);
    let sdk = below.get().unwrap();
    sdk.tracer("below")
        .start_with_context("below", &Context::new())
        .end();
    assert_eq!(provider.delivery()[0].open, 0);
}

#[test]
fn sampler_of_a_provider_may_start_spans_and_panic() {
    for panics in BOTH {
        for is_ready in BOTH {
            let (code, spans) = (Code::new(panics), InMemorySpanExporter::default());
            let sdk = SdkTracerProvider::builder()
                .with_sampler(code.clone())
                .with_simple_exporter(spans.clone());
            let tracer = if is_ready {
                OtelTracer::new(sdk.build())
            } else {
                OtelTracer::from_builder(sdk)
            };
            assert_ends(&provider(tracer, &code), &code, &spans, panics);
        }
    }
}

#[test]
fn id_generator_of_a_provider_may_start_spans_and_panic() {
    for panics in BOTH {
        let (code, spans) = (Code::new(panics), InMemorySpanExporter::default());
        let sdk = SdkTracerProvider::builder()
            .with_id_generator(code.clone())
            .with_simple_exporter(spans.clone())
            .build();
        assert_ends(&provider(sdk, &code), &code, &spans, panics);
    }
}

#[test]
fn start_of_a_processor_may_start_spans_and_panic() {
    for panics in BOTH {
        let (code, spans) = (Code::new(panics), InMemorySpanExporter::default());
        let sdk = SdkTracerProvider::builder()
            .with_span_processor(Processor {
                code: code.clone(),
                place: "start",
            })
            .with_simple_exporter(spans.clone());
        let provider = provider(sdk, &code);
        let started = go(&provider);
        assert!(code.runs() > 0);
        assert_eq!(provider.delivery()[0].open, 0);
        // The root span is counted, but not the child of a span that is not sampled.
        let expected = if panics { started as u64 / 2 } else { 0 };
        assert_eq!(provider.dropped().panicked, expected);
    }
}

/// Without a panic, all spans are exported; with one, they are no-ops and counted.
fn assert_ends(
    provider: &RoutingTracerProvider,
    code: &Code,
    spans: &InMemorySpanExporter,
    panics: bool,
) {
    let started = go(provider);
    assert!(code.runs() >= started / 2);
    let exported = spans.get_finished_spans().unwrap().len();
    assert_eq!(exported, if panics { 0 } else { started });
    let dropped = provider.dropped();
    // The root span is counted, but not the child of a span that is not sampled.
    assert_eq!(dropped.total() as usize, (started - exported) / 2);
    assert_eq!(dropped.panicked, dropped.total());
    assert_eq!(provider.delivery()[0].open, 0);
}

#[test]
fn end_of_a_processor_may_start_spans_and_panic() {
    for panics in BOTH {
        let code = Code::new(panics);
        let sdk = SdkTracerProvider::builder().with_span_processor(Processor {
            code: code.clone(),
            place: "end",
        });
        let provider = provider(sdk, &code);
        let spans = go(&provider);
        assert_eq!(code.runs(), spans);
        assert_eq!(provider.delivery()[0].open, 0, "{panics}");
        assert_eq!(provider.dropped().total(), 0);
        // A tracer without open spans is removed without a wait.
        let report = provider.remove("only", Duration::from_secs(60)).unwrap();
        assert_eq!(report.succeeded, ["only"]);
    }
}

#[test]
fn shutdown_of_a_processor_may_start_spans_and_panic() {
    for panics in BOTH {
        let code = Code::new(panics);
        let sdk = SdkTracerProvider::builder().with_span_processor(Processor {
            code: code.clone(),
            place: "shutdown",
        });
        let provider = provider(sdk, &code);
        go(&provider);
        let report = provider.shutdown();
        assert_eq!(code.runs(), 1);
        assert_eq!(report.failed.len(), usize::from(panics), "{report:?}");
    }
}

#[test]
fn tracer_whose_shutdown_panics_is_dropped_with_its_last_span() {
    let code = Code::new(true);
    let sdk = SdkTracerProvider::builder().with_span_processor(Processor {
        code: code.clone(),
        place: "shutdown",
    });
    let provider = provider(sdk, &code);
    let span = provider
        .tracer("shop")
        .start_with_context("root", &Context::new());
    assert!(provider.registry().unregister("only"));
    drop(span);
    crate::support::eventually(|| code.runs() == 1);
}

#[test]
fn name_and_digest_of_a_selector_may_start_spans_and_panic() {
    for panics in BOTH {
        let (code, spans) = (Code::new(panics), InMemorySpanExporter::default());
        let sdk = SdkTracerProvider::builder().with_simple_exporter(spans.clone());
        let selector: Arc<dyn Selector> = Arc::new(Named(code.clone()));
        let provider = RoutingTracerProvider::builder()
            .tracer("only", sdk)
            .selectors(Chain::from(selector))
            .build()
            .unwrap();
        code.0.provider.set(provider.clone()).unwrap();
        let started = go(&provider);
        let spans = spans.get_finished_spans().unwrap();
        assert_eq!(spans.len(), started);
        let root = spans.iter().find(|span| span.name == "root").unwrap();
        let expected = (!panics).then(|| "named".to_owned());
        assert_eq!(attribute(root, "spanmux.selector"), expected);
        let expected = (!panics).then(|| "0123".to_owned());
        assert_eq!(attribute(root, "spanmux.selector.digest"), expected);
        assert_eq!(attribute(root, "spanmux.tracer").as_deref(), Some("only"));
    }
}

#[test]
fn selector_may_start_spans_and_panic() {
    for panics in BOTH {
        let (code, spans) = (Code::new(panics), InMemorySpanExporter::default());
        let sdk = SdkTracerProvider::builder().with_simple_exporter(spans.clone());
        let provider = provider(sdk, &code);
        let asked = code.clone();
        let selector = spanmux::selector_fn("asks", move |_, _| {
            asked.run();
            Choice::Abstain
        });
        provider.registry().set_selectors(Chain::from(selector));
        let started = go(&provider);
        assert_eq!(code.runs(), started / 2);
        assert_eq!(spans.get_finished_spans().unwrap().len(), started);
    }
}

#[test]
fn custom_redaction_may_start_spans_and_panic() {
    for panics in BOTH {
        let code = Code::new(panics);
        let asked = code.clone();
        let redaction = Redaction::default().custom(move |_, _| {
            asked.run();
            None
        });
        let config = TracerConfig::new()
            .exporter(Exporter::discard())
            .redaction(redaction);
        let provider = provider(config, &code);
        let spans = go(&provider) as u64;
        provider.force_flush().into_result().unwrap();
        let delivery = &provider.delivery()[0];
        assert_eq!(delivery.exporters[0].1.ended, spans);
        assert_eq!(delivery.exporters[0].1.delivered, spans, "{panics}");
    }
}

/// A value of the runtime context runs code when it is converted, before any lock.
#[test]
fn value_of_a_runtime_context_may_start_spans() {
    struct Value(Code);
    impl serde::Serialize for Value {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.run();
            serializer.serialize_str("value")
        }
    }
    let (code, spans) = (Code::new(false), InMemorySpanExporter::default());
    let sdk = SdkTracerProvider::builder().with_simple_exporter(spans.clone());
    let provider = provider(sdk, &code);
    let run = spanmux::RuntimeContext::builder().set_json("key", &Value(code.clone()));
    assert_eq!(run.build().view().text("key"), Some("value"));
    go(&provider);
    assert!(code.runs() > 0);
}

/// A value of a `tracing` field is formatted by the layer.
#[cfg(feature = "layer")]
#[test]
fn field_of_tracing_may_start_spans_and_panic() {
    use tracing_subscriber::layer::SubscriberExt;

    struct Value(Code);
    impl fmt::Display for Value {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.run();
            f.write_str("value")
        }
    }
    for panics in BOTH {
        let (code, spans) = (Code::new(panics), InMemorySpanExporter::default());
        let sdk = SdkTracerProvider::builder().with_simple_exporter(spans.clone());
        let provider = provider(sdk, &code);
        let value = Value(code.clone());
        // A panic reaches the macro, as it does with every other layer, and nothing else.
        let attempt = |work: &dyn Fn()| {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            assert_eq!(outcome.is_err(), panics);
        };
        let subscriber = tracing_subscriber::registry().with(provider.layer());
        tracing::subscriber::with_default(subscriber, || {
            attempt(&|| drop(tracing::info_span!("new", field = %value)));
            let span = tracing::info_span!("span", field = tracing::field::Empty);
            attempt(&|| {
                span.record("field", tracing::field::display(&value));
            });
            span.in_scope(|| {
                attempt(&|| {
                    span.record("field", tracing::field::display(&value));
                });
                attempt(&|| tracing::info!(field = %value));
            });
            drop(span);
            tracing::info_span!("later").in_scope(|| {});
        });
        assert!(code.runs() >= 4);
        let names: Vec<_> = spans.get_finished_spans().unwrap();
        let names = names.iter().map(|span| span.name.to_string());
        let names: Vec<_> = names.filter(|name| !name.starts_with("inside")).collect();
        assert!(names.contains(&"later".to_owned()), "{names:?}");
        assert!(names.contains(&"span".to_owned()), "{names:?}");
    }
}
