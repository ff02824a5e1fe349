//! The selectors directory: the selection and order of its files, and the result of loading them.
//!
//! An invalid file does not affect the others. It keeps its position in the chain, and a decision
//! that reaches it goes to the fallback tracer: its rule must not be skipped silently.

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

use crate::{ComponentSelector, LoadError, Mode, SelectorEvent, SelectorHost};
use spanmux_core::ContextView;
use spanmux_core::TracerNames;
use spanmux_core::{AllowedTracers, Chain, Selector};
use spanmux_core::{Choice, Fallback};
use verify::DigestCheck;

pub use lock::{LockError, SelectorsLock};
pub use status::{ActiveSelector, Refusal, WatchStatus, WatchedFile};
pub use watch::{WatchSettings, WatchedDirectory};

/// A directory of selectors.
///
/// The `*.wasm` files directly in it are active, in the byte order of their names: `10-tenant.wasm`
/// runs before `20-environment.wasm`. Subdirectories and files of other types are ignored, and so
/// are names that begin with a dot.
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
    /// The modes of selectors by name. Others are cached.
    modes: BTreeMap<String, Mode>,
    /// The tracers that selectors may choose, by name. Others may choose any.
    allowed: BTreeMap<String, AllowedTracers>,
    lock: Option<PathBuf>,
}

impl SelectorsDirectory {
    /// Names a directory without reading it.
    ///
    /// A relative path is resolved when the directory is loaded, or when a watch begins; a watch
    /// keeps it when the working directory changes.
    pub fn new(path: impl Into<PathBuf>, host: SelectorHost) -> Self {
        Self {
            path: path.into(),
            host,
            modes: BTreeMap::new(),
            allowed: BTreeMap::new(),
            lock: None,
        }
    }

    /// Sets the mode of the selector with this name, which is its file name without the extension.
    /// A name without a file has no effect.
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

