//! How spans are gathered before they are sent.

use std::time::Duration;

/// How an exporter gathers spans into batches.
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
    /// How many spans wait at most. What ends beyond that is dropped and counted as
    /// [`Loss::QueueFull`](super::Loss::QueueFull). Default: 2,048, as in the SDK.
    pub queue: usize,
    /// How many spans are sent at once at most; no more than wait. Default: 512, as in the SDK.
    pub size: usize,
    /// How long a span waits for others at most; a millisecond at least. Default: 5
    /// seconds, as in the SDK.
    pub every: Duration,
    /// How long sending one batch may take, with all of its attempts. Default: 10
    /// seconds, as OTLP says.
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
