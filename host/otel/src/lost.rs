//! Spans that reached no exporter because of their tracer's life.

use std::ops::AddAssign;

/// Sampled spans that no exporter was handed, because their tracer had come to its end
/// or had too many. What exporters lose of those that they were handed is told by
/// [`delivery`](super::RoutingTracerProvider::delivery).
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
/// assert_eq!(provider.lost().after_shutdown, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostSpans {
    /// Spans that were started or ended after their tracer was shut down.
    ///
    /// If the application shuts a ready-made provider down itself, this is noticed
    /// when the next span starts in it, and spans that end before that are not
    /// counted.
    pub after_shutdown: u64,
    /// Late children of a trace whose tracer was unregistered and is gone, and spans
    /// of a [resumed](super::RoutingTracerProvider::resume) run whose tracer is not
    /// here.
    pub tracer_gone: u64,
    /// Scores and other signals of a trace whose tracer is not here, sampled or not.
    pub late_signals: u64,
    /// Spans that were not started because too many of their tracer were open: see
    /// [`max_open_spans`](super::TracerConfig::max_open_spans).
    pub too_many_open: u64,
}

impl LostSpans {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.after_shutdown + self.tracer_gone + self.late_signals + self.too_many_open
    }
}

impl AddAssign for LostSpans {
    fn add_assign(&mut self, other: Self) {
        self.after_shutdown += other.after_shutdown;
        self.tracer_gone += other.tracer_gone;
        self.late_signals += other.late_signals;
        self.too_many_open += other.too_many_open;
    }
}
