//! The selectors directory: which files in it are selectors, in which order, and
//! what came of loading them.
//!
//! One bad file does not sink the others. It keeps its place in the chain, and a
//! decision that reaches it goes to the fallback tracer: a rule that was meant to
//! stand there must not be passed over in silence.

mod fingerprint;
mod loader;
mod lock;
mod status;
mod verify;
mod watch;
mod watched;
mod watcher;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{ComponentSelector, LoadError, Mode, SelectorHost};
use spanmux_core::ContextView;
use spanmux_core::TracerNames;
use spanmux_core::{Chain, Selector};
use spanmux_core::{Choice, Fallback};
use verify::DigestCheck;

pub use lock::{LockError, SelectorsLock};
pub use status::{ActiveSelector, Refusal, WatchStatus, WatchedFile};
pub use watch::{WatchSettings, WatchedDirectory};

/// A directory of selectors.
///
/// GuestInstance are the `*.wasm` files directly in it, in the byte order of their names,
/// so `10-tenant.wasm` is asked before `20-environment.wasm`. Sources and other
/// files may lie in sub-folders; files whose names begin with a dot are ignored.
///
/// # Examples
/// ```no_run
/// use spanmux::{Limits, SelectorHost, SelectorsDirectory, TracerRegistry};
///
/// let host = SelectorHost::new(Limits::default())?;
/// let report = SelectorsDirectory::new("selectors", host).load()?;
/// for (file, error) in report.failed() {
///     eprintln!("{}: {error}", file.display());
/// }
/// let registry = TracerRegistry::<()>::new();
/// registry.set_selectors(report.chain());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SelectorsDirectory {
    path: PathBuf,
    host: SelectorHost,
    /// By the name of the selector; those that are not here are learned.
    modes: BTreeMap<String, Mode>,
    lock: Option<PathBuf>,
}

impl SelectorsDirectory {
    /// Names a directory; nothing is read yet.
    pub fn new(path: impl Into<PathBuf>, host: SelectorHost) -> Self {
        Self {
            path: path.into(),
            host,
            modes: BTreeMap::new(),
            lock: None,
        }
    }

