//! Batch settings.

use std::time::Duration;

/// Settings for the queue and the batches of an exporter.
///
/// # Examples
/// ```
/// use spanmux::delivery::BatchConfig;
/// use std::time::Duration;
///
/// let batch = BatchConfig {
///     every: Duration::from_millis(500),
///     ..BatchConfig::default()
/// };
/// assert_eq!(batch.queue, 2_048);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchConfig {
    /// The maximum number of waiting spans. Further spans are dropped and counted as
    /// [`Loss::QueueFull`](super::Loss::QueueFull). Defaults to 2,048, as in the SDK.
    pub queue: usize,
    /// The maximum number of spans in a batch, at most `queue`. Defaults to 512, as in the
    /// SDK.
    pub size: usize,
    /// The maximum time that a span waits for its batch to fill, at least one millisecond.
    /// Defaults to 5 seconds, as in the SDK.
    pub every: Duration,
    /// The maximum time to send one batch, including all attempts. Defaults to 10 seconds,
    /// as in the OTLP specification.
    pub timeout: Duration,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            queue: 2_048,
            size: 512,
            every: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
        }
    }
}
