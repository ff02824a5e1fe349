//! Spilling: keeping what a backend could not take on disk until it can.

mod file;
#[cfg(test)]
mod outage;
mod store;
#[cfg(test)]
mod tests;
mod transport;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use store::SpillStore;
#[cfg(any(test, feature = "otlp"))]
pub(crate) use transport::Spilling;

/// Where an exporter over OTLP keeps what its backend cannot take now, and how much.
///
/// Only what a backend did not take because it was down is kept: not what it
/// refused. While it is down, spans go to disk at once, and it is tried again after one
/// second, two, four, up to 30. When it is back, new spans go first; after each batch,
/// and while there is nothing else to do, a kept file is sent, the oldest first, also
/// by a later process.
///
/// A request that the backend took without saying so in time is sent twice: the spans
/// are the same, with the same ids.
///
/// The files hold spans as they would have been sent, after redaction, and are closed
/// to other users. They are not forced to the disk itself: they outlive the process,
/// and not a power cut. A file that is damaged is set aside under another name (16 of
/// them at most) and counted.
///
/// An exporter has its directory for itself: while another one uses it, also one of
/// another process, a tracer with such an exporter is not made.
///
/// # Examples
/// ```
/// use spanmux::delivery::Spill;
///
/// let spill = Spill { max_bytes: 64 << 20, ..Spill::to("/var/spool/shop/langfuse") };
/// assert_eq!(spill.max_age.as_secs(), 24 * 60 * 60);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spill {
    /// A directory of this exporter alone. It is made if it is not there.
    pub directory: PathBuf,
    /// Bytes of all files. Beyond that the oldest go, and are counted as lost.
    /// Default: 268,435,456.
    pub max_bytes: u64,
    /// How many files there are, one for each batch, for the same reason. Default:
    /// 10,000.
    pub max_files: usize,
    /// How long a file is kept. Default: 24 hours; many backends refuse older spans.
    pub max_age: Duration,
}

impl Spill {
    /// Spills to this directory, within the default limits.
    pub fn to(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            max_bytes: 256 << 20,
            max_files: 10_000,
            max_age: Duration::from_secs(24 * 60 * 60),
        }
    }
}
