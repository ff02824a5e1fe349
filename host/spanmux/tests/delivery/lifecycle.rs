//! Tests for flush and shutdown with deadlines, from any thread.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use spanmux::delivery::Loss;
use spanmux::otel::{DroppedSpans, RoutingTracerProvider};

use crate::support::*;

#[test]
fn flush_reports_earlier_losses_once() {
    let exporter = Scripted::new(|call| if call == 0 { Does::Fail } else { Does::Take });
    let provider = provider(&[&exporter], batch(100, 10));
    end_spans(&provider, 10);
    eventually(|| counts(&provider)[0].lost() > 0);
    let lost = counts(&provider)[0].lost();
    let report = provider.force_flush_with_timeout(LONG);
    assert_eq!(report.failed[0].lost, lost);
    assert!(report.failed[0].message.contains("no"), "{report:?}");
    end_spans(&provider, 1);
    assert_eq!(provider.force_flush_with_timeout(LONG).succeeded, ["only"]);
    assert_eq!(provider.shutdown_with_timeout(LONG).succeeded, ["only"]);
}

#[test]
fn flush_respects_its_deadline() {
    let exporter = Scripted::always(Does::Hang);
    let provider = provider(&[&exporter], patient(100, 10));
    end_spans(&provider, 25);
    let report = provider.force_flush_with_timeout(Duration::from_millis(20));
    assert!(report.failed[0].timed_out);
    assert_eq!((report.failed[0].waiting, report.failed[0].lost), (25, 0));
    // The export continues, and the next flush reports success.
    exporter.open_gate();
    assert_eq!(provider.force_flush_with_timeout(LONG).succeeded, ["only"]);
    assert_eq!(exporter.taken(), 25);
}

#[test]
fn shutdown_counts_unsent_spans_at_the_deadline() {
    let exporter = Scripted::always(Does::Hang);
    let provider = provider(&[&exporter], batch(100, 10));
    end_spans(&provider, 1);
    eventually(|| exporter.calls() == 1);
    end_spans(&provider, 100);
    end_spans(&provider, 50); // The queue is full.
    let kept = provider.registry().get("only").unwrap();
    let report = provider.shutdown_with_timeout(Duration::from_millis(20));
    let failure = &report.failed[0];
    assert_eq!(
        (failure.timed_out, failure.lost, failure.waiting),
        (true, 150, 1)
    );
    end_spans(&provider, 5); // The tracer is gone.
    let counts = || kept.delivery()[0].1.clone();
    assert_eq!(counts().lost_to(Loss::QueueFull), 50);
    assert_eq!(counts().lost_to(Loss::ShutDown), 100);
    assert_adds_up(&counts());
    // The running export is counted when it returns. Then the exporter ends.
    exporter.open_gate();
    eventually(|| exporter.shut_downs() == 1);
    assert_eq!((counts().delivered, counts().waiting), (1, 0));
    assert_adds_up(&counts());
}

/// A processor whose flush and shutdown return when all three have been called.
#[derive(Debug)]
struct Meets(Arc<Barrier>);

impl SpanProcessor for Meets {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        self.0.wait();
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        self.0.wait();
        Ok(())
    }
}

#[test]
fn tracers_are_flushed_and_shut_down_concurrently() {
    let all = Arc::new(Barrier::new(3));
    let meets = || SdkTracerProvider::builder().with_span_processor(Meets(all.clone()));
    let provider = RoutingTracerProvider::builder()
        .tracer("built", meets())
        .tracer("ready", meets().build())
        .tracer("left", meets())
        .build()
        .unwrap();
    // Includes a tracer that was unregistered with an open trace.
    provider.registry().set_selectors(to("left"));
    let open = provider.tracer("shop").start("open");
    provider.registry().unregister("left");
    let names = ["built", "ready", "left"];
    assert_eq!(provider.force_flush_with_timeout(LONG).succeeded, names);
    let report = provider.shutdown_with_timeout(LONG);
    assert_eq!(report.succeeded, ["built", "ready"]);
    assert_eq!(
        report.failed[0].message,
        r#"spans still open: 1 (roots: "open")"#
    );
    drop(open);
}

fn to(name: &'static str) -> spanmux::Chain {
    let to = spanmux::selector_fn("to", move |_, tracers| tracers.choose(name));
    spanmux::Chain::from(to)
}

/// A processor whose flush never returns.
#[derive(Debug)]
struct Never;

