//! Batch settings.

use std::time::Duration;

/// Settings for the queue and the batches of an exporter, with the names of
/// OpenTelemetry's batch span processor.
///
/// # Examples
/// ```
/// use spanmux::delivery::BatchConfig;
/// use std::time::Duration;
///
/// let batch = BatchConfig::new().scheduled_delay(Duration::from_millis(500));
/// assert_eq!(batch.max_queue_size, 2_048);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchConfig {
    /// The maximum number of waiting spans. Further spans are dropped and counted as
    /// [`Loss::QueueFull`](super::Loss::QueueFull). Defaults to 2,048, as in the SDK.
    pub max_queue_size: usize,
    /// The maximum number of spans in a batch, at most `max_queue_size`. Defaults to 512,
    /// as in the SDK.
    pub max_export_batch_size: usize,
    /// The maximum time that a span waits for its batch to fill, at least one millisecond.
    /// Defaults to 5 seconds, as in the SDK.
    pub scheduled_delay: Duration,
    /// The maximum time to send one batch, including all attempts. Defaults to 20 seconds:
    /// two attempts of 10 seconds, the timeout of the OTLP specification. If a backend asks to
    /// wait for longer, the exporter waits and then starts again.
    pub max_export_timeout: Duration,
}

impl BatchConfig {
    /// Creates the default settings.
    pub const fn new() -> Self {
        Self {
            max_queue_size: 2_048,
            max_export_batch_size: 512,
            scheduled_delay: Duration::from_secs(5),
            max_export_timeout: Duration::from_secs(20),
        }
    }

    /// Sets the maximum number of waiting spans.
    pub fn max_queue_size(mut self, spans: usize) -> Self {
        self.max_queue_size = spans;
        self
    }

    /// Sets the maximum number of spans in a batch.
    pub fn max_export_batch_size(mut self, spans: usize) -> Self {
        self.max_export_batch_size = spans;
        self
    }

    /// Sets the maximum time that a span waits for its batch to fill.
    pub fn scheduled_delay(mut self, delay: Duration) -> Self {
        self.scheduled_delay = delay;
        self
    }

    /// Sets the maximum time to send one batch, including all attempts.
    pub fn max_export_timeout(mut self, timeout: Duration) -> Self {
        self.max_export_timeout = timeout;
        self
    }
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self::new()
    }
}
