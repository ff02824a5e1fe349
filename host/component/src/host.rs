//! The host of component selectors: its engines, and the path from a file to a selector.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::admission::Admission;
use super::artifact::{Artifact, Artifacts, CompileStatus, Start};
use super::builder::SelectorHostBuilder;
use super::cache::{CacheState, CompileCache, Disk};
use super::compiled::Compiled;
use super::contract;
use super::engine::Memory;
use super::epoch::EpochTicker;
use super::error::{self, LoadError};
use super::event::{Events, SelectorEvent};
use super::host_state::HostState;
use super::limits::Limits;
use super::manifest::Manifest;
use super::questions;
use super::requirements::Requirements;
use super::sandbox::Sandbox;
use super::selector::ComponentSelector;
use super::shards::{EngineShard, EngineShards};
use super::text::selector_name;
use super::tier::CompileTier;
use super::wasi;
use super::workers;
use spanmux_core::internal::panic_message;

/// Stack that compilation needs, including an unoptimised compiler. A thread of the default size
/// has less, so the compiler gets a larger one.
const COMPILER_STACK: usize = 4 << 20;
/// Stack of a thread that only loads: the compiler's, and a little for its caller.
const WORKER_STACK: usize = COMPILER_STACK + (64 << 10);

/// Loads and runs component selectors with engines and limits of its own.
///
/// A host is a value: create one per registry, or share one by cloning it. It owns one small
/// thread, which sleeps while no selector runs and ends with the last clone and the last selector,
/// and a second one if it has a compile cache.
///
/// One effect of the engine reaches beyond the value: a trap in compiled code raises a signal, so
/// wasmtime installs handlers for those signals in the process and forwards foreign ones.
///
/// # Examples
/// ```no_run
/// use spanmux::{Chain, Limits, SelectorHost};
/// use std::sync::Arc;
///
/// let host = SelectorHost::new(Limits::default())?;
/// let selector = host.load_file("selectors/50-environment.wasm")?;
/// let chain = Chain::from(selector);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SelectorHost {
    pub(super) shared: Arc<HostState>,
}

/// The system refused an engine or a thread.
#[derive(Debug)]
pub struct HostError {
    message: String,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "failed to create a host for component selectors: {}",
            self.message
        )
    }
}

impl std::error::Error for HostError {}

impl From<wasmtime::Error> for HostError {
    fn from(error: wasmtime::Error) -> Self {
        Self {
            message: format!("{error:#}"),
        }
    }
}

impl SelectorHost {
    /// Creates a host without a compile cache.
    ///
    /// # Errors
    /// Returns [`HostError`] if this machine cannot run WebAssembly within the limits or refuses a
    /// thread, or if the limits allow no sandbox.
    ///
    /// # Cost
    /// Reserves address space for the sandboxes and starts one thread.
    pub fn new(limits: Limits) -> Result<Self, HostError> {
        Self::builder().limits(limits).build()
    }

    /// Returns a builder, for a host with a compile cache.
    pub fn builder() -> SelectorHostBuilder {
        SelectorHostBuilder::default()
    }

    pub(super) fn make_with(
        limits: Limits,
        cache: Option<&CompileCache>,
        events: Events,
        small: bool,
        tier: CompileTier,
    ) -> Result<Self, HostError> {
        if limits.sandboxes == 0 {
            return Err(HostError {
                message: "`Limits::sandboxes` is 0, so no decision could ever run".to_owned(),
            });
        }
        let limits = limits.within_reach();
        let disk = Disk::open(cache, &limits);
        if let CacheState::Unusable { directory, reason } = disk.state() {
            events.emit(|| SelectorEvent::CacheUnusable { directory, reason });
        }
        with_stack(|| Self::make(limits, disk, events, small, tier))
    }

    fn make(
        limits: Limits,
        disk: Disk,
        events: Events,
        small: bool,
        tier: CompileTier,
    ) -> Result<Self, HostError> {
        let lanes = EngineShards::new(&limits, &disk, small, tier)?;
        let admission = Admission::new(limits.sandboxes);
        let clock = EpochTicker::start(admission).map_err(|error| HostError {
            message: format!("failed to start the epoch thread: {error}"),
        })?;
        lanes.engines().for_each(|engine| clock.watch(engine));
        Ok(Self {
            shared: Arc::new(HostState {
                artifacts: Artifacts::new(disk),
                events,
                starting: Mutex::new(()),
                lanes,
                limits,
                clock,
            }),
        })
    }

