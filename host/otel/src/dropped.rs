//! Counts of spans that were dropped before they reached an exporter.

use std::ops::AddAssign;

/// Sampled spans that were dropped before they reached an exporter, because their tracer
/// was shut down or had too many open spans.
/// [`delivery`](super::RoutingTracerProvider::delivery) reports the spans that exporters
/// lost later.
///
/// # Examples
/// ```
/// use opentelemetry::trace::{Tracer, TracerProvider};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanmux::otel::RoutingTracerProvider;
///
/// let provider = RoutingTracerProvider::builder()
///     .tracer("only", SdkTracerProvider::default())
///     .build()?;
/// let span = provider.tracer("shop").start("answer");
/// let _report = provider.shutdown();
/// drop(span);
/// assert_eq!(provider.dropped().after_shutdown, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DroppedSpans {
    /// Spans that were started or ended after their tracer was shut down.
    ///
    /// If the application shuts down a ready-made provider itself, this is detected when
    /// the next span starts in it. Spans that end before then are not counted.
    pub after_shutdown: u64,
    /// Late children of a trace whose tracer was unregistered and dropped, and spans of
    /// an [attached](super::RoutingTracerProvider::attach) run whose tracer is not
    /// registered here.
    pub tracer_gone: u64,
    /// Scores and other signals of a trace whose tracer is not registered here, sampled
    /// or not.
    pub late_signals: u64,
    /// Spans that were not started because their tracer had too many open spans: see
    /// [`max_open_spans`](super::TracerConfig::max_open_spans).
    pub too_many_open: u64,
    /// Spans that were not started because the sampler, the id generator or a processor
    /// of their tracer panicked.
    pub panicked: u64,
}

impl DroppedSpans {
    /// Returns the sum of all counts.
    pub fn total(&self) -> u64 {
        self.after_shutdown
            + self.tracer_gone
            + self.late_signals
            + self.too_many_open
            + self.panicked
    }
}

impl AddAssign for DroppedSpans {
    fn add_assign(&mut self, other: Self) {
        self.after_shutdown += other.after_shutdown;
        self.tracer_gone += other.tracer_gone;
        self.late_signals += other.late_signals;
        self.too_many_open += other.too_many_open;
        self.panicked += other.panicked;
    }
}
