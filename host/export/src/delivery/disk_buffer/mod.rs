//! The disk buffer, which stores spans while a backend is down.

mod buffered;
mod file;
#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod outage;
mod pause;
mod sender;
mod store;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

pub(super) use buffered::{Buffered, Ticket};
#[cfg(feature = "otlp")]
pub(crate) use pause::Pause;
pub(crate) use store::DiskBufferStore;

/// The directory and the limits of the disk buffer of an OTLP exporter.
///
/// The buffer stores all spans that could not be sent for a reason that may pass: the backend
/// was down, slow, or overloaded, asked to wait, or refused the credentials or the address.
/// Spans that it refused because of their content (status 400 or 422, or `INVALID_ARGUMENT`)
/// are lost and counted. A request that is too large is sent in parts.
///
/// A second thread of the exporter sends, so the queue is emptied at any rate that the disk
/// can take. While the backend is down, spans go to disk immediately. The exporter tries one
/// file after one second, two seconds, four seconds, up to 30 seconds, or after the time that
/// the backend asked for, up to 5 minutes. When the backend is back, new spans and files
/// alternate. A shutdown writes to disk all spans that cannot be sent before its deadline. A
/// later process continues with the same files.
///
/// A request that the backend accepted without answering in time is sent twice. Both copies
/// contain the same spans with the same ids.
///
/// The files contain spans as they would be sent, after redaction, and are not accessible
/// to other users. They are not synced to disk: they survive the end of the process but not
/// a power failure. A damaged file is counted and renamed to set it aside. At most 16 such
/// files are kept.
///
/// An exporter has exclusive use of its directory. Building a tracer fails if another
/// exporter uses the directory, also from another process.
///
/// # Examples
/// ```
/// use spanmux::delivery::DiskBuffer;
///
/// let disk_buffer = DiskBuffer::new("/var/spool/shop/langfuse").max_bytes(64 << 20);
/// assert_eq!(disk_buffer.max_age.as_secs(), 24 * 60 * 60);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskBuffer {
    /// A directory that only this exporter uses. It is created if it does not exist.
    pub directory: PathBuf,
    /// The maximum total size of the files in bytes. When it is exceeded, the oldest files
    /// are dropped and counted as lost. Defaults to 268,435,456.
    pub max_bytes: u64,
    /// The maximum number of files. When it is exceeded, the oldest files are dropped and
    /// counted as lost. Small batches share a file, so with the default values the maximum
    /// size is reached first. Defaults to 10,000.
    pub max_files: usize,
    /// The maximum age of a file. Defaults to 24 hours; many backends refuse older spans.
    /// It is the time that exporters have had the file since the start of the process: the
    /// clock of the system may be wrong, so it is not used.
    pub max_age: Duration,
}

impl DiskBuffer {
    /// Creates settings for this directory with the default limits.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            max_bytes: 256 << 20,
            max_files: 10_000,
            max_age: Duration::from_secs(24 * 60 * 60),
        }
    }

    /// Sets the maximum total size of the files in bytes.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the maximum number of files.
    pub fn max_files(mut self, files: usize) -> Self {
        self.max_files = files;
        self
    }

    /// Sets the maximum age of a file.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }
}
