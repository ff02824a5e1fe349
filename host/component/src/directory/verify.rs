//! Verification of files against the lock file as it was last read.
//!
//! The lock file may not be stored where selectors are added, because a user who may write there
//! could list any digest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::DirectoryError;
use super::fingerprint::FileFingerprint;
use super::lock::SelectorsLock;
use crate::{ComponentSelector, LoadError, SelectorHost, selector_name};
use spanmux_core::AllowedTracers;

/// Maximum number of links on the path to a lock file, as in operating systems.
const LINKS: usize = 40;

/// A lock with its file, or nothing if every file is accepted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DigestCheck(Option<Arc<(PathBuf, SelectorsLock)>>);

impl DigestCheck {
    /// Reads the lock file of a directory, if it has one.
    pub(super) fn read(lock: Option<&Path>) -> Result<Self, DirectoryError> {
        let Some(path) = lock else {
            return Ok(Self::default());
        };
        let lock = SelectorsLock::from_file(path).map_err(DirectoryError::Lock)?;
        Ok(Self(Some(Arc::new((path.to_owned(), lock)))))
    }

    /// Adds listed files that do not exist: a rule must not be skipped because its file was
    /// removed.
    pub(super) fn add_missing(&self, directory: &Path, files: &mut Vec<PathBuf>) {
        let listed = self.0.iter().flat_map(|lock| lock.1.entries());
        let listed = listed.map(|(name, _)| directory.join(name));
        let missing: Vec<_> = listed.filter(|path| !files.contains(path)).collect();
        files.extend(missing);
    }

    /// Checks whether content with this digest may be live at this file's position.
    pub(super) fn verify(&self, file: &Path, digest: &str) -> Result<(), LoadError> {
        let Some(lock) = &self.0 else {
            return Ok(());
        };
        let name = file.file_name().and_then(|name| name.to_str());
        let wanted = name.and_then(|name| lock.1.digest(name));
        if wanted == Some(digest) {
            return Ok(());
        }
        Err(LoadError::DigestMismatch {
            found: digest.to_owned(),
            wanted: wanted.map(str::to_owned),
            lock: lock.0.clone(),
        })
    }

    /// Returns the listed tracers that the selector at this file's position may choose.
    pub(super) fn allowed(&self, file: &Path) -> Option<&AllowedTracers> {
        let name = file.file_name()?.to_str()?;
        self.0.as_ref()?.1.allowed_tracers(name)
    }

    /// Returns all allow-lists by file name.
    pub(super) fn all_allowed(&self) -> Vec<(&str, &AllowedTracers)> {
        let lock = self.0.as_ref().map(|lock| &lock.1);
        lock.map(SelectorsLock::all_allowed).unwrap_or_default()
    }

    /// Creates a selector from a file's bytes if the lock accepts them.
    pub(super) fn load(
        &self,
        host: &SelectorHost,
        file: &Path,
        bytes: Result<Vec<u8>, LoadError>,
    ) -> Result<ComponentSelector, LoadError> {
        let bytes = bytes.map_err(|error| self.missing(error))?;
        host.load_if(&selector_name(file), &bytes, |digest| {
            self.verify(file, digest)
        })
    }

    /// A file that does not exist was only looked up because it is listed.
    fn missing(&self, error: LoadError) -> LoadError {
        match (error, &self.0) {
            (LoadError::Read(error), Some(lock)) if error.kind() == io::ErrorKind::NotFound => {
                LoadError::Missing {
                    lock: lock.0.clone(),
                }
            }
            (error, _) => error,
        }
    }
}

/// The lock file of a watched directory, which may change between scans.
#[derive(Default)]
pub(super) struct LockFile {
    path: Option<PathBuf>,
    taken: DigestCheck,
    /// The fingerprint of the accepted file. `None` before the first.
    stamp: Option<Option<FileFingerprint>>,
    /// The fingerprint at the last scan.
    looked: Option<Option<FileFingerprint>>,
}

/// The result of reading a lock file.
pub(super) struct Held {
    pub(super) pins: DigestCheck,
    /// The file may be incomplete, so the next scan follows soon.
    pub(super) unsettled: bool,
}

impl LockFile {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self {
            path,
            ..Self::default()
        }
    }

    /// Reads the lock file if it changed and is stable, as selector files must be: a file that is
    /// truncated at the end of a line is valid too. Until then, the previous lock applies.
    pub(super) fn look(&mut self, at_once: bool) -> Result<Held, DirectoryError> {
        let Some(path) = &self.path else {
            return Ok(self.held(false));
        };
        let stamp = FileFingerprint::of(path);
        let at_rest = at_once || self.looked.replace(stamp) == Some(stamp);
        if self.stamp == Some(stamp) {
            return Ok(self.held(false));
        }
        if !at_rest {
            return Ok(self.held(true));
        }
        let pins = DigestCheck::read(Some(path))?;
        if FileFingerprint::of(path) != stamp {
            return Ok(self.held(true));
        }
        (self.taken, self.stamp) = (pins, Some(stamp));
        Ok(self.held(false))
    }

    fn held(&self, unsettled: bool) -> Held {
        Held {
            pins: self.taken.clone(),
            unsettled,
        }
    }
}

/// Returns `true` if a user who may write to `directory` can determine the content of `path`: if
/// any step of the path, with links followed, is inside the directory.
pub(super) fn leads_through(directory: &Path, path: &Path) -> bool {
    let real = fs::canonicalize(directory);
    real.is_ok_and(|directory| passes(&directory, path, LINKS))
}

fn passes(directory: &Path, path: &Path, links: usize) -> bool {
    let Ok(whole) = std::path::absolute(path) else {
        return false;
    };
    whole.ancestors().any(|step| {
        let inside = fs::canonicalize(step).is_ok_and(|real| real.starts_with(directory));
        inside || leads_on(directory, step, links)
    })
}

fn leads_on(directory: &Path, step: &Path, links: usize) -> bool {
    let (Ok(target), Some(from)) = (fs::read_link(step), step.parent()) else {
        return false;
    };
    links == 0 || passes(directory, &from.join(target), links - 1)
}
