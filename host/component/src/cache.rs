//! The compile cache: compiled components survive a restart.
//!
//! wasmtime writes and reads the entries. It treats its directory as its own, executes the entries
//! unchecked, and deletes unknown files. It therefore gets a directory of its own, and an entry is
//! used only if a checksum beside it matches.

use std::fs;
use std::hash::{Hash as _, Hasher};
use std::io;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::{Cache, CacheConfig, Engine};

use super::limits::Limits;
use super::permissions;

/// The subdirectory for the entries, so that nothing else in the named directory is touched. A new
/// format gets a new name.
const FOLDER: &str = "compiled-selectors-1";
/// Maximum size of all entries: a chain of interpreters at about 9 MB each, or thousands of Rust
/// selectors. The oldest entries are deleted first, once per hour.
const KEPT_BYTES: u64 = 512 << 20;
/// Maximum number of entries, each of which is a few files.
const KEPT_ENTRIES: u64 = 2048;
/// Bytes that are written to find out whether the disk is full: more than the entry of a small
/// selector.
const PROBE: usize = 64 << 10;

/// The location of compiled selectors between runs of a program.
///
/// Without a cache, a host compiles each selector at every start. With one, it finds the result of
/// an earlier run and starts within milliseconds. The cache never fails a load: if it cannot be
/// used, selectors are compiled, and
/// [`SelectorHost::compile_status`](crate::SelectorHost::compile_status) gives the reason.
///
/// Entries run as machine code of this process. The cache is therefore a directory that only the
/// current user may enter. It is created if missing, and checked at every start. On systems other
/// than Unix, choose a location that only the user may write to. Each entry is compared with a
/// checksum before it is used, and compiled again if it is damaged. The cache must not be inside a
/// selectors directory: [`SelectorsDirectory::load`](crate::SelectorsDirectory::load) refuses that.
///
/// The cache keeps at most 512 MiB and deletes the least recently used entries first. A thread of
/// wasmtime does this at a lowered priority. On Unix systems other than Linux, that priority
/// applies to the whole process.
///
/// # Examples
/// ```
/// use spanmux::{CompileCache, SelectorHost};
/// # let directory = tempfile::tempdir()?;
///
/// let host = SelectorHost::builder()
///     .cache(CompileCache::in_directory(directory.path()))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileCache {
    directory: PathBuf,
}

impl CompileCache {
    /// Creates a cache in this directory. The directory is created with the host. Nothing outside
    /// of the cache's own subdirectory is touched.
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// Returns the named directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// The state of a host's compile cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheState {
    /// No cache was requested.
    Off,
    /// The cache is in use.
    On {
        /// The directory of the entries.
        directory: PathBuf,
    },
    /// The cache cannot be used or is full. Components that are not in it are compiled at every
    /// start.
    Unusable {
        /// The intended directory of the entries.
        directory: PathBuf,
        /// The reason and the remedy.
        reason: String,
    },
}

/// The compile cache of one host.
pub(super) enum Disk {
    Off,
    On(Entries),
    Unusable { directory: PathBuf, reason: String },
}

impl Disk {
    /// Opens the requested cache. An unusable cache is a state and not an error.
    pub(super) fn open(cache: Option<&CompileCache>, limits: &Limits) -> Self {
        let Some(cache) = cache else {
            return Self::Off;
        };
        Entries::open(cache.directory(), limits).map_or_else(
            |reason| {
                let directory = cache.directory().join(FOLDER);
                tracing::warn!(
                    directory = %directory.display(),
                    reason,
                    "the compile cache cannot be used; selectors are compiled at each start"
                );
                Self::Unusable { directory, reason }
            },
            Self::On,
        )
    }

    pub(super) fn entries(&self) -> Option<&Entries> {
        match self {
            Self::On(entries) => Some(entries),
            Self::Off | Self::Unusable { .. } => None,
        }
    }

    pub(super) fn state(&self) -> CacheState {
        match self {
            Self::Off => CacheState::Off,
            Self::On(entries) => entries.state(),
            Self::Unusable { directory, reason } => CacheState::Unusable {
                directory: directory.clone(),
                reason: reason.clone(),
            },
        }
    }
}

