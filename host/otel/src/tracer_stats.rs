//! Per-tracer statistics, which outlive the tracer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use super::dropped::DroppedSpans;
use super::open_roots::{OpenRoots, Place};
use spanmux_core::internal::OTHERS;
use spanmux_export::delivery::DeliveryCounts;
use spanmux_export::internal::Exporting;

/// Maximum number of names of dropped tracers with separate counts. It bounds memory in
/// services that create a tracer for every new tenant.
const MAX_NAMES: usize = 1_024;

/// Delivery counts of the spans of one tracer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TracerDelivery {
    /// The tracer's name. All tracers that had this name, one after the other, are
    /// counted together.
    pub tracer: String,
    /// Recording spans that are currently open.
    pub open: u64,
    /// Spans dropped before they reached an exporter. Late children of dropped tracers
    /// are [counted](super::RoutingTracerProvider::dropped) for all tracers together.
    pub dropped: DroppedSpans,
    /// Delivery counts of each exporter, by name. A second exporter of the same kind is
    /// named `otlp#2`.
    pub exporters: Vec<(String, DeliveryCounts)>,
}

impl TracerDelivery {
    fn add(&mut self, other: Self) {
        self.open += other.open;
        self.dropped += other.dropped;
        for (name, counts) in other.exporters {
            match self.exporters.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known += &counts,
                None => self.exporters.push((name, counts)),
            }
        }
    }
}

/// The counters of one tracer.
#[derive(Debug, Default)]
pub(super) struct TracerStats {
    open: AtomicU64,
    after_shutdown: AtomicU64,
    too_many_open: AtomicU64,
    panicked: AtomicU64,
    roots: OpenRoots,
    exporters: Vec<Exporting>,
    /// Set while a thread waits until no span is open.
    is_awaited: AtomicBool,
    waiting: Mutex<()>,
    none_open: Condvar,
}

impl TracerStats {
    pub(super) fn new(exporters: Vec<Exporting>) -> Self {
        Self {
            exporters,
            ..Self::default()
        }
    }

    pub(super) fn exporters(&self) -> &[Exporting] {
        &self.exporters
    }

    pub(super) fn open(&self) -> u64 {
        self.open.load(Ordering::SeqCst)
    }

    pub(super) fn roots(&self) -> &OpenRoots {
        &self.roots
    }

    /// Describes the open spans, or returns `None` if there are none.
    pub(super) fn describe_open(&self) -> Option<String> {
        let open = self.open();
        (open > 0).then(|| self.roots.describe(open))
    }

    pub(super) fn opened(&self) {
        self.open.fetch_add(1, Ordering::SeqCst);
    }

    /// Gives the place of a root span back that does not record.
    pub(super) fn not_opened(&self, root: Option<Place>) {
        if let Some(place) = root {
            self.roots.close(place);
        }
    }

    /// Records the end of a span. Call it after the exporters have received the span.
    pub(super) fn closed(&self, root: Option<Place>) {
        self.not_opened(root);
        let was_last = self.open.fetch_sub(1, Ordering::SeqCst) == 1;
        if was_last && self.is_awaited.load(Ordering::SeqCst) {
            let _waiting = self.waiting.lock();
            self.none_open.notify_all();
        }
    }

    /// Waits until no span is open or the deadline passes. Returns the number of open
    /// spans.
    pub(super) fn wait_for_open(&self, deadline: Instant) -> u64 {
        let mut waiting = self.waiting.lock();
        self.is_awaited.store(true, Ordering::SeqCst);
        while self.open() > 0 {
            if self
                .none_open
                .wait_until(&mut waiting, deadline)
                .timed_out()
            {
                break;
            }
        }
        self.open()
    }

    pub(super) fn count_after_shutdown(&self) {
        self.after_shutdown.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_too_many_open(&self) {
        self.too_many_open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_panicked(&self) {
        self.panicked.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self) -> DroppedSpans {
        DroppedSpans {
            panicked: self.panicked.load(Ordering::Relaxed),
            after_shutdown: self.after_shutdown.load(Ordering::Relaxed),
            too_many_open: self.too_many_open.load(Ordering::Relaxed),
            ..DroppedSpans::default()
        }
    }

    pub(super) fn delivery(&self) -> Vec<(String, DeliveryCounts)> {
        let read = |it: &Exporting| (it.name.clone(), it.pipeline().counts());
        self.exporters.iter().map(read).collect()
    }

    fn is_over(&self) -> bool {
        self.exporters.iter().all(|it| it.pipeline().is_over())
    }

    pub(super) fn read(&self, tracer: String) -> TracerDelivery {
        TracerDelivery {
            tracer,
            open: self.open(),
            dropped: self.dropped(),
            exporters: self.delivery(),
        }
    }
}

/// The statistics of tracers that have been dropped.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    /// Tracers whose exporters are still running.
    ending: Vec<(String, Arc<TracerStats>)>,
    ended: Totals,
}

impl Forgotten {
    pub(super) fn add(&mut self, name: String, stats: Arc<TracerStats>) {
        self.ending.push((name, stats));
        let over = |(_, stats): &mut (String, Arc<TracerStats>)| stats.is_over();
        for (name, stats) in self.ending.extract_if(.., over) {
            self.ended.add(stats.read(name));
        }
    }

    pub(super) fn dropped(&self) -> DroppedSpans {
        let mut dropped = DroppedSpans::default();
        for (_, stats) in &self.ending {
            dropped += stats.dropped();
        }
        for tracer in self.ended.0.values() {
            dropped += tracer.dropped;
        }
        dropped
    }

    /// Adds the counts of all dropped tracers to `totals`.
    pub(super) fn read(&self, totals: &mut Totals) {
        for (name, stats) in &self.ending {
            totals.add(stats.read(name.clone()));
        }
        for tracer in self.ended.0.values() {
            totals.add(tracer.clone());
        }
    }
}

/// Sums by tracer name.
#[derive(Debug, Default)]
pub(super) struct Totals(BTreeMap<String, TracerDelivery>);

impl Totals {
    pub(super) fn add(&mut self, mut delivery: TracerDelivery) {
        if self.0.len() >= MAX_NAMES && !self.0.contains_key(&delivery.tracer) {
            OTHERS.clone_into(&mut delivery.tracer);
        }
        let name = delivery.tracer.clone();
        let new = || TracerDelivery {
            tracer: name.clone(),
            ..TracerDelivery::default()
        };
        self.0.entry(name.clone()).or_insert_with(new).add(delivery);
    }

    pub(super) fn into_vec(self) -> Vec<TracerDelivery> {
        self.0.into_values().collect()
    }
}
