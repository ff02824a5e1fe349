//! A scripted exporter, and the invariants of every count.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use parking_lot::{Condvar, Mutex};
use spanmux::delivery::{BatchConfig, DeliveryCounts, Loss};
use spanmux::exporters::Exporter;
use spanmux::otel::{RoutingTracerProvider, TracerConfig};

/// Longer than any operation that is not stuck.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// The reaction of an exporter to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    Take,
    Fail,
    Panic,
    /// Accepts the batch when the gate opens.
    Hang,
    Slow,
}

/// An exporter whose script decides about each batch.
#[derive(Clone)]
pub(crate) struct Scripted {
    script: Arc<dyn Fn(usize) -> Does + Send + Sync>,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    calls: Mutex<usize>,
    taken: Mutex<BTreeMap<String, usize>>,
    open: Mutex<bool>,
    opened: Condvar,
    shut_down: Mutex<usize>,
}

impl Scripted {
    pub(crate) fn new(script: impl Fn(usize) -> Does + Send + Sync + 'static) -> Self {
        Self {
            script: Arc::new(script),
            inner: Arc::default(),
        }
    }

    pub(crate) fn always(does: Does) -> Self {
        Self::new(move |_| does)
    }

    pub(crate) fn exporter(&self) -> Exporter {
        Exporter::custom(self.clone())
    }

    /// Releases all exports that hang.
    pub(crate) fn open_gate(&self) {
        *self.inner.open.lock() = true;
        self.inner.opened.notify_all();
    }

    /// Returns the number of batches that it received.
    pub(crate) fn calls(&self) -> usize {
        *self.inner.calls.lock()
    }

    /// Returns the number of spans that it accepted.
    pub(crate) fn taken(&self) -> u64 {
        self.inner.taken.lock().values().sum::<usize>() as u64
    }

    /// Returns how often it accepted a span with this name.
    pub(crate) fn took(&self, name: &str) -> usize {
        self.inner.taken.lock().get(name).copied().unwrap_or(0)
    }

    pub(crate) fn shut_downs(&self) -> usize {
        *self.inner.shut_down.lock()
    }

    /// Returns `true` if this is the only reference.
    pub(crate) fn is_let_go(&self) -> bool {
        Arc::strong_count(&self.inner) == 1
    }

    fn hang(&self) {
        let mut open = self.inner.open.lock();
        while !*open {
            self.inner.opened.wait(&mut open);
        }
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripted")
    }
}

impl SpanExporter for Scripted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let call = {
            let mut calls = self.inner.calls.lock();
            *calls += 1;
            *calls - 1
        };
        match (self.script)(call) {
            Does::Take => {}
            Does::Fail => return Err(OTelSdkError::InternalFailure("no".to_owned())),
            // Does not print the panic message and the backtrace.
            Does::Panic => std::panic::resume_unwind(Box::new("scripted")),
            Does::Hang => self.hang(),
            Does::Slow => thread::sleep(Duration::from_millis(2)),
        }
        let mut taken = self.inner.taken.lock();
        for span in batch {
            *taken.entry(span.name.into_owned()).or_default() += 1;
        }
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        *self.inner.shut_down.lock() += 1;
        Ok(())
    }
}

/// Settings for small batches that are sent immediately.
pub(crate) fn batch(queue: usize, size: usize) -> BatchConfig {
    BatchConfig::new()
        .max_queue_size(queue)
        .max_export_batch_size(size)
        .scheduled_delay(Duration::from_millis(1))
}

/// Settings for batches that are sent only when they are full or flushed.
pub(crate) fn patient(queue: usize, size: usize) -> BatchConfig {
    batch(queue, size).scheduled_delay(LONG * 60)
}

pub(crate) fn config(exporters: &[&Scripted], batch: BatchConfig) -> TracerConfig {
    let config = TracerConfig::new().service_name("shop").batch(batch);
    let add = |config: TracerConfig, it: &&Scripted| config.exporter(it.exporter());
    exporters.iter().fold(config, add)
}

/// Creates a provider with one tracer, `only`, with these exporters.
pub(crate) fn provider(exporters: &[&Scripted], batch: BatchConfig) -> RoutingTracerProvider {
    of(config(exporters, batch))
}

pub(crate) fn of(config: TracerConfig) -> RoutingTracerProvider {
    let builder = RoutingTracerProvider::builder().tracer("only", config);
    builder.build().unwrap()
}

pub(crate) fn end_spans(provider: &RoutingTracerProvider, count: usize) {
    let tracer = provider.tracer("shop");
    for number in 0..count {
        tracer.start(format!("span {number}")).end();
    }
}

/// Returns the counts of the first tracer's exporters.
pub(crate) fn counts(provider: &RoutingTracerProvider) -> Vec<DeliveryCounts> {
    let tracers = provider.delivery();
    let exporters = tracers[0].exporters.iter();
    exporters.map(|(_, counts)| counts.clone()).collect()
}

/// Checks the invariants that hold at every moment.
pub(crate) fn assert_adds_up(counts: &DeliveryCounts) {
    let by_cause: u64 = Loss::ALL.iter().map(|cause| counts.lost_to(*cause)).sum();
    assert_eq!(by_cause, counts.lost(), "{counts:?}");
    assert_eq!(
        counts.ended + counts.recovered,
        counts.delivered + counts.lost() + counts.filtered + counts.waiting + counts.buffered,
        "{counts:?}"
    );
}

/// Waits until another thread makes the condition true.
pub(crate) fn eventually(is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < LONG, "the condition never became true");
        thread::sleep(Duration::from_millis(1));
    }
}
