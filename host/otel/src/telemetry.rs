//! Spanmux's own metrics.
//!
//! All but one are observable instruments: their callbacks read counters that exist
//! anyway, so they cost nothing per selection. The run time of a selector is recorded
//! when it runs, that is when the decision is not cached.

use std::sync::{Arc, OnceLock, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Histogram, Meter};

use super::attributes::{FALLBACK, SELECTOR, TRACER};
use super::provider_state::ProviderState;
use super::user_code;
use spanmux_core::Origin;
use spanmux_core::Selection;
use spanmux_export::delivery::{DeliveryCounts, Loss};

/// The name of the exporter, on delivery metrics.
const EXPORTER: &str = "spanmux.exporter";

/// The outcome of exported spans: `delivered`, `filtered`, `sampled_out`, or a `Loss`.
const OUTCOME: &str = "spanmux.outcome";

/// The outcome of an inbound selection: `followed` or `unknown`.
const INBOUND_OUTCOME: &str = "spanmux.inbound.outcome";

/// Bucket boundaries in seconds. A run takes some microseconds and is stopped after 100
/// milliseconds.
const BOUNDS: [f64; 12] = [
    5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1,
];

/// Instruments that are recorded synchronously.
#[derive(Debug, Default)]
pub(super) struct Telemetry {
    duration: OnceLock<Histogram<f64>>,
}

impl Telemetry {
    /// Records the run time of the selectors, if any ran.
    #[inline]
    pub(super) fn record<T>(&self, selection: &Selection<T>) {
        if let Some(duration) = self.duration.get() {
            // A native selector may compute its name.
            user_code::run("selector name", || record(duration, selection));
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

/// Creates the instruments. Their callbacks hold weak references, so they do not keep the
/// provider alive.
pub(super) fn observe(state: &Arc<ProviderState>, meter: &Meter) {
    let histogram = meter
        .f64_histogram("spanmux.selector.duration")
        .with_description("Run time of the selectors of a selection that was not cached")
        .with_unit("s")
        .with_boundaries(BOUNDS.to_vec());
    state.telemetry.duration.get_or_init(|| histogram.build());
    for (name, unit, description, read) in COUNTERS {
        let state = Arc::downgrade(state);
        let _instrument = meter
            .u64_observable_counter(*name)
            .with_unit(*unit)
            .with_description(*description)
            .with_callback(move |observer| tell(&state, *read, observer))
            .build();
    }
    for (name, unit, description, read) in GAUGES {
        let state = Arc::downgrade(state);
        let _instrument = meter
            .u64_observable_gauge(*name)
            .with_unit(*unit)
            .with_description(*description)
            .with_callback(move |observer| tell(&state, *read, observer))
            .build();
    }
}

fn tell(state: &Weak<ProviderState>, read: Read, observer: &dyn AsyncInstrument<u64>) {
    if let Some(state) = state.upgrade() {
        read(&state, observer);
    }
}

type Read = fn(&ProviderState, &dyn AsyncInstrument<u64>);

/// Name, unit, description, and callback of an instrument.
type Instrument = (&'static str, &'static str, &'static str, Read);

const COUNTERS: &[Instrument] = &[
    (
        "spanmux.selections",
        "{selection}",
        "Traces by the tracer that receives them, the selector that decided, and the fallback \
         cause",
        selections,
    ),
    (
        "spanmux.selections.cached",
        "{selection}",
        "Selections answered by the decision cache without running a component",
        |state, observer| observer.observe(state.registry.counts().cached, &[]),
    ),
    (
        "spanmux.inbound",
        "{trace}",
        "Traces with an inbound selection, by whether the named tracer is registered here",
        inbound,
    ),
    (
        "spanmux.selectors.changes",
        "{change}",
        "Replacements of the selector chain",
        |state, observer| observer.observe(state.registry.chains_set(), &[]),
    ),
    (
        "spanmux.spans.exported",
        "{span}",
        "Spans by tracer, exporter and outcome",
        exported,
    ),
    (
        "spanmux.export.retries",
        "{attempt}",
        "Attempts to send a batch after the first one",
        retries,
    ),
    (
        "spanmux.spans.lost",
        "{span}",
        "Spans dropped before they reached an exporter",
        |state, observer| observer.observe(state.dropped().total(), &[]),
    ),
];

const GAUGES: &[Instrument] = &[
    (
        "spanmux.spans.open",
        "{span}",
        "Recording spans that are open",
        open,
    ),
    (
        "spanmux.spans.waiting",
        "{span}",
        "Spans waiting for their exporter",
        waiting,
    ),
    (
        "spanmux.spans.spilled",
        "{span}",
        "Spans buffered on disk until their backend is available again",
        buffered,
    ),
];

fn selections(state: &ProviderState, observer: &dyn AsyncInstrument<u64>) {
    for (outcome, count) in state.registry.counts().outcomes() {
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

fn inbound(state: &ProviderState, observer: &dyn AsyncInstrument<u64>) {
    let counts = state.inbound.read();
    let outcomes = [("followed", counts.followed), ("unknown", counts.unknown)];
    for (outcome, count) in outcomes {
        observer.observe(count, &[KeyValue::new(INBOUND_OUTCOME, outcome)]);
    }
}

fn exported(state: &ProviderState, observer: &dyn AsyncInstrument<u64>) {
    each_exporter(state, |of, counts| {
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
        tell("sampled_out", counts.sampled_out);
        for loss in Loss::ALL {
            tell(loss.as_str(), counts.lost_to(loss));
        }
    });
}

fn retries(state: &ProviderState, observer: &dyn AsyncInstrument<u64>) {
    each_exporter(state, |of, counts| observer.observe(counts.retries, of));
}

fn waiting(state: &ProviderState, observer: &dyn AsyncInstrument<u64>) {
    each_exporter(state, |of, counts| observer.observe(counts.waiting, of));
}

fn buffered(state: &ProviderState, observer: &dyn AsyncInstrument<u64>) {
    each_exporter(state, |of, counts| observer.observe(counts.buffered, of));
}

fn open(state: &ProviderState, observer: &dyn AsyncInstrument<u64>) {
    for tracer in state.delivery() {
        observer.observe(tracer.open, &[KeyValue::new(TRACER, tracer.tracer)]);
    }
}

/// Calls `show` with the counts of each exporter and the attributes that name it.
fn each_exporter(state: &ProviderState, mut show: impl FnMut(&[KeyValue; 2], &DeliveryCounts)) {
    for tracer in state.delivery() {
        for (exporter, counts) in tracer.exporters {
            let of = [
                KeyValue::new(TRACER, tracer.tracer.clone()),
                KeyValue::new(EXPORTER, exporter),
            ];
            show(&of, &counts);
        }
    }
}
