//! Tests for the counts of failing exporters.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use parking_lot::Mutex;
use spanmux::delivery::Loss;
use spanmux::exporters::Exporter;
use spanmux::otel::RoutingTracerProvider;
use std::sync::Arc;

use crate::support::*;

#[test]
fn counts_match_the_behaviour_of_the_exporter() {
    type Script = fn(usize) -> Does;
    // Ten batches of ten spans: the name, the script, and the number of delivered spans.
    let rows: [(&str, Script, u64); 6] = [
        ("takes", |_| Does::Take, 100),
        ("is slow", |_| Does::Slow, 100),
        ("fails", |_| Does::Fail, 0),
        ("panics", |_| Does::Panic, 0),
        (
            "panics once",
            |call| if call == 3 { Does::Panic } else { Does::Take },
            90,
        ),
        (
            "takes only the last batch",
            |call| if call < 9 { Does::Fail } else { Does::Take },
            10,
        ),
    ];
    for (row, script, delivered) in rows {
        let exporter = Scripted::new(script);
        let provider = provider(&[&exporter], patient(100, 10));
        end_spans(&provider, 100);
        let report = provider.force_flush_with_timeout(LONG);
        let counts = &counts(&provider)[0];
        assert_adds_up(counts);
        assert_eq!((counts.ended, counts.waiting), (100, 0), "{row}");
        assert_eq!(counts.delivered, delivered, "{row}");
        assert_eq!(counts.lost_to(Loss::Failed), 100 - delivered, "{row}");
        assert_eq!(
            (exporter.taken(), exporter.calls()),
            (delivered, 10),
            "{row}"
        );
        // The counts determine the result, not the last return value.
        assert_eq!(
            report.failed.is_empty(),
            delivered == 100,
            "{row}: {report:?}"
        );
        assert_eq!(
            report.failed.iter().map(|it| it.lost).sum::<u64>(),
            100 - delivered
        );
    }
}

#[test]
fn full_queue_drops_and_counts_new_spans() {
    let exporter = Scripted::always(Does::Hang);
    let provider = provider(&[&exporter], batch(100, 10));
    end_spans(&provider, 1);
    eventually(|| exporter.calls() == 1);
    // One span is being sent and 100 wait. Ending a span waits for neither.
    end_spans(&provider, 1_000);
    let full = counts(&provider)[0].clone();
    assert_adds_up(&full);
    assert_eq!((full.ended, full.waiting), (1_001, 101));
    assert_eq!(full.lost_to(Loss::QueueFull), 900);
    exporter.open_gate();
    let report = provider.force_flush_with_timeout(LONG);
    assert_eq!(report.failed[0].lost, 900);
    assert!(
        report.failed[0].message.contains("queue_full 900"),
        "{report:?}"
    );
    let after = counts(&provider)[0].clone();
    assert_eq!((after.delivered, after.waiting), (101, 0));
    assert_adds_up(&after);
}

#[test]
fn faulty_exporter_does_not_affect_the_others() {
    let good = [Scripted::always(Does::Take), Scripted::always(Does::Take)];
    let hangs = Scripted::always(Does::Hang);
    let panics = Scripted::always(Does::Panic);
    let fails = Scripted::always(Does::Fail);
    let all = [&hangs, &good[0], &panics, &fails, &good[1]];
    let provider = provider(&all, patient(1_000, 10));
    end_spans(&provider, 500);
    eventually(|| counts(&provider)[1..].iter().all(|it| it.waiting == 0));
    let report = provider.force_flush_with_timeout(Duration::from_millis(20));
    let failure = &report.failed[0];
    // Ten spans are being sent. The others wait behind them.
    assert_eq!((failure.timed_out, failure.waiting), (true, 500));
    assert_eq!(failure.lost, 1_000);
    for good in &good {
        assert_eq!(good.taken(), 500);
        assert!((0..500).all(|number| good.took(&format!("span {number}")) == 1));
    }
    let names: Vec<_> = provider.delivery()[0]
        .exporters
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(
        names,
        ["custom", "custom#2", "custom#3", "custom#4", "custom#5"]
    );
    counts(&provider).iter().for_each(assert_adds_up);
    hangs.open_gate();
    assert_eq!(provider.force_flush_with_timeout(LONG).failed, []);
    assert_eq!(hangs.taken(), 500);
}

/// No span is missing under any fault, while several threads end spans and several flush.
#[test]
fn counts_add_up_at_every_moment() {
    for seed in 0..24_usize {
        let script = move |call: usize| match (call * 7 + seed * 13) % 11 {
            0 | 1 => Does::Fail,
            2 => Does::Panic,
            3 => Does::Slow,
            _ => Does::Take,
        };
        let exporters = [Scripted::new(script), Scripted::new(move |c| script(c + 1))];
        let every = [batch(64, 8), batch(1, 1), patient(5_000, 50), batch(8, 64)];
        let provider = provider(&[&exporters[0], &exporters[1]], every[seed % 4].clone());
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let enders: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| end_spans(&provider, 300)))
                .collect();
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        counts(&provider).iter().for_each(assert_adds_up);
                        let _report = provider.force_flush_with_timeout(LONG);
                    }
                });
            }
            enders.into_iter().for_each(|it| it.join().unwrap());
            done.store(true, Ordering::Relaxed);
        });
        let _report = provider.force_flush_with_timeout(LONG);
        for (counts, exporter) in counts(&provider).iter().zip(&exporters) {
            assert_adds_up(counts);
            assert_eq!((counts.ended, counts.waiting), (900, 0), "seed {seed}");
            assert_eq!(counts.delivered, exporter.taken(), "seed {seed}");
        }
    }
}

/// An exporter that starts spans of its own provider while it exports.
#[derive(Debug, Default)]
struct Traces {
    provider: Arc<Mutex<Option<RoutingTracerProvider>>>,
}

impl SpanExporter for Traces {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        if let Some(provider) = &*self.provider.lock() {
            provider.tracer("exporter").start("POST /v1/traces").end();
        }
        Ok(())
    }
}

#[test]
fn spans_created_by_an_exporter_are_not_sent() {
    let own = Arc::default();
    let exporter = Traces {
        provider: Arc::clone(&own),
    };
    let config = spanmux::otel::TracerConfig::new()
        .service_name("shop")
        .batch(batch(100, 1));
    let provider = of(config.exporter(Exporter::custom(exporter)));
    *own.lock() = Some(provider.clone());
    end_spans(&provider, 10);
    assert_eq!(provider.force_flush_with_timeout(LONG).failed, []);
    assert_eq!(counts(&provider)[0].ended, 10);
    own.lock().take();
}