    /// Sets the tracers that the selector with this name may choose; the name is its file name without
    /// the extension. The host refuses any other answer: see [`AllowedTracers`].
    ///
    /// The list belongs to the name: it applies to every later content of the file, and to a file that
    /// does not exist yet. A second list for a name replaces the first. A list in the
    /// [lock file](Self::with_lock) applies as well.
    ///
    /// # Examples
    /// ```no_run
    /// use spanmux::{AllowedTracers, Limits, SelectorHost, SelectorsDirectory};
    ///
    /// let host = SelectorHost::new(Limits::default())?;
    /// let report = SelectorsDirectory::new("selectors", host)
    ///     .with_allowed_tracers("20-tenant", &AllowedTracers::new(["tenant-*", "quarantine"])?)
    ///     .load()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_allowed_tracers(
        mut self,
        name: impl Into<String>,
        allowed: &AllowedTracers,
    ) -> Self {
        self.allowed.insert(name.into(), allowed.clone());
        self
    }

    /// Restricts the directory to a lock file: only listed files with matching digests are loaded
    /// ([`SelectorsLock`]).
    ///
    /// Any other file, and a file with another digest, is refused before any byte of it is parsed:
    /// [`LoadError::DigestMismatch`]. A listed file that does not exist is [`LoadError::Missing`].
    /// Both keep their position, and decisions that reach it go to the fallback tracer: removing a
    /// file must not disable its rule.
    ///
    /// The watcher of a directory reads the lock file at each scan, once it is stable. A live
    /// selector stays live while its digest is listed, whatever happens to its file, and leaves its
    /// position when its digest is no longer listed. While the lock file cannot be read, nothing
    /// changes. To update, add new files first and the lock file afterwards: the previous selectors
    /// stay live until then.
    ///
    /// A lock file can also contain the tracers that a selector may choose. They apply in addition to
    /// those of [`with_allowed_tracers`](Self::with_allowed_tracers), and a change of them applies to
    /// the next trace.
    ///
    /// The lock file must not be inside the directory, because a user who may add selectors must
    /// not be able to list them.
    pub fn with_lock(mut self, path: impl Into<PathBuf>) -> Self {
        self.lock = Some(path.into());
        self
    }

    /// Checks that the lock file is not writable through the directory. Every load and scan
    /// performs this check too.
    ///
    /// # Errors
    /// Returns [`DirectoryError::HoldsLock`].
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

    /// Returns the path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Loads all selectors of the directory.
    ///
    /// A file that cannot be loaded is part of the report and not an error.
    ///
    /// # Errors
    /// Returns [`DirectoryError`] if the directory cannot be read, contains more selectors than
    /// [`Limits::selectors`](crate::Limits), or contains the host's compile cache or its own lock
    /// file, or if the lock file cannot be read.
    ///
    /// # Cost
    /// Compiles each file that is not in the compile cache, at most
    /// [`Limits::compile_threads`](crate::Limits) at once.
    pub fn load(&self) -> Result<LoadReport, DirectoryError> {
        let report = self.load_unreported()?;
        for file in &report.files {
            file.log();
            self.host.events().emit(|| file.event(false));
        }
        Ok(report)
    }

    /// Loads as [`load`](Self::load) does, without an event: a watch that follows reports the files.
    #[doc(hidden)]
    pub fn load_unreported(&self) -> Result<LoadReport, DirectoryError> {
        self.check_lock()?;
        let pins = DigestCheck::read(self.lock.as_deref())?;
        let paths = self.live_files(&pins)?;
        let load = |path: &Path| pins.load(&self.host, path, self.host.read_file(path));
        let outcomes = self.host.load_files(&paths, load);
        let files = paths
            .into_iter()
            .zip(outcomes)
            .map(|(path, outcome)| self.of_directory(LoadedFile::new(path, outcome), &pins));
        Ok(LoadReport {
            files: files.collect(),
        })
    }

    /// Applies the settings of the directory and of the lock file to a loaded file.
    fn of_directory(&self, file: LoadedFile, pins: &DigestCheck) -> LoadedFile {
        LoadedFile {
            allowed: self.allowed.get(&file.name()).cloned(),
            pinned: pins.allowed(&file.path).cloned(),
            ..file.in_mode(&self.modes)
        }
    }

    /// Restricts the selector of a file as the directory and the lock file require.
    fn restrict(
        &self,
        selector: Arc<dyn Selector>,
        file: &WatchedFile,
        pins: &DigestCheck,
    ) -> Arc<dyn Selector> {
        let lists = self.allowed.get(&file.name).into_iter();
        restrict(selector, lists.chain(pins.allowed(&file.path)))
    }

    /// Returns the files that may be loaded, in order.
    fn live_files(&self, pins: &DigestCheck) -> Result<Vec<PathBuf>, DirectoryError> {
        self.check_cache()?;
        let paths = self.files(pins)?;
        let limit = self.host.limits().selectors;
        if paths.len() > limit {
            Err(DirectoryError::TooMany {
                path: self.path.clone(),
                found: paths.len(),
                limit,
            })
        } else {
            Ok(paths)
        }
    }

    /// A user who may add selectors must not be able to add machine code to the process.
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

    /// Returns the active files and the listed ones, in order.
    fn files(&self, pins: &DigestCheck) -> Result<Vec<PathBuf>, DirectoryError> {
        let unreadable = |error| DirectoryError::of(&self.path, error);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let wasm = path.extension().is_some_and(|ending| ending == "wasm");
            // Follows links. A dangling link is a file that cannot be read. A pipe or a directory
            // is not a file.
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

/// The result of loading a directory: successes and failures in order.
#[derive(Debug)]
#[must_use = "a file that could not be loaded is only in the report"]
pub struct LoadReport {
    files: Vec<LoadedFile>,
}

/// A file of a [`LoadReport`].
#[derive(Debug)]
pub struct LoadedFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The result of loading it.
    pub outcome: Result<ComponentSelector, LoadError>,
    /// The allow-list of the directory.
    allowed: Option<AllowedTracers>,
    /// The allow-list of the lock file.
    pinned: Option<AllowedTracers>,
}

impl LoadReport {
    /// Returns all files in order.
    pub fn files(&self) -> &[LoadedFile] {
        &self.files
    }