/// A usable directory of entries.
pub(super) struct Entries {
    folder: PathBuf,
    wasmtime: Cache,
    /// Checksum of the limits under which components start here.
    limits: String,
    /// The reason why the last entry could not be stored.
    full: OnceLock<String>,
}

impl Entries {
    fn open(directory: &Path, limits: &Limits) -> Result<Self, String> {
        // The working directory may change while the program runs.
        let directory = std::path::absolute(directory).map_err(|error| error.to_string())?;
        let folder = directory.join(FOLDER);
        permissions::make(&folder)
            .and_then(|()| permissions::make(&sums(&folder)))
            .and_then(|()| permissions::make(&code(&folder)))
            .map_err(|error| {
                format!("it cannot be made: {error}; name a directory that this user may write to")
            })?;
        permissions::check(&directory, &folder)?;
        let entries = Self {
            wasmtime: wasmtime_cache(&code(&folder))?,
            folder,
            limits: sum(format!("{limits:?}").as_bytes()),
            full: OnceLock::new(),
        };
        entries.clear();
        Ok(entries)
    }

    /// Returns the directory of the entries.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the cache for the engine's configuration.
    pub(super) fn wasmtime(&self) -> &Cache {
        &self.wasmtime
    }

    fn state(&self) -> CacheState {
        let directory = self.folder.clone();
        match self.full.get() {
            None => CacheState::On { directory },
            Some(reason) => CacheState::Unusable {
                directory,
                reason: reason.clone(),
            },
        }
    }

    /// Compiles a component. An entry is used only if its checksum matches.
    pub(super) fn compile(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Made> {
        let name = entry_name(engine, bytes);
        let known = self.check(&name)?;
        if known.is_none() {
            // The directories may have been deleted.
            let _ = permissions::make(&code(&self.folder))
                .and_then(|()| permissions::make(&sums(&self.folder)));
        }
        let before = self.wasmtime.cache_misses();
        let component = Component::new(engine, bytes)?;
        // Counts written entries. A concurrent thread may be counted instead; the next load then
        // detects a problem. Another process may have written the entry meanwhile, and a third may
        // have considered it damaged.
        let wrote = self.wasmtime.cache_misses() != before;
        let is_gone = known.is_none() && !wrote && self.named(&name).next().is_none();
        if is_gone && !self.takes(PROBE.max(bytes.len())) {
            self.say_full();
        }
        Ok(Made {
            component,
            found: known.is_some(),
            starts: known.is_some_and(|sum| sum.starts_within(&self.limits)),
            name,
        })
    }

    /// Records the checksum of an entry that was written and started.
    pub(super) fn vouch(&self, name: &str) {
        let sums = self.named(name).filter_map(|entry| sum_of(&entry));
        let write = |entry| {
            let limits = &self.limits;
            fs::write(
                self.sum(name),
                Vouched {
                    entry,
                    limits: limits.clone(),
                }
                .text(),
            )
        };
        if sums.map(write).any(|written| written.is_err()) {
            self.say_full();
        }
    }

    /// Returns the record of an intact entry. Deletes any other entry, because wasmtime would
    /// execute it.
    fn check(&self, name: &str) -> wasmtime::Result<Option<Vouched>> {
        let vouched = Vouched::read(&self.sum(name));
        let mut known = None;
        for entry in self.named(name) {
            match &vouched {
                Some(vouched) if sum_of(&entry).as_ref() == Some(&vouched.entry) => {
                    known = Some(vouched.clone());
                }
                _ => {
                    tracing::debug!(entry = %entry.display(), "a damaged entry of the compile cache");
                    remove(&entry)?;
                }
            }
        }
        Ok(known)
    }

    /// Returns `true` if this many bytes can be written to the cache's disk.
    fn takes(&self, bytes: usize) -> bool {
        let entries = code(&self.folder).join("modules");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let probe = entries.join(format!("probe-{}", now.unwrap_or_default().as_nanos()));
        let made = fs::create_dir_all(&entries);
        let written = made.and_then(|()| fs::write(&probe, vec![0; bytes]));
        let _ = fs::remove_file(&probe);
        written.is_ok()
    }

    fn say_full(&self) {
        self.full.get_or_init(|| {
            let reason = "nothing more can be kept in it; see that the disk has room and that \
                          this user may write to it";
            tracing::warn!(directory = %self.folder.display(), reason, "the compile cache");
            reason.to_owned()
        });
    }

    /// Deletes entries without a record, and records without an entry.
    fn clear(&self) {
        for entry in self.all() {
            let name = entry.file_name().unwrap_or_default();
            if entry.extension().is_none() && !sums(&self.folder).join(name).exists() {
                let _ = fs::remove_file(&entry);
            }
        }
        for sum in list(&sums(&self.folder)) {
            let name = sum.file_name().unwrap_or_default().to_string_lossy();
            if self.named(&name).next().is_none() {
                let _ = fs::remove_file(&sum);
            }
        }
    }

    fn sum(&self, name: &str) -> PathBuf {
        sums(&self.folder).join(name)
    }

    /// Iterates over the entries of this name. There is one per release of wasmtime, of which only
    /// one belongs to this engine.
    fn named(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        let releases = list(&code(&self.folder).join("modules"));
        let entries = releases.into_iter().map(move |release| release.join(name));
        entries.filter(|entry| entry.exists())
    }

    fn all(&self) -> impl Iterator<Item = PathBuf> {
        let releases = list(&code(&self.folder).join("modules"));
        releases.into_iter().flat_map(|release| list(&release))
    }
}

/// A component that was compiled or found.
pub(super) struct Made {
    pub(super) component: Component,
    pub(super) found: bool,
    /// `true` if the component is known to start within these limits. Starting is deterministic.
    pub(super) starts: bool,
    /// The name of its entry.
    pub(super) name: String,
}

/// The record beside an entry.
#[derive(Clone)]
struct Vouched {
    /// The checksum of the entry.
    entry: String,
    /// The checksum of the limits under which it was started.
    limits: String,
}

impl Vouched {
    fn read(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let (entry, limits) = text.split_once('\n')?;
        Some(Self {
            entry: entry.to_owned(),
            limits: limits.to_owned(),
        })
    }

