//! Detects that a file changed without reading it.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// Size, times and identity of a file, with links followed. Fingerprints are compared for equality
/// and never ordered, so a time that goes backwards is a change as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileFingerprint {
    size: u64,
    modified: Option<SystemTime>,
    identity: Identity,
}

/// Device, inode, and the time of the last change of content or permissions.
type Identity = (u64, u64, i64, i64);

impl FileFingerprint {
    /// Returns the fingerprint of a file, or `None` if it cannot be inspected.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok()?;
        Some(Self {
            size: data.len(),
            modified: data.modified().ok(),
            identity: identity(&data),
        })
    }
}

/// Returns the identity of the directory at this path, or `None` if there is none.
pub(super) fn place(path: &Path) -> Option<(u64, u64)> {
    let data = fs::metadata(path).ok().filter(fs::Metadata::is_dir)?;
    let (device, inode, ..) = identity(&data);
    Some((device, inode))
}

#[cfg(unix)]
fn identity(data: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (data.dev(), data.ino(), data.ctime(), data.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {
    (0, 0, 0, 0)
}