    /// Returns the loaded selectors.
    pub fn loaded(&self) -> impl Iterator<Item = &ComponentSelector> {
        self.files
            .iter()
            .filter_map(|file| file.outcome.as_ref().ok())
    }

    /// Returns the files that could not be loaded, with their errors.
    pub fn failed(&self) -> impl Iterator<Item = (&Path, &LoadError)> {
        self.files
            .iter()
            .filter_map(|file| Some((file.path.as_path(), file.outcome.as_ref().err()?)))
    }

    /// Returns the chain, with each file at its position. A file that could not be loaded answers
    /// with [`Fallback::Unavailable`].
    pub fn chain(&self) -> Chain {
        self.files.iter().map(LoadedFile::selector).collect()
    }
}

impl LoadedFile {
    /// Creates the result of loading a file, without an allow-list.
    pub fn new(path: impl Into<PathBuf>, outcome: Result<ComponentSelector, LoadError>) -> Self {
        Self {
            path: path.into(),
            outcome,
            allowed: None,
            pinned: None,
        }
    }

    /// Sets the tracers that the selector may choose.
    pub fn with_allowed_tracers(mut self, allowed: &AllowedTracers) -> Self {
        self.allowed = Some(allowed.clone());
        self
    }

    /// Returns the allow-lists of the selector: that of the directory and that of its lock file.
    pub fn allowed_tracers(&self) -> impl Iterator<Item = &AllowedTracers> {
        self.allowed.iter().chain(&self.pinned)
    }

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

    /// Returns the event of the result. `kept` is `true` if the previous content stays live.
    fn event(&self, kept: bool) -> SelectorEvent {
        let (selector, path) = (self.name(), self.path.clone());
        match &self.outcome {
            Ok(loaded) => SelectorEvent::Loaded {
                selector,
                path,
                digest: loaded.digest().unwrap_or_default().to_owned(),
                bytes: loaded.file_bytes(),
            },
            Err(error) => SelectorEvent::Refused {
                selector,
                path,
                reason: describe(error),
                kept,
            },
        }
    }

    /// Returns the selector at this file's position, restricted to the tracers that it may choose.
    pub fn selector(&self) -> Arc<dyn Selector> {
        match &self.outcome {
            Ok(selector) => restrict(Arc::new(selector.clone()), self.allowed_tracers()),
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

    /// Returns the name of the selector: the file name without its extension.
    pub fn name(&self) -> String {
        crate::selector_name(&self.path)
    }

    /// Formats the path on one line without characters that control a terminal. File names are
    /// untrusted.
    pub fn place(&self) -> String {
        crate::place(&self.path)
    }
}

fn restrict<'a>(
    selector: Arc<dyn Selector>,
    lists: impl Iterator<Item = &'a AllowedTracers>,
) -> Arc<dyn Selector> {
    lists.fold(selector, |selector, allowed| allowed.restrict(selector))
}

/// Keeps the position of a file that could not be loaded.
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

/// Formats an error with its cause on one line.
fn describe(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// The reason why a selectors directory could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The directory does not exist.
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The watcher thread could not be started.
    Thread {
        /// The path of the directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The directory exists and cannot be listed.
    Unreadable {
        /// The path of the directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The directory has more selectors than a chain may have.
    TooMany {
        /// The path of the directory.
        path: PathBuf,
        /// The number of selectors.
        found: usize,
        /// The maximum number.
        limit: usize,
    },
    /// The directory contains the host's compile cache. Machine code is never loaded from a place
    /// where selectors are added.
    HoldsCache {
        /// The path of the directory.
        path: PathBuf,
        /// The path of the cache.
        cache: PathBuf,
    },
    /// The directory contains its lock file, or a link on the path to it.
    HoldsLock {
        /// The path of the directory.
        path: PathBuf,
        /// The path of the lock file.
        lock: PathBuf,
    },
    /// The lock file cannot be read.
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
                "the selectors directory {} does not exist; create it or correct the path",
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
            // The message is part of the error itself.
            Self::Lock(error) => error.source(),
            _ => None,
        }
    }
}