    fn text(&self) -> String {
        format!("{}\n{}", self.entry, self.limits)
    }

    fn starts_within(&self, limits: &str) -> bool {
        self.limits == limits
    }
}

/// Returns the directory in which wasmtime stores entries.
fn code(folder: &Path) -> PathBuf {
    folder.join("code")
}

/// Returns the directory of the records. wasmtime would delete them from its own directory.
fn sums(folder: &Path) -> PathBuf {
    folder.join("sums")
}

fn remove(entry: &Path) -> wasmtime::Result<()> {
    fs::remove_file(entry).or_else(|error| match error.kind() {
        // Another process was faster.
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(wasmtime::Error::msg(format!(
            "what was compiled before is damaged and cannot be removed ({error}); remove {}",
            entry.display()
        ))),
    })
}

/// Lists a directory. Returns an empty list if it cannot be read.
fn list(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn sum_of(entry: &Path) -> Option<String> {
    Some(sum(&fs::read(entry).ok()?))
}

fn sum(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}

fn wasmtime_cache(directory: &Path) -> Result<Cache, String> {
    let mut config = CacheConfig::new();
    config
        .with_directory(directory)
        .with_files_total_size_soft_limit(KEPT_BYTES)
        .with_file_count_soft_limit(KEPT_ENTRIES)
        // Recompression would change an entry after its checksum was taken.
        .with_optimized_compression_usage_counter_threshold(u64::MAX);
    // The constructor starts a thread and panics if the system refuses it.
    catch_unwind(|| Cache::new(config))
        .map_err(|_| "no thread for it".to_owned())?
        .map_err(|error| format!("{error:#}"))
}

/// Returns wasmtime's name for the entry of these bytes: a checksum of everything that affects
/// compilation. A test compares it with wasmtime. With a wrong name, no entry would be recorded or
/// found after a restart.
fn entry_name(engine: &Engine, bytes: &[u8]) -> String {
    let mut sum = Sum(Sha256::new());
    let no_debug_information = None::<&[u8]>;
    let no_intrinsics = None::<&str>;
    engine.precompile_compatibility_hash().hash(&mut sum);
    (bytes, no_debug_information, no_intrinsics).hash(&mut sum);
    URL_SAFE_NO_PAD.encode(sum.0.finalize())
}

struct Sum(Sha256);

impl Hasher for Sum {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Never called: only the whole checksum is used.
        0
    }
}
