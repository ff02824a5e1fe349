//! What a directory is held to: the lock that it was given, as it was read last.
//!
//! A lock is no selector, so it may not lie where selectors are dropped: who may write
//! there could list what they like.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::DirectoryError;
use super::fingerprint::FileFingerprint;
use super::lock::SelectorsLock;
use crate::{ComponentSelector, LoadError, SelectorHost, selector_name};

/// As many links are followed on the way to a lock; the systems follow no more.
const LINKS: usize = 40;

/// A lock with the file that it is from; nothing, where everything is let in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DigestCheck(Option<Arc<(PathBuf, SelectorsLock)>>);

impl DigestCheck {
    /// Reads the lock of a directory, if it has one.
    pub(super) fn read(lock: Option<&Path>) -> Result<Self, DirectoryError> {
        let Some(path) = lock else {
            return Ok(Self::default());
        };
        let lock = SelectorsLock::from_file(path).map_err(DirectoryError::Lock)?;
        Ok(Self(Some(Arc::new((path.to_owned(), lock)))))
    }

    /// Adds the files that are listed and are not there: a rule that was meant to stand
    /// in the chain must not be passed over because somebody removed its file.
    pub(super) fn add_missing(&self, directory: &Path, files: &mut Vec<PathBuf>) {
        let listed = self.0.iter().flat_map(|lock| lock.1.entries());
        let listed = listed.map(|(name, _)| directory.join(name));
        let missing: Vec<_> = listed.filter(|path| !files.contains(path)).collect();
        files.extend(missing);
    }

    /// Whether content with this digest may be live in this file's place.
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

    /// Makes a selector of a file's bytes, if they are let in.
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

    /// A file that is not there was looked for because it is listed.
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

/// The lock file of a watched directory, which may be another at each look.
#[derive(Default)]
pub(super) struct LockFile {
    path: Option<PathBuf>,
    taken: DigestCheck,
    /// The stamp of what was taken; none before.
    stamp: Option<Option<FileFingerprint>>,
    /// Of what was found at the last look.
    looked: Option<Option<FileFingerprint>>,
}

/// What a look at a lock file found.
pub(super) struct Held {
    pub(super) pins: DigestCheck,
    /// The lock is not known to be whole, so look again soon.
    pub(super) unsettled: bool,
}

impl LockFile {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self {
            path,
            ..Self::default()
        }
    }

    /// Reads the lock if it is another and lies still, as files of selectors must: one
    /// that is cut off at the end of a line is a lock too. Until then the one before
    /// holds.
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

/// Whether who may write to `directory` may say what lies at `path`: whether any step of
/// the way to it, through links, lies in the directory.
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
