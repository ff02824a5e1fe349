//! Spanmux's own metrics.
//!
//! All but one are read when a metrics reader asks for them, from counts that are
//! kept anyway; a selection pays nothing for them. What a selector's run took is
//! recorded when it ran, which is where a decision is not known yet.

use std::sync::{Arc, OnceLock, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Histogram, Meter};

use super::attributes::{FALLBACK, SELECTOR, TRACER};
use super::shared::Shared;
use spanmux_core::Origin;
use spanmux_core::Selection;
use spanmux_export::delivery::{DeliveryCounts, Loss};

/// The exporter of a tracer, on the metrics of delivery.
const EXPORTER: &str = "spanmux.exporter";

/// What became of spans: `delivered`, or the word of a `Loss`.
const OUTCOME: &str = "spanmux.outcome";

/// What became of a choice that came in: `followed` or `unknown`.
const INBOUND_OUTCOME: &str = "spanmux.inbound.outcome";

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
        .f64_histogram("spanmux.selector.duration")
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
    for (name, unit, description, read) in GAUGES {
        let shared = Arc::downgrade(shared);
        let _instrument = meter
            .u64_observable_gauge(*name)
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

/// Name, unit, description and source of an instrument.
type Instrument = (&'static str, &'static str, &'static str, Read);

const COUNTERS: &[Instrument] = &[
    (
        "spanmux.selections",
        "{selection}",
        "Traces by the tracer that receives them, the selector that decided, and why if it was \
         not chosen",
        selections,
    ),
    (
        "spanmux.selections.learned",
        "{selection}",
        "Selections that were known from those before: no component ran",
        |shared, observer| observer.observe(shared.registry.counts().learned, &[]),
    ),
    (
        "spanmux.inbound",
        "{trace}",
        "Traces that came in with a choice which is followed here, by whether its tracer is here",
        inbound,
    ),
    (
        "spanmux.selectors.changes",
        "{change}",
        "How often the chain of selectors was set",
        |shared, observer| observer.observe(shared.registry.chains_set(), &[]),
    ),
    (
        "spanmux.spans.exported",
        "{span}",
        "Spans by tracer, exporter and what became of them",
        exported,
    ),
    (
        "spanmux.export.retries",
        "{attempt}",
        "Attempts to send a batch beyond the first",
        retries,
    ),
    (
        "spanmux.spans.lost",
        "{span}",
        "Spans that no exporter was handed",
        |shared, observer| observer.observe(shared.lost().total(), &[]),
    ),
];

const GAUGES: &[Instrument] = &[
    (
        "spanmux.spans.open",
        "{span}",
        "Recording spans that have started and not ended",
        open,
    ),
    (
        "spanmux.spans.waiting",
        "{span}",
        "Spans that wait for their exporter",
        waiting,
    ),
    (
        "spanmux.spans.spilled",
        "{span}",
        "Spans that are kept on disk until their backend is back",
        spilled,
    ),
];

fn selections(shared: &Shared, observer: &dyn AsyncInstrument<u64>) {
    for (outcome, count) in shared.registry.counts().outcomes() {
        let name = |key, name: &Option<String>| Some(KeyValue::new(key, name.clone()?));
        let attributes = [
            name(TRACER, &outcome.tracer),
            name(SELECTOR, &outcome.selector),
            outcome
                .cause
                .map(|kind| KeyValue::new(FALLBACK, kind.as_str())),
        ];
        observer.observe(count, &attributes.into_iter().flatten().collect::<Vec<_>>());
    }
}

fn inbound(shared: &Shared, observer: &dyn AsyncInstrument<u64>) {
    let counts = shared.inbound.read();
    let outcomes = [("followed", counts.followed), ("unknown", counts.unknown)];
    for (outcome, count) in outcomes {
        observer.observe(count, &[KeyValue::new(INBOUND_OUTCOME, outcome)]);
    }
}

fn exported(shared: &Shared, observer: &dyn AsyncInstrument<u64>) {
    each_exporter(shared, |of, counts| {
        let tell = |outcome, spans| {
            let attributes = [
                of[0].clone(),
                of[1].clone(),
                KeyValue::new(OUTCOME, outcome),
            ];
            observer.observe(spans, &attributes);
        };
        tell("delivered", counts.delivered);
        tell("filtered", counts.filtered);
        for loss in Loss::ALL {
            tell(loss.as_str(), counts.lost_to(loss));
        }
    });
}

fn retries(shared: &Shared, observer: &dyn AsyncInstrument<u64>) {
    each_exporter(shared, |of, counts| observer.observe(counts.retries, of));
}

fn waiting(shared: &Shared, observer: &dyn AsyncInstrument<u64>) {
    each_exporter(shared, |of, counts| observer.observe(counts.waiting, of));
}

fn spilled(shared: &Shared, observer: &dyn AsyncInstrument<u64>) {
    each_exporter(shared, |of, counts| observer.observe(counts.spilled, of));
}

fn open(shared: &Shared, observer: &dyn AsyncInstrument<u64>) {
    for tracer in shared.delivery() {
        observer.observe(tracer.open, &[KeyValue::new(TRACER, tracer.tracer)]);
    }
}

/// The counts of each exporter, with the attributes that name it.
fn each_exporter(shared: &Shared, mut show: impl FnMut(&[KeyValue; 2], &DeliveryCounts)) {
    for tracer in shared.delivery() {
        for (exporter, counts) in tracer.exporters {
            let of = [
                KeyValue::new(TRACER, tracer.tracer.clone()),
                KeyValue::new(EXPORTER, exporter),
            ];
            show(&of, &counts);
        }
    }
}