impl SpanProcessor for Never {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        loop {
            std::thread::park();
        }
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// A processor that counts its flushes, which never return.
#[derive(Clone, Debug, Default)]
struct Stuck(Arc<AtomicUsize>);

impl SpanProcessor for Stuck {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        self.0.fetch_add(1, Ordering::SeqCst);
        Never.force_flush()
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn flush_that_never_returns_blocks_one_thread() {
    let stuck = Stuck::default();
    let sdk = SdkTracerProvider::builder().with_span_processor(stuck.clone());
    let provider = RoutingTracerProvider::builder()
        .tracer("stuck", sdk.build())
        .build()
        .unwrap();
    for _ in 0..20 {
        let report = provider.force_flush_with_timeout(Duration::from_millis(5));
        assert_eq!(report.failed.len(), 1);
    }
    assert_eq!(stuck.0.load(Ordering::SeqCst), 1);
}

#[test]
fn hanging_tracer_does_not_delay_others() {
    let good = Scripted::always(Does::Take);
    let provider = RoutingTracerProvider::builder()
        .tracer(
            "never",
            SdkTracerProvider::builder().with_span_processor(Never),
        )
        .tracer("good", config(&[&good], patient(100, 10)))
        .build()
        .unwrap();
    provider.registry().set_selectors(to("good"));
    end_spans(&provider, 25);
    let report = provider.force_flush_with_timeout(Duration::from_millis(100));
    assert_eq!(report.succeeded, ["good"]);
    assert!(report.failed[0].timed_out);
    assert_eq!(good.taken(), 25);
}

#[test]
fn flush_and_shutdown_work_on_runtime_threads() {
    use tokio::runtime::Builder;
    for mut runtime in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let exporter = Scripted::always(Does::Take);
        runtime.build().unwrap().block_on(async {
            let provider = provider(&[&exporter], patient(100, 10));
            end_spans(&provider, 25);
            assert_eq!(provider.force_flush_with_timeout(LONG).failed, []);
            assert_eq!(exporter.taken(), 25);
            end_spans(&provider, 5);
            let shut = tokio::spawn(async move { provider.shutdown_with_timeout(LONG) });
            assert_eq!(shut.await.unwrap().succeeded, ["only"]);
        });
        assert_eq!((exporter.taken(), exporter.shut_downs()), (30, 1));
    }
}

#[test]
fn second_shutdown_and_later_flush_do_nothing() {
    let exporter = Scripted::always(Does::Take);
    let provider = provider(&[&exporter], patient(100, 10));
    let tracer = provider.registry().get("only").unwrap();
    end_spans(&provider, 5);
    assert_eq!(provider.shutdown_with_timeout(LONG).succeeded, ["only"]);
    assert_eq!(provider.shutdown_with_timeout(LONG), Default::default());
    assert_eq!(provider.force_flush_with_timeout(LONG), Default::default());
    // The same holds for the tracer and for its SDK provider, which the application may
    // call.
    tracer.shutdown().unwrap();
    tracer.force_flush().unwrap();
    assert!(tracer.provider().shutdown().is_err(), "already shut down");
    assert_eq!((exporter.taken(), exporter.shut_downs()), (5, 1));
}

#[test]
fn sdk_provider_reports_losses_on_shutdown() {
    let exporter = Scripted::new(|call| if call == 0 { Does::Take } else { Does::Fail });
    let tracer = config(&[&exporter], patient(100, 10)).build().unwrap();
    let sdk = tracer.provider().tracer("shop");
    sdk.start("taken").end();
    tracer.provider().force_flush().unwrap();
    sdk.start("lost").end();
    let error = tracer.provider().shutdown().unwrap_err();
    assert!(
        error.to_string().contains("spans lost: 1 (failed 1)"),
        "{error}"
    );
}

#[test]
fn tracer_reports_timeouts_and_losses_as_sdk_errors() {
    let exporter = Scripted::new(|call| if call == 0 { Does::Hang } else { Does::Fail });
    let tracer = config(&[&exporter], patient(100, 10)).build().unwrap();
    let sdk = tracer.provider().tracer("shop");
    sdk.start("slow").end();
    let soon = Duration::from_millis(20);
    let error = tracer.force_flush_with_timeout(soon).unwrap_err();
    assert!(matches!(error, OTelSdkError::Timeout(time) if time == soon));
    exporter.open_gate();
    tracer.force_flush().unwrap();
    sdk.start("lost").end();
    let error = tracer.shutdown_with_timeout(LONG).unwrap_err();
    assert!(
        matches!(&error, OTelSdkError::InternalFailure(message) if message.contains("lost: 1"))
    );
}

#[test]
fn report_converts_into_a_result_with_every_failure() {
    let registry = spanmux::TracerRegistry::new();
    for name in ["a", "b"] {
        let exporter = Scripted::always(Does::Fail);
        let tracer = config(&[&exporter], patient(100, 10)).build().unwrap();
        tracer.provider().tracer("shop").start("lost").end();
        registry.register(name, tracer).unwrap();
    }
    let error = registry.shutdown().into_result().unwrap_err();
    assert_eq!(error.failed.len(), 2);
    let text = error.to_string();
    assert!(
        text.contains("tracer \"a\": ") && text.contains("; tracer \"b\": "),
        "{text}"
    );
    registry.shutdown().into_result().unwrap();
}

#[test]
fn drop_sends_waiting_spans_and_ends_the_threads() {
    let exporter = Scripted::always(Does::Take);
    let provider = provider(&[&exporter], patient(100, 50));
    end_spans(&provider, 25);
    drop(provider);
    assert_eq!((exporter.taken(), exporter.shut_downs()), (25, 1));
    eventually(|| exporter.is_let_go());
}

#[test]
fn spans_ended_after_shutdown_are_counted_once() {
    let exporter = Scripted::always(Does::Take);
    let provider = provider(&[&exporter], patient(100, 10));
    let open = provider.tracer("shop").start("open");
    assert_eq!(provider.delivery()[0].open, 1);
    let _report = provider.shutdown_with_timeout(LONG);
    drop(open);
    let delivery = &provider.delivery()[0];
    assert_eq!((delivery.open, delivery.dropped.after_shutdown), (0, 1));
    assert_eq!(delivery.exporters[0].1.ended, 0);
    assert_eq!(provider.dropped().total(), 1);
    assert_eq!(DroppedSpans::default().total(), 0);
}
