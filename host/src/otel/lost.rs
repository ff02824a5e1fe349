//! Spans that reached no exporter because of their tracer's life.

/// Sampled spans that were not exported because their tracer had come to its end.
///
/// # Examples
/// ```
/// use opentelemetry::trace::{Tracer, TracerProvider};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanway::otel::RoutingTracerProvider;
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
    /// Late children of a trace whose tracer was unregistered and is gone.
    pub tracer_gone: u64,
    /// Scores and other signals of a trace whose tracer is not here, sampled or not.
    pub late_signals: u64,
}

impl LostSpans {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.after_shutdown + self.tracer_gone + self.late_signals
    }
}
