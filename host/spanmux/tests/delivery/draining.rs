//! Tests for removing tracers and limiting open spans.

use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    SdkTracerProvider, Span, SpanData, SpanProcessor, TracerProviderBuilder,
};
use parking_lot::Mutex;
use spanmux::otel::{RoutingTracerProvider, Sampling, TracerSource};
use spanmux::{Chain, selector_fn};

use crate::support::*;

#[test]
fn remove_drains_open_traces_first() {
    let exporter = Scripted::always(Does::Take);
    let provider = provider(&[&exporter], patient(100, 10));
    let tracer = provider.tracer("shop");
    let root = Context::new().with_span(tracer.start("root"));
    tracer.start_with_context("early", &root).end();
    let removed = thread::scope(|scope| {
        let removing = scope.spawn(|| provider.remove("only", LONG).unwrap());
        eventually(|| !provider.registry().contains("only"));
        // Ended spans are sent. The open trace continues in its tracer.
        eventually(|| exporter.took("early") == 1);
        tracer.start_with_context("late", &root).end();
        assert_eq!(exporter.shut_downs(), 0);
        root.span().end();
        removing.join().unwrap()
    });
    assert_eq!(removed.succeeded, ["only"]);
    assert_eq!((exporter.took("root"), exporter.took("late")), (1, 1));
    assert_eq!((exporter.taken(), exporter.shut_downs()), (3, 1));
    assert_eq!(provider.dropped().total(), 0);
}

/// The selected tracer may be removed while the decision is running.
#[test]
fn root_starts_in_a_tracer_removed_after_its_selection() {
    let exporter = Scripted::always(Does::Take);
    let provider = provider(&[&exporter], patient(100, 10));
    let registry = provider.registry().clone();
    let (asked, is_asked) = std::sync::mpsc::channel();
    let slow = selector_fn("slow", move |_, tracers| {
        asked.send(()).unwrap();
        eventually(|| !registry.contains("only"));
        tracers.choose("only")
    });
    provider.registry().set_selectors(Chain::from(slow));
    let tracer = provider.tracer("shop");
    let removed = thread::scope(|scope| {
        let starting = scope.spawn(|| tracer.start("root").end());
        is_asked.recv().unwrap();
        let removed = provider.remove("only", LONG).unwrap();
        starting.join().unwrap();
        removed
    });
    assert_eq!(removed.succeeded, ["only"]);
    assert_eq!((exporter.took("root"), provider.dropped().total()), (1, 0));
}

#[test]
fn remove_reports_and_counts_open_spans_at_the_deadline() {
    let exporter = Scripted::always(Does::Take);
    let provider = provider(&[&exporter], patient(100, 10));
    let tracer = provider.tracer("shop");
    let open = [tracer.start("a"), tracer.start("b")];
    tracer.start("ended").end();
    let _report = provider.force_flush_with_timeout(LONG);
    let report = provider.remove("only", Duration::from_millis(20)).unwrap();
    assert!(report.failed[0].timed_out);
    assert_eq!(
        report.failed[0].message,
        r#"spans still open: 2 (roots: "a", "b")"#
    );
    drop(open);
    assert_eq!(exporter.taken(), 1);
    assert_eq!(provider.dropped().after_shutdown, 2);
    let missing = provider.remove("only", LONG).unwrap_err();
    assert_eq!(missing.name, "only");
}

#[test]
fn tracer_with_a_second_name_stays_after_remove() {
    let exporter = Scripted::always(Does::Take);
    let provider = provider(&[&exporter], patient(100, 10));
    let tracer = provider.registry().get("only").unwrap();
    provider.registry().register("other", tracer).unwrap();
    end_spans(&provider, 5);
    assert_eq!(provider.remove("only", LONG).unwrap().succeeded, ["only"]);
    end_spans(&provider, 5);
    assert_eq!(exporter.shut_downs(), 0);
    assert_eq!(provider.remove("other", LONG).unwrap().succeeded, ["other"]);
    assert_eq!((exporter.taken(), exporter.shut_downs()), (10, 1));
}

