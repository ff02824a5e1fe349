//! The service: a watched directory with two registries, one of plain names and one of tracers
//! whose exporters count their spans.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use parking_lot::Mutex;
use spanmux::delivery::BatchConfig;
use spanmux::exporters::Exporter;
use spanmux::otel::{OtelTracer, RoutingTracerProvider, TracerConfig};
use spanmux::{
    Limits, SelectionCounts, SelectorsDirectory, TracerRegistry, WatchSettings, WatchedDirectory,
};
use tempfile::TempDir;

use super::guests::Guests;
use super::{FALLBACK, PATIENCE, Progress, TRACERS};
use crate::host_within;

pub(super) struct Service {
    folder: TempDir,
    pub(super) guests: Guests,
    /// The value of each tracer is its name.
    pub(super) plain: Arc<TracerRegistry<String>>,
    pub(super) provider: RoutingTracerProvider,
    pub(super) watched: WatchedDirectory,
    received: Received,
}

/// The limits: the defaults with less fuel, so that loops end soon.
pub(super) fn limits() -> Limits {
    Limits::default()
        .fuel(500_000)
        .suspend_first(Duration::from_millis(20))
        .suspend_longest(Duration::from_millis(200))
}

impl Service {
    pub(super) fn start(guests: Guests) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let live = folder.path().join("live");
        fs::create_dir(&live).expect("a folder");
        fs::write(live.join("10-breaks.wasm"), &guests.breaks[0]).expect("a file");
        fs::write(live.join("20-answers.wasm"), &guests.answers[0]).expect("a file");

        let received = Received::default();
        let plain = Arc::new(TracerRegistry::new());
        let mut builder = RoutingTracerProvider::builder().fallback(FALLBACK);
        for name in TRACERS.into_iter().chain([FALLBACK]) {
            plain.register(name, name.to_owned()).expect("a tracer");
            builder = builder.tracer(name, received.tracer(name));
        }
        plain.set_fallback(Some(FALLBACK)).expect("a fallback");
        let provider = builder.build().expect("a provider");
        let settings = WatchSettings::default()
            .rescan_interval(Duration::from_millis(50))
            .debounce(Duration::from_millis(5))
            .max_debounce(Duration::from_millis(50));
        let registries = (plain.clone(), provider.registry().clone());
        let watched = SelectorsDirectory::new(live, host_within(limits()))
            .watch_with(settings, move |selectors| {
                let chain = selectors;
                registries.0.set_selectors(chain.clone());
                registries.1.set_selectors(chain);
            })
            .expect("a watched directory");
        Self {
            folder,
            guests,
            plain,
            provider,
            watched,
            received,
        }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("live").join(name)
    }

    /// Replaces a file atomically.
    pub(super) fn move_in(&self, name: &str, bytes: &[u8]) {
        let aside = self.folder.path().join("aside");
        fs::write(&aside, bytes).expect("a file");
        fs::rename(aside, self.file(name)).expect("a place");
    }

    /// Creates a tracer of this name in place of a removed one.
    pub(super) fn tracer(&self, name: &str) -> OtelTracer {
        self.received.tracer(name).build().expect("a tracer")
    }

    pub(super) fn progress(&self, after: Duration, resident: usize) -> Progress {
        let status = self.watched.status();
        let plain = total(&self.plain.counts());
        let traced = total(&self.provider.registry().counts());
        Progress {
            after,
            selections: plain + traced,
            chains: status.chains,
            refusals: status.refusals,
            resident,
        }
    }

    /// Sends the remaining spans, adds up the counts of all spans, and drops everything.
    pub(super) fn end(self) -> Delivered {
        let report = self.provider.shutdown_with_timeout(PATIENCE);
        let mut delivered = Delivered {
            timed_out: report.failed.iter().any(|failure| failure.timed_out),
            elsewhere: self.provider.dropped().total(),
            chains: self.watched.status().chains,
            refusals: self.watched.status().refusals,
            ..Delivered::default()
        };
        for tracer in self.provider.delivery() {
            for (_, counts) in tracer.exporters {
                delivered.ended += counts.ended;
                delivered.taken += counts.delivered;
                delivered.lost += counts.lost();
                delivered.rest += counts.filtered + counts.waiting + counts.buffered;
            }
        }
        delivered.received = std::mem::take(&mut *self.received.0.lock());
        delivered
    }
}

fn total(counts: &SelectionCounts) -> u64 {
    counts.outcomes().map(|(_, count)| count).sum()
}

/// The tracer whose backend accepts every other batch.
pub(super) const FAILING: &str = TRACERS[3];

/// The counts of all spans.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    /// Spans that exporters received, by result.
    pub(super) ended: u64,
    pub(super) taken: u64,
    pub(super) lost: u64,
    pub(super) rest: u64,
    /// Spans that no exporter received.
    pub(super) elsewhere: u64,
    pub(super) timed_out: bool,
    pub(super) chains: u64,
    pub(super) refusals: u64,
    /// Spans that the backends received, by tracer.
    pub(super) received: BTreeMap<String, Traces>,
}

/// The traces of one backend. A trace has a root with a number of children.
#[derive(Debug, Default)]
pub(super) struct Traces {
    pub(super) roots: u64,
    pub(super) children: u64,
}

/// Spans that the backends received, by tracer.
#[derive(Clone, Debug, Default)]
struct Received(Arc<Mutex<BTreeMap<String, Traces>>>);

impl Received {
    fn tracer(&self, name: &str) -> TracerConfig {
        let backend = Backend {
            name: name.to_owned(),
            received: self.clone(),
            batches: Mutex::new(0),
        };
        TracerConfig::new()
            .service_name("soak")
            .exporter(Exporter::custom(backend))
            .batch(
                BatchConfig::new()
                    .max_queue_size(1 << 16)
                    .scheduled_delay(Duration::from_millis(50)),
            )
    }
}

/// A backend. Backends of one name are counted together.
#[derive(Debug)]
struct Backend {
    name: String,
    received: Received,
    batches: Mutex<u64>,
}

impl SpanExporter for Backend {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut received = self.received.0.lock();
        let traces = received.entry(self.name.clone()).or_default();
        for span in batch {
            if span.parent_span_id == SpanId::INVALID {
                traces.roots += 1;
            } else {
                traces.children += 1;
            }
        }
        drop(received);
        let mut batches = self.batches.lock();
        *batches += 1;
        if self.name == FAILING && batches.is_multiple_of(2) {
            Err(OTelSdkError::InternalFailure("it takes no more".to_owned()))
        } else {
            Ok(())
        }
    }
}
