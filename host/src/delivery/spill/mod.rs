//! Spilling: keeping what a backend could not take on disk until it can.

use std::path::PathBuf;
use std::time::Duration;

/// Where an exporter over OTLP keeps what its backend cannot take now, and how much.
///
/// Only what a backend did not take because it was down is kept: not what it
/// refused. The files are replayed, the oldest first, when the backend is back, also
/// by a later process. What is kept holds spans as they would have been sent, after
/// redaction; the directory is closed to other users.
///
/// # Examples
/// ```
/// use spanway::delivery::Spill;
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