    /// Returns the limits of its selectors.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Returns how its components were obtained, and the state of the compile cache.
    ///
    /// # Examples
    /// ```
    /// use spanmux::{CacheState, CompileCache, SelectorHost};
    ///
    /// // A cache that cannot be is no error.
    /// let host = SelectorHost::builder()
    ///     .cache(CompileCache::in_directory("/dev/null"))
    ///     .build()?;
    /// let status = host.compile_status();
    /// assert!(matches!(status.cache, CacheState::Unusable { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compile_status(&self) -> CompileStatus {
        self.shared.artifacts.status()
    }

    pub(crate) fn events(&self) -> &Events {
        &self.shared.events
    }

    /// Returns the directory of the compile cache, if one is in use.
    pub(crate) fn cache_directory(&self) -> Option<&Path> {
        let entries = self.shared.artifacts.disk().entries();
        entries.map(|entries| entries.folder())
    }

    /// Loads a selector from a file. The selector is named after the file without its extension.
    ///
    /// # Errors
    /// As [`load`](Self::load), and [`LoadError::Read`].
    ///
    /// # Cost
    /// As [`load`](Self::load). Reads the whole file, up to the limit.
    pub fn load_file(&self, path: impl AsRef<Path>) -> Result<ComponentSelector, LoadError> {
        let path = path.as_ref();
        self.load(&selector_name(path), &self.read_file(path)?)
    }

    /// Returns the bytes of a file that does not exceed the limit.
    pub(crate) fn read_file(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        let limit = self.shared.limits.component_bytes;
        // Checked before opening: opening a pipe would block until it has a writer.
        if !fs::metadata(path).map_err(LoadError::Read)?.is_file() {
            let what = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
            return Err(LoadError::Read(what));
        }
        let file = File::open(path).map_err(LoadError::Read)?;
        let size = file.metadata().map_err(LoadError::Read)?.len();
        // A file may grow, so reading is bounded as well.
        let mut bytes = Vec::new();
        file.take(limit as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(LoadError::Read)?;
        if bytes.len() > limit {
            return Err(LoadError::TooLarge {
                bytes: size.max(bytes.len() as u64),
                limit,
            });
        }
        Ok(bytes)
    }

    /// Loads files with `load`, at most [`Limits::compile_threads`] at once. Returns the results in
    /// the order of the files.
    pub(crate) fn load_files(
        &self,
        paths: &[PathBuf],
        load: impl Fn(&Path) -> Result<ComponentSelector, LoadError> + Sync,
    ) -> Vec<Result<ComponentSelector, LoadError>> {
        let threads = self.shared.limits.compile_threads;
        workers::for_each(paths, threads, WORKER_STACK, |path| load(path))
    }

    /// Loads a selector from the bytes of a component: checks its declarations, compiles it, and
    /// starts it once.
    ///
    /// While a selector with the same bytes exists, its component is shared, and nothing is
    /// compiled or started.
    ///
    /// # Errors
    /// Returns [`LoadError`], which has one variant per kind of mistake.
    ///
    /// # Cost
    /// Compiles: milliseconds for a small component, seconds for a language runtime. From a
    /// [`CompileCache`], a tenth of a millisecond, or about ten for a language runtime. Do not call
    /// it on a thread that starts spans.
    pub fn load(&self, name: &str, bytes: &[u8]) -> Result<ComponentSelector, LoadError> {
        self.load_if(name, bytes, |_| Ok(()))
    }

    /// Loads the bytes if `verify` accepts their digest. Nothing is parsed before that.
    pub(crate) fn load_if(
        &self,
        name: &str,
        bytes: &[u8],
        verify: impl FnOnce(&str) -> Result<(), LoadError>,
    ) -> Result<ComponentSelector, LoadError> {
        let limit = self.shared.limits.component_bytes;
        if bytes.len() > limit {
            return Err(LoadError::TooLarge {
                bytes: bytes.len() as u64,
                limit,
            });
        }
        let digest = hex(&Sha256::digest(bytes));
        verify(&digest)?;
        let artifact = self.shared.artifacts.get_or_make(&digest, || {
            // A panic is a fault of the compiler and must not affect other files.
            catch_unwind(AssertUnwindSafe(|| {
                with_stack(|| self.compile(name, &digest, bytes))
            }))
            .unwrap_or_else(|panic| {
                Err(LoadError::Compile {
                    message: panic_message(&*panic),
                })
            })
        })?;
        Ok(ComponentSelector::new(Arc::new(self.named(name, artifact))))
    }

    fn compile(&self, name: &str, digest: &str, bytes: &[u8]) -> Result<Arc<Artifact>, LoadError> {
        let shared = &*self.shared;
        let manifest = Manifest::read(bytes, &shared.limits)?;
        let memory = Memory::of(manifest.declared.memory_bytes());
        let (first, others) = shared.lanes.of(
            bytes.len(),
            memory,
            &shared.limits,
            shared.artifacts.disk(),
            &shared.clock,
        );
        let made = shared
            .artifacts
            .compile(&first.engine, bytes)
            .map_err(|error| compile_error(&error))?;
        Requirements::check_compiled(&made.component, &shared.limits)?;
        let again = |lane: &EngineShard| {
            let component = shared.artifacts.compile_again(&lane.engine, bytes);
            let component = component.map_err(|error| compile_error(&error))?;
            start(lane, &component, &manifest)
        };
        let artifact = Arc::new(Artifact {
            digest: digest.to_owned(),
            bytes: bytes.len(),
            first: start(first, &made.component, &manifest)?,
            others: others.iter().map(again).collect::<Result<_, _>>()?,
            imports: manifest.imports,
        });
        if !made.starts {
            // One start at a time: the wait for a sandbox is bounded, and loads must not take the
            // last one from each other.
            let _starting = shared.starting.lock();
            self.named(name, artifact.clone()).try_start()?;
            shared.artifacts.started(&made.name);
        }
        Ok(artifact)
    }

    fn named(&self, name: &str, artifact: Arc<Artifact>) -> Compiled {
        Compiled {
            name: name.to_owned(),
            artifact,
            host: self.shared.clone(),
        }
    }
}

