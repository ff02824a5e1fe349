//! Spanway's own metrics.
//!
//! All but one are read when a metrics reader asks for them, from counts that are
//! kept anyway; a selection pays nothing for them. What a selector's run took is
//! recorded when it ran, which is where a decision is not known yet.

use std::sync::{Arc, OnceLock, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Histogram, Meter};

use super::attributes::{FALLBACK, SELECTOR, TRACER};
use super::shared::Shared;
use crate::decision::Origin;
use crate::registry::Selection;

/// The exporter of a tracer, on the metrics of delivery.
const EXPORTER: &str = "spanway.exporter";

/// What became of spans: `delivered`, or the word of a `Loss`.
const OUTCOME: &str = "spanway.outcome";

/// In seconds. A run takes some microseconds, and ends at 100 milliseconds.
const BOUNDS: [f64; 12] = [
    5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1,
];

/// What is recorded and not read.
#[derive(Debug, Default)]
pub(super) struct Telemetry {
    duration: OnceLock<Histogram<f64>>,
}

impl Telemetry {
    /// Records what selectors took, if any ran.
    #[inline]
    pub(super) fn record<T>(&self, selection: &Selection<T>) {
        if let Some(duration) = self.duration.get() {
            record(duration, selection);
        }
    }
}

#[cold]
fn record<T>(duration: &Histogram<f64>, selection: &Selection<T>) {
    if let Origin::Run(cost) = selection.origin() {
        let by = selection.selector_name().unwrap_or_default().to_owned();
        duration.record(cost.took.as_secs_f64(), &[KeyValue::new(SELECTOR, by)]);
    }
}

/// Makes the instruments. They read a provider as long as it lives, and do not keep
/// it alive.
pub(super) fn observe(shared: &Arc<Shared>, meter: &Meter) {
    let histogram = meter
        .f64_histogram("spanway.selector.duration")
        .with_description("Time that the selectors of a selection ran, where they had to")
        .with_unit("s")
        .with_boundaries(BOUNDS.to_vec());
    shared.telemetry.duration.get_or_init(|| histogram.build());
    for (name, unit, description, read) in COUNTERS {
        let shared = Arc::downgrade(shared);
        let _instrument = meter
            .u64_observable_counter(*name)
            .with_unit(*unit)
            .with_description(*description)
            .with_callback(move |observer| tell(&shared, *read, observer))
            .build();
    }
}

fn tell(shared: &Weak<Shared>, read: Read, observer: &dyn AsyncInstrument<u64>) {
    if let Some(shared) = shared.upgrade() {
        read(&shared, observer);
    }
}

type Read = fn(&Shared, &dyn AsyncInstrument<u64>);

/// Name, unit, description and source of each counter.
const COUNTERS: &[(&str, &str, &str, Read)] = &[
    (
        "spanway.selections",
        "{selection}",
        "Traces by the tracer that receives them, the selector that decided, and why if it was \
         not chosen",
        selections,
    ),
    (
        "spanway.selections.learned",
        "{selection}",
        "Selections that were known from those before: no component ran",
        |shared, observer| observer.observe(shared.registry.counts().learned, &[]),
    ),
    (
        "spanway.selectors.changes",
        "{change}",
        "How often the chain of selectors was set",
        |shared, observer| observer.observe(shared.registry.chains_set(), &[]),
    ),
    (
        "spanway.spans.exported",
        "{span}",
        "Spans by tracer, exporter and what became of them",
        exported,
    ),
    (
        "spanway.export.retries",
        "{attempt}",
        "Attempts to send a batch beyond the first",
        retries,
    ),
    (
        "spanway.spans.lost",
        "{span}",
        "Spans that reached no exporter because their tracer had come to its end",
        |shared, observer| observer.observe(shared.lost().total(), &[]),
    ),
];

fn selections(shared: &Shared, observer: &dyn AsyncInstrument<u64>) {
    for (outcome, count) in shared.registry.counts().outcomes() {
        let name = |key, name: &Option<String>| Some(KeyValue::new(key, name.clone()?));
        let attributes = [
            name(TRACER, &outcome.tracer),
            name(SELECTOR, &outcome.selector),
            outcome
                .fallback
                .map(|kind| KeyValue::new(FALLBACK, kind.as_str())),
        ];
        observer.observe(count, &attributes.into_iter().flatten().collect::<Vec<_>>());
    }
}

fn exported(shared: &Shared, observer: &dyn AsyncInstrument<u64>) {
    for (tracer, exporter, counts) in shared.delivery() {
        let of = |outcome| {
            [
                KeyValue::new(TRACER, tracer.clone()),
                KeyValue::new(EXPORTER, exporter),
                KeyValue::new(OUTCOME, outcome),
            ]
        };
        observer.observe(counts.delivered, &of("delivered"));
        for loss in crate::delivery::Loss::ALL {
            observer.observe(counts.lost_to(loss), &of(loss.as_str()));
        }
    }
}

fn retries(shared: &Shared, observer: &dyn AsyncInstrument<u64>) {
    for (tracer, exporter, counts) in shared.delivery() {
        let attributes = [
            KeyValue::new(TRACER, tracer),
            KeyValue::new(EXPORTER, exporter),
        ];
        observer.observe(counts.retries, &attributes);
    }
}