/// Records the thread that shuts it down.
#[derive(Clone, Debug, Default)]
struct Remembers(Arc<Mutex<Option<ThreadId>>>);

impl SpanProcessor for Remembers {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        *self.0.lock() = Some(thread::current().id());
        Ok(())
    }
}

/// Otherwise the thread that ends the span would wait for the exporters.
#[test]
fn last_span_of_a_tracer_shuts_it_down_on_another_thread() {
    let shut_down_on = Remembers::default();
    let sdk = || SdkTracerProvider::builder().with_span_processor(shut_down_on.clone());
    let sources: [fn(TracerProviderBuilder) -> TracerSource; 2] =
        [|built| built.into(), |ready| ready.build().into()];
    for source in sources {
        let builder = RoutingTracerProvider::builder().tracer("only", source(sdk()));
        let provider = builder.build().unwrap();
        let open = provider.tracer("shop").start("open");
        provider.registry().unregister("only");
        assert_eq!(*shut_down_on.0.lock(), None);
        drop(open);
        eventually(|| shut_down_on.0.lock().is_some());
        let on = shut_down_on.0.lock().take();
        assert_ne!(on, Some(thread::current().id()));
    }
}

#[test]
fn counts_outlive_their_tracer() {
    let provider = RoutingTracerProvider::builder().build().unwrap();
    for round in 1..=3 {
        let exporter = Scripted::new(|call| if call == 0 { Does::Take } else { Does::Fail });
        let config = config(&[&exporter], patient(100, 10));
        provider
            .registry()
            .register("tenant", config.build().unwrap())
            .unwrap();
        end_spans(&provider, 20);
        let report = provider.remove("tenant", LONG).unwrap();
        assert_eq!(report.failed[0].lost, 10);
        let delivery = provider.delivery();
        assert_eq!(delivery.len(), 1);
        assert_eq!(delivery[0].tracer, "tenant");
        let (name, counts) = &delivery[0].exporters[0];
        assert_eq!(name, "custom");
        assert_eq!((counts.ended, counts.delivered), (20 * round, 10 * round));
        assert_adds_up(counts);
    }
}

#[test]
fn open_spans_are_limited_and_counted() {
    let exporter = Scripted::always(Does::Take);
    let config = config(&[&exporter], patient(100, 10)).max_open_spans(3);
    let provider = of(config);
    let tracer = provider.tracer("shop");
    let root = Context::new().with_span(tracer.start("root"));
    let mut open: Vec<_> = (0..2)
        .map(|_| tracer.start_with_context("open", &root))
        .collect();
    // A child beyond the limit is not recorded. Spans below it become children of its
    // parent.
    let mut beyond = tracer.start_with_context("beyond", &root);
    beyond.set_attribute(KeyValue::new("a", 1));
    assert!(!beyond.is_recording());
    assert_eq!(beyond.span_context(), root.span().span_context());
    // A new trace beyond the limit is not recorded either, including all of its spans.
    let other = Context::new().with_span(tracer.start("other"));
    assert!(!other.span().span_context().is_sampled());
    assert_eq!(provider.dropped().too_many_open, 2);
    open.pop();
    let child = tracer.start_with_context("child", &root);
    assert!(child.is_recording());
    tracer.start_with_context("of other", &other).end();
    assert_eq!(provider.delivery()[0].open, 3);
    drop((open, child, beyond, other));
    root.span().end();
    assert_eq!(provider.force_flush_with_timeout(LONG).failed, []);
    assert_eq!((exporter.taken(), provider.delivery()[0].open), (4, 0));
}

#[test]
fn unsampled_spans_do_not_count_as_open() {
    let exporter = Scripted::always(Does::Take);
    let config = config(&[&exporter], patient(100, 10)).sampling(Sampling::Never);
    let provider = of(config.max_open_spans(1));
    let open: Vec<_> = (0..10)
        .map(|_| provider.tracer("shop").start("open"))
        .collect();
    assert_eq!(
        (provider.delivery()[0].open, provider.dropped().total()),
        (0, 0)
    );
    drop(open);
    assert_eq!(counts(&provider)[0].ended, 0);
}