    /// Runs the selector of this name, which is its file's without the ending, in
    /// another mode. A name that no file has changes nothing.
    ///
    /// # Examples
    /// ```no_run
    /// use spanmux::{Limits, Mode, SelectorHost, SelectorsDirectory};
    ///
    /// let host = SelectorHost::new(Limits::default())?;
    /// let report = SelectorsDirectory::new("selectors", host)
    ///     .with_mode("60-takes-turns", Mode::Stateful)
    ///     .load()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_mode(mut self, name: impl Into<String>, mode: Mode) -> Self {
        self.modes.insert(name.into(), mode);
        self
    }

    /// Holds it to a lock: only files go live that this file lists, with the digests
    /// that it lists ([`SelectorsLock`]).
    ///
    /// Any other file is refused before a byte of it is parsed, and so is one with
    /// another digest: [`LoadError::DigestMismatch`]. A file that is listed and not there is
    /// [`LoadError::Missing`]. Both keep their place, and decisions that reach it go to
    /// the fallback tracer, for a rule must not be switched off by removing its file.
    ///
    /// The lock of a watched directory is looked at whenever the directory is, and taken
    /// when it lies still. What is live stays live while its digest is listed, whatever
    /// becomes of its file, and is taken out of its place when it is no longer. While the
    /// lock cannot be read, everything stays as it is. Put new files first and the lock
    /// then: the selectors before stay live until it comes.
    ///
    /// The file may not lie in the directory, because who drops selectors there must not
    /// be able to list them.
    pub fn with_lock(mut self, path: impl Into<PathBuf>) -> Self {
        self.lock = Some(path.into());
        self
    }

    /// That its lock lies where nobody can write who may only write here. Each load and
    /// each look checks it too.
    ///
    /// # Errors
    /// [`DirectoryError::HoldsLock`].
    pub fn check_lock(&self) -> Result<(), DirectoryError> {
        match &self.lock {
            Some(lock) if verify::leads_through(&self.path, lock) => {
                Err(DirectoryError::HoldsLock {
                    path: self.path.clone(),
                    lock: lock.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Loads every selector in it.
    ///
    /// A file that cannot be loaded is part of the report and no error.
    ///
    /// # Errors
    /// [`DirectoryError`] if the directory itself cannot be read, holds more
    /// selectors than [`Limits::selectors`](crate::Limits), or holds the host's
    /// compile cache or its own lock; or if the lock cannot be read.
    ///
    /// # Cost
    /// Compiles each file that is not in the compile cache, as many at once as
    /// [`Limits::compile_threads`](crate::Limits) allows.
    pub fn load(&self) -> Result<LoadReport, DirectoryError> {
        self.check_lock()?;
        let pins = DigestCheck::read(self.lock.as_deref())?;
        let paths = self.live_files(&pins)?;
        let load = |path: &Path| pins.load(&self.host, path, self.host.read_file(path));
        let outcomes = self.host.load_files(&paths, load);
        let files: Vec<_> = paths
            .into_iter()
            .zip(outcomes)
            .map(|(path, outcome)| LoadedFile { path, outcome }.in_mode(&self.modes))
            .collect();
        files.iter().for_each(LoadedFile::log);
        Ok(LoadReport { files })
    }

    /// The files that may all be loaded, in order.
    fn live_files(&self, pins: &DigestCheck) -> Result<Vec<PathBuf>, DirectoryError> {
        self.check_cache()?;
        let paths = self.files(pins)?;
        let limit = self.host.limits().selectors;
        match paths.len() > limit {
            true => Err(DirectoryError::TooMany {
                path: self.path.clone(),
                found: paths.len(),
                limit,
            }),
            false => Ok(paths),
        }
    }

    /// Whoever may put a selector here must not be able to put machine code into
    /// the process.
    fn check_cache(&self) -> Result<(), DirectoryError> {
        let Some(cache) = self.host.cache_directory() else {
            return Ok(());
        };
        let real = |path: &Path| fs::canonicalize(path).ok();
        match real(cache).zip(real(&self.path)) {
            Some((cache, here)) if cache.starts_with(&here) => Err(DirectoryError::HoldsCache {
                path: self.path.clone(),
                cache,
            }),
            _ => Ok(()),
        }
    }

    /// The live files, and those that should be, in order.
    fn files(&self, pins: &DigestCheck) -> Result<Vec<PathBuf>, DirectoryError> {
        let unreadable = |error| DirectoryError::of(&self.path, error);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let wasm = path.extension().is_some_and(|ending| ending == "wasm");
            // Through links, and whatever is left of a link that leads nowhere is a
            // file that cannot be read. A pipe or a folder is not a file at all.
            let file = || fs::metadata(&path).map_or(true, |data| data.is_file());
            if wasm && !hidden && file() {
                files.push(path);
            }
        }
        pins.add_missing(&self.path, &mut files);
        files.sort_unstable_by(|a, b| {
            let name = |path: &PathBuf| path.file_name().map(|n| n.as_encoded_bytes().to_vec());
            name(a).cmp(&name(b))
        });
        Ok(files)
    }
}

/// What came of loading a directory: successes and failures, in order.
#[derive(Debug)]
#[must_use = "a file that could not be loaded is only in the report"]
pub struct LoadReport {
    files: Vec<LoadedFile>,
}

/// One file of a [`LoadReport`].
#[derive(Debug)]
pub struct LoadedFile {
    /// Where it is.
    pub path: PathBuf,
    /// What came of it.
    pub outcome: Result<ComponentSelector, LoadError>,
}

impl LoadReport {
    /// Every file in order.
    pub fn files(&self) -> &[LoadedFile] {
        &self.files
    }

    /// The selectors that are live.
    pub fn loaded(&self) -> impl Iterator<Item = &ComponentSelector> {
        self.files
            .iter()
            .filter_map(|file| file.outcome.as_ref().ok())
    }

    /// The files that could not be loaded, and why.
    pub fn failed(&self) -> impl Iterator<Item = (&Path, &LoadError)> {
        self.files
            .iter()
            .filter_map(|file| Some((file.path.as_path(), file.outcome.as_ref().err()?)))
    }

    /// The chain: each file at its place. One that could not be loaded answers
    /// with [`Fallback::Unavailable`].
    pub fn chain(&self) -> Chain {
        self.files.iter().map(LoadedFile::selector).collect()
    }
}

impl LoadedFile {
    fn log(&self) {
        match &self.outcome {
            Ok(selector) => tracing::info!(
                selector = selector.name(),
                digest = selector.digest(),
                bytes = selector.file_bytes(),
                "a selector was loaded"
            ),
            Err(error) => tracing::warn!(
                file = %self.place(),
                error = error as &dyn std::error::Error,
                "a selector could not be loaded; decisions that reach its place go to the \
                 fallback tracer"
            ),
        }
    }

    /// What stands at this file's place in the chain.
    pub fn selector(&self) -> Arc<dyn Selector> {
        match &self.outcome {
            Ok(selector) => Arc::new(selector.clone()),
            Err(error) => Arc::new(Unavailable {
                name: self.name(),
                reason: describe(error),
            }),
        }
    }

    fn in_mode(mut self, modes: &BTreeMap<String, Mode>) -> Self {
        if let (Some(mode), Ok(selector)) = (modes.get(&self.name()), &mut self.outcome) {
            *selector = selector.with_mode(*mode);
        }
        self
    }

    /// The name of the selector: the file's, without the ending.
    pub fn name(&self) -> String {
        crate::selector_name(&self.path)
    }

    /// Where it is, on one line and with nothing that could move a terminal's cursor:
    /// whoever drops a file names it.
    pub fn place(&self) -> String {
        crate::place(&self.path)
    }
}

/// Holds the place of a file that could not be loaded.
struct Unavailable {
    name: String,
    reason: String,
}

impl Selector for Unavailable {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&self, _: &ContextView<'_>, _: &TracerNames) -> Choice {
        Choice::Fallback(Fallback::Unavailable(self.reason.clone()))
    }
}

/// An error with its cause, on one line.
fn describe(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Why a selectors directory could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum DirectoryError {
    /// There is no such directory.
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The system gives no thread to watch it.
    Thread {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is there and cannot be listed.
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// More selectors than a chain may have.
    TooMany {
        /// Where it is.
        path: PathBuf,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The host's compile cache lies in it. Machine code is never taken from where
    /// selectors are dropped.
    HoldsCache {
        /// Where the directory is.
        path: PathBuf,
        /// Where the cache lies.
        cache: PathBuf,
    },
    /// Its lock lies in it, or the way to the lock leads through it.
    HoldsLock {
        /// Where the directory is.
        path: PathBuf,
        /// The lock.
        lock: PathBuf,
    },
    /// Its lock cannot be read.
    Lock(LockError),
}

impl DirectoryError {
    fn of(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::Unreadable { path, source },
        }
    }
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(
                f,
                "the selectors directory {} does not exist; create it, or name the right one",
                path.display()
            ),
            Self::Unreadable { path, .. } => write!(
                f,
                "the selectors directory {} cannot be listed; it must be a directory that this \
                 process may read",
                path.display()
            ),
            Self::Thread { path, .. } => write!(
                f,
                "the selectors directory {} cannot be watched; this process gets no further \
                 thread, so end some or raise its limit",
                path.display()
            ),
            Self::TooMany { path, found, limit } => write!(
                f,
                "the selectors directory {} holds {found} selectors and a chain may have {limit}; \
                 move some away, or raise `Limits::selectors`",
                path.display()
            ),
            Self::HoldsCache { path, cache } => write!(
                f,
                "the compile cache {} lies in the selectors directory {}; name a directory for \
                 it elsewhere, because what is found in it is run as it is",
                cache.display(),
                path.display()
            ),
            Self::HoldsLock { path, lock } => write!(
                f,
                "the lock {} lies in the selectors directory {}, or the way to it leads through \
                 it; name a file elsewhere, because who may drop selectors must not list them",
                lock.display(),
                path.display()
            ),
            Self::Lock(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DirectoryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Thread { source, .. } | Self::Unreadable { source, .. } => Some(source),
            // The message is its own already.
            Self::Lock(error) => error.source(),
            _ => None,
        }
    }
}
