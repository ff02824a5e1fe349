//! Taking tracers out, and bounding what is open.

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
use spanmux::{Chain, Selector, native};

use crate::support::*;

#[test]
fn a_tracer_is_drained_before_it_is_removed() {
    let exporter = Scripted::always(Does::Take);
    let provider = provider(&[&exporter], patient(100, 10));
    let tracer = provider.tracer("shop");
    let root = Context::new().with_span(tracer.start("root"));
    tracer.start_with_context("early", &root).end();
    let removed = thread::scope(|scope| {
        let removing = scope.spawn(|| provider.remove("only", LONG).unwrap());
        eventually(|| !provider.registry().has("only"));
        // What ended before is sent, and the open trace goes on in its tracer.
        eventually(|| exporter.took("early") == 1);
        tracer.start_with_context("late", &root).end();
        assert_eq!(exporter.shut_downs(), 0);
        root.span().end();
        removing.join().unwrap()
    });
    assert_eq!(removed.succeeded, ["only"]);
    assert_eq!((exporter.took("root"), exporter.took("late")), (1, 1));
    assert_eq!((exporter.taken(), exporter.shut_downs()), (3, 1));
    assert_eq!(provider.lost().total(), 0);
}

/// A decision takes its time, and the tracer that it comes to may be taken out
/// meanwhile.
#[test]
fn a_root_that_chose_a_tracer_before_it_was_removed_starts_in_it() {
    let exporter = Scripted::always(Does::Take);
    let provider = provider(&[&exporter], patient(100, 10));
    let registry = provider.registry().clone();
    let (asked, is_asked) = std::sync::mpsc::channel();
    let slow = native("slow", move |_, tracers| {
        asked.send(()).unwrap();
        eventually(|| !registry.has("only"));
        tracers.choose("only")
    });
    provider
        .registry()
        .set_selectors(Chain::new([Arc::new(slow) as Arc<dyn Selector>]));
    let tracer = provider.tracer("shop");
    let removed = thread::scope(|scope| {
        let starting = scope.spawn(|| tracer.start("root").end());
        is_asked.recv().unwrap();
        let removed = provider.remove("only", LONG).unwrap();
        starting.join().unwrap();
        removed
    });
    assert_eq!(removed.succeeded, ["only"]);
    assert_eq!((exporter.took("root"), provider.lost().total()), (1, 0));
}

#[test]
fn what_is_open_when_the_time_is_up_is_told_and_counted() {
    let exporter = Scripted::always(Does::Take);
    let provider = provider(&[&exporter], patient(100, 10));
    let tracer = provider.tracer("shop");
    let open = [tracer.start("a"), tracer.start("b")];
    tracer.start("ended").end();
    let _report = provider.flush_within(LONG);
    let report = provider.remove("only", Duration::from_millis(20)).unwrap();
    assert!(report.failed[0].timed_out);
    assert_eq!(report.failed[0].message, "spans still open: 2");
    drop(open);
    assert_eq!(exporter.taken(), 1);
    assert_eq!(provider.lost().after_shutdown, 2);
    let missing = provider.remove("only", LONG).unwrap_err();
    assert_eq!(missing.name, "only");
}

#[test]
fn a_tracer_with_another_name_stays() {
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

/// Remembers the thread that it is shut down on.
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

/// The thread that ends it would wait for the exporters otherwise.
#[test]
fn the_last_span_of_a_tracer_does_not_shut_it_down_itself() {
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
fn spans_that_are_never_ended_are_bounded_and_counted() {
    let exporter = Scripted::always(Does::Take);
    let config = config(&[&exporter], patient(100, 10)).max_open_spans(3);
    let provider = of(config);
    let tracer = provider.tracer("shop");
    let root = Context::new().with_span(tracer.start("root"));
    let mut open: Vec<_> = (0..2)
        .map(|_| tracer.start_with_context("open", &root))
        .collect();
    // A child beyond that does nothing, and what starts below it is its parent's.
    let mut beyond = tracer.start_with_context("beyond", &root);
    beyond.set_attribute(KeyValue::new("a", 1));
    assert!(!beyond.is_recording());
    assert_eq!(beyond.span_context(), root.span().span_context());
    // So does a new trace, with all that is in it.
    let other = Context::new().with_span(tracer.start("other"));
    assert!(!other.span().span_context().is_sampled());
    assert_eq!(provider.lost().too_many_open, 2);
    open.pop();
    let child = tracer.start_with_context("child", &root);
    assert!(child.is_recording());
    tracer.start_with_context("of other", &other).end();
    assert_eq!(provider.delivery()[0].open, 3);
    drop((open, child, beyond, other));
    root.span().end();
    assert_eq!(provider.flush_within(LONG).failed, []);
    assert_eq!((exporter.taken(), provider.delivery()[0].open), (4, 0));
}

#[test]
fn only_spans_that_record_are_open() {
    let exporter = Scripted::always(Does::Take);
    let config = config(&[&exporter], patient(100, 10)).sampling(Sampling::Never);
    let provider = of(config.max_open_spans(1));
    let open: Vec<_> = (0..10)
        .map(|_| provider.tracer("shop").start("open"))
        .collect();
    assert_eq!(
        (provider.delivery()[0].open, provider.lost().total()),
        (0, 0)
    );
    drop(open);
    assert_eq!(counts(&provider)[0].ended, 0);
}