impl fmt::Debug for SelectorHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelectorHost")
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

/// A compiler recurses, and a caller may have a small stack.
fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(COMPILER_STACK, 2 * COMPILER_STACK, work)
}

fn compile_error(error: &wasmtime::Error) -> LoadError {
    let message = format!("{error:#}");
    // The validator's errors include the offset in the file. A feature that it was configured to
    // refuse is not damage.
    if message.contains("(at offset 0x") && !error::names_a_feature(&message) {
        LoadError::Malformed { message }
    } else {
        LoadError::Compile { message }
    }
}

/// Returns the template of an instance in this shard.
fn start(
    lane: &EngineShard,
    component: &Component,
    manifest: &Manifest,
) -> Result<Start, LoadError> {
    let select = find_select(component, manifest)?;
    let pre = link(lane, component)?;
    Ok(Start { pre, select })
}

fn link(lane: &EngineShard, component: &Component) -> Result<InstancePre<Sandbox>, LoadError> {
    let link_error = |error: wasmtime::Error| LoadError::Link {
        message: format!("{error:#}"),
    };
    let mut linker = lane.linker.clone();
    for (name, import) in component.component_type().imports(&lane.engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        let items = interface
            .exports(&lane.engine)
            .map(|(name, item)| (name, item.ty));
        if contract::is_runtime_context(name) {
            questions::check_questions(name, items.map(|(name, _)| name))?;
        } else {
            wasi::link_rest(&mut linker, name, items).map_err(link_error)?;
        }
    }
    linker.instantiate_pre(component).map_err(link_error)
}

fn find_select(
    component: &Component,
    manifest: &Manifest,
) -> Result<ComponentExportIndex, LoadError> {
    manifest
        .selection()
        .and_then(|name| component.get_export_index(None, name))
        .and_then(|interface| component.get_export_index(Some(&interface), "select"))
        .ok_or_else(|| LoadError::Link {
            message: "its selection has no function `select`".to_owned(),
        })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
