//! The compile cache: what was compiled once is found on disk after a restart.
//!
//! wasmtime writes and reads the entries. It takes what lies in its directory for
//! its own, runs it as it is, and clears away what it does not know. So it is given
//! a directory that nobody else has a place in, and an entry counts only if a sum
//! beside it says that it is still what was written.

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

/// Where in the directory that was named the cache lies, so that nothing else in
/// it is ever touched. Another way to keep entries is another name.
const FOLDER: &str = "compiled-selectors-1";
/// How many bytes of entries are kept: a chain of interpreters, at some 9 MB each,
/// or thousands of selectors in Rust. The oldest go first, looked at once an hour.
const KEPT_BYTES: u64 = 512 << 20;
/// How many entries are kept, beside their bytes: each is a few files.
const KEPT_ENTRIES: u64 = 2048;
/// How many bytes are written to see whether the disk takes any: more than a small
/// selector's entry has.
const PROBE: usize = 64 << 10;

/// Where compiled selectors are kept between runs of a program.
///
/// A host without one compiles each selector at each start. With one it finds what
/// an earlier run compiled, and a start takes milliseconds. The cache never fails a
/// load: where it cannot be used, selectors are compiled, and
/// [`SelectorHost::compile_status`](crate::SelectorHost::compile_status) says why.
///
/// What is found there runs as machine code of this process. So it is a directory
/// of its own that only this user may enter, made if it is not there, and used only
/// if it is still so; on systems other than Unix choose a place that only the
/// user may write to. Each entry is held against a sum before it is used: one that
/// was damaged is compiled again. It must not lie in a selectors directory, which
/// [`SelectorsDirectory::load`](crate::SelectorsDirectory::load) refuses.
///
/// At most 512 MiB are kept; the entries that were not used for longest go first. A
/// thread of wasmtime's sees to that and lowers its own priority, which on Unix
/// systems other than Linux is that of the process.
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
    /// A cache in this directory, which is made when a host is. Nothing but a
    /// folder of the cache's own is touched in it.
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// The directory that was named.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// What became of the compile cache of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheState {
    /// None was asked for.
    Off,
    /// It is in use.
    On {
        /// Where the entries lie.
        directory: PathBuf,
    },
    /// It cannot be used, or cannot keep anything more: what is not in it is compiled
    /// at each start.
    Unusable {
        /// Where the entries would lie.
        directory: PathBuf,
        /// Why, with the remedy.
        reason: String,
    },
}

/// The cache of one host, as it was found.
pub(super) enum Disk {
    Off,
    On(Entries),
    Unusable { directory: PathBuf, reason: String },
}

impl Disk {
    /// Opens what was asked for. Never fails: a cache that cannot be used says so.
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

/// A directory of entries that can be used.
pub(super) struct Entries {
    folder: PathBuf,
    wasmtime: Cache,
    /// The sum of the limits within which components start here.
    limits: String,
    /// Why the last entry could not be kept, if one could not.
    full: OnceLock<String>,
}

impl Entries {
    fn open(directory: &Path, limits: &Limits) -> Result<Self, String> {
        // Where a program stands may change while it runs.
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

    /// Where the entries lie.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the engine is to be told.
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

    /// Compiles. An entry is found only if it is still what was written.
    pub(super) fn compile(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Made> {
        let name = entry_name(engine, bytes);
        let known = self.check(&name)?;
        if known.is_none() {
            // Somebody may have taken the directories away.
            let _ = permissions::make(&code(&self.folder))
                .and_then(|()| permissions::make(&sums(&self.folder)));
        }
        let before = self.wasmtime.cache_misses();
        let component = Component::new(engine, bytes)?;
        // Counts what was written. Of several threads one may speak for another
        // here, and then the next load finds what is wrong. Another process may have
        // written the entry meanwhile, and a third have taken it for damaged.
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

    /// Vouches for an entry: it is what was written, and it starts.
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

    /// What is known of an entry that is still what was written. Any other goes, or
    /// wasmtime would run it.
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

    /// Whether so many bytes can be written where entries go.
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

    /// Takes away entries that nothing vouches for, and sums that vouch for nothing.
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

    /// The entry of this name; one for each release of wasmtime, of which only one
    /// can be of this engine.
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
    /// Whether it is known to start within these limits. To start is to compute, and
    /// comes to the same each time.
    pub(super) starts: bool,
    /// The name of its entry.
    pub(super) name: String,
}

/// What the file beside an entry says.
#[derive(Clone)]
struct Vouched {
    /// The sum of the entry.
    entry: String,
    /// The sum of the limits within which it was started.
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

/// Where wasmtime keeps its entries.
fn code(folder: &Path) -> PathBuf {
    folder.join("code")
}

/// Where the sum of each entry is kept. Not with the entries, where wasmtime would
/// clear it away.
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

/// What lies in a directory; nothing if it cannot be read.
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
        // An entry stays as it was written, or its sum would not be its own.
        .with_optimized_compression_usage_counter_threshold(u64::MAX);
    // It starts a thread, and panics where the system gives none.
    catch_unwind(|| Cache::new(config))
        .map_err(|_| "no thread for it".to_owned())?
        .map_err(|error| format!("{error:#}"))
}

/// The name that wasmtime gives to the entry of these bytes: the sum of all that
/// decides what is compiled. A suite holds it: were it another, no entry would be
/// vouched for, and none would be found after a restart.
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
        // Asked by nobody: the sum is taken whole.
        0
    }
}
