//! Loads and watches the selectors of a configuration.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::chain::{Candidates, LoadedSelectors};
use super::config::Config;
use super::problem::{Problem, lines};
#[cfg(feature = "otel")]
use super::provider::Provided;
use super::shape::FILE_ENDING;
use spanmux_component::{CompileCache, HostError, Limits, SelectorEvent, SelectorHost};
use spanmux_component::{
    DirectoryError, LoadReport, LoadedFile, SelectorsDirectory, WatchedDirectory,
};
use spanmux_core::{Chain, Selector};
#[cfg(feature = "otel")]
use spanmux_otel::BuildError;

/// Builds a provider from a configuration, or only its selectors. Code can add its own tracers,
/// native selectors and samplings.
///
/// Without the feature `otel`, only the methods for selectors exist.
///
/// # Examples
/// ```
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanmux::config::Config;
/// use spanmux::selector_fn;
///
/// let config = Config::from_toml(r#"
///     service = "shop"
///     [tracers.console]
///     exporter = { type = "console" }
///     [tracers.own]
///     type = "provided"
/// "#)?;
/// let provider = config
///     .builder()
///     .tracer("own", SdkTracerProvider::builder())
///     .native_selector(selector_fn("by-tenant", |context, tracers| {
///         tracers.choose(context.text("tenant").map_or("console", |_| "own"))
///     }))
///     .build()?;
/// assert_eq!(provider.registry().names().as_slice(), ["console", "own"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct ConfigBuilder {
    pub(super) config: Config,
    natives: Vec<Arc<dyn Selector>>,
    cache: Option<Option<CompileCache>>,
    on_event: Option<OnEvent>,
    small: Option<bool>,
    #[cfg(feature = "otel")]
    pub(super) provided: Provided,
}

type OnEvent = Arc<dyn Fn(&SelectorEvent) + Send + Sync>;

impl ConfigBuilder {
    pub(super) fn new(config: Config) -> Self {
        Self {
            small: config.selectors.small,
            config,
            natives: Vec::new(),
            cache: None,
            on_event: None,
            #[cfg(feature = "otel")]
            provided: Provided::default(),
        }
    }

    /// Adds a native selector. It precedes the selectors of the directory unless the file sets
    /// another position.
    pub fn native_selector(mut self, selector: impl Selector + 'static) -> Self {
        self.natives.push(Arc::new(selector));
        self
    }

    /// Adds native selectors in order, as [`native_selector`](Self::native_selector) does.
    pub fn native_selectors(
        mut self,
        selectors: impl IntoIterator<Item = Arc<dyn Selector>>,
    ) -> Self {
        self.natives.extend(selectors);
        self
    }

    /// Sets the cache for compiled selectors. Overrides the cache of the file.
    pub fn cache(mut self, cache: impl Into<Option<CompileCache>>) -> Self {
        self.cache = Some(cache.into());
        self
    }

    /// Reserves no address space for sandboxes, and uses one engine: see
    /// [`SelectorHostBuilder::small`](spanmux_component::SelectorHostBuilder::small). Overrides the
    /// key `selectors.small` of the file.
    pub fn small(mut self, small: bool) -> Self {
        self.small = Some(small);
        self
    }

    /// Returns the setting of [`small`](Self::small), or `None` if neither the file nor code has
    /// set it.
    pub fn is_small(&self) -> Option<bool> {
        self.small
    }

    /// Calls `callback` with each event of the selectors: see
    /// [`SelectorHostBuilder::on_event`](spanmux_component::SelectorHostBuilder::on_event).
    pub fn on_event(mut self, callback: impl Fn(&SelectorEvent) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(callback));
        self
    }

    /// Loads the selectors without creating any tracers.
    ///
    /// # Errors
    /// Returns the [`ConfigBuildError`]s of [`build`](Self::build) that concern selectors.
    ///
    /// # Cost
    /// Compiles each file that is not in the cache.
    pub fn load_selectors(&self) -> Result<LoadedSelectors, ConfigBuildError> {
        self.load(self.directory()?.as_ref(), SelectorsDirectory::load)
    }

    /// Loads the selectors without creating any tracers, and keeps them up to date until the
    /// returned handle is dropped. Calls `on_change` with the chain once before it returns, and
    /// after every change. Returns `None` if the file names no selectors directory.
    ///
    /// # Errors
    /// Same as [`load_selectors`](Self::load_selectors).
    ///
    /// # Cost
    /// Same as [`load_selectors`](Self::load_selectors), plus one thread.
    pub fn watch_selectors(
        &self,
        mut on_change: impl FnMut(Chain) + Send + 'static,
    ) -> Result<Option<WatchedDirectory>, ConfigBuildError> {
        let directory = self.directory()?;
        // Kept until the watch begins, so that nothing is compiled twice. The watch reports it.
        let loaded = self.load(directory.as_ref(), SelectorsDirectory::load_unreported)?;
        let order = self.candidates(&[]).order();
        let Some(directory) = directory else {
            on_change(loaded.chain);
            return Ok(None);
        };
        let watched =
            directory.watch(move |files| on_change(order.chain(files.selectors().cloned())));
        drop(loaded);
        watched.map(Some).map_err(ConfigBuildError::Directory)
    }

    pub(super) fn load(
        &self,
        directory: Option<&SelectorsDirectory>,
        load: impl Fn(&SelectorsDirectory) -> Result<LoadReport, DirectoryError>,
    ) -> Result<LoadedSelectors, ConfigBuildError> {
        let report = directory.map(load).transpose();
        let report = report.map_err(ConfigBuildError::Directory)?;
        let files = report.as_ref().map_or(&[][..], |report| report.files());
        let chain = self.candidates(files).chain();
        let chain = chain.map_err(ConfigBuildError::Invalid)?;
        Ok(LoadedSelectors { chain, report })
    }

    pub(super) fn candidates<'a>(&'a self, files: &'a [LoadedFile]) -> Candidates<'a> {
        Candidates {
            config: &self.config,
            table: &self.config.selectors,
            natives: &self.natives,
            files,
        }
    }

    /// Returns the selectors directory if the file names one. Loads nothing.
    pub(super) fn directory(&self) -> Result<Option<SelectorsDirectory>, ConfigBuildError> {
        let table = &self.config.selectors;
        let Some(path) = &table.directory else {
            return Ok(None);
        };
        let path = self.config.path(path);
        let said = table.cache.as_ref();
        let said = said.map(|path| CompileCache::in_directory(self.config.path(path)));
        let mut host = SelectorHost::builder()
            .limits(Limits::from(&table.limits))
            .cache(self.cache.clone().unwrap_or(said))
            .small(self.small.unwrap_or(false));
        if let Some(callback) = self.on_event.clone() {
            host = host.on_event(move |event| callback(event));
        }
        let host = host.build().map_err(ConfigBuildError::Host)?;
        let mut directory = SelectorsDirectory::new(path, host);
        if let Some(lock) = &table.lock {
            directory = directory.with_lock(self.config.path(lock));
        }
        for (name, mode) in &table.modes {
            directory = directory.with_mode(name, (*mode).into());
        }
        for (file, settings) in &table.files {
            let name = file.strip_suffix(FILE_ENDING).unwrap_or(file);
            directory = directory.with_allowed_tracers(name, &settings.tracers.0);
        }
        Ok(Some(directory))
    }
}

impl fmt::Debug for ConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ConfigBuilder");
        shown.field("config", &self.config);
        #[cfg(feature = "otel")]
        shown.field("provided", &self.provided);
        shown.finish_non_exhaustive()
    }
}

/// An error from building a provider from a configuration.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigBuildError {
    /// The file does not match the parts that code provides. Contains every problem.
    Invalid(Vec<Problem>),
    /// The host cannot run selectors within the limits.
    Host(HostError),
    /// Reading the selectors directory failed.
    Directory(DirectoryError),
    /// Creating the tracers failed.
    #[cfg(feature = "otel")]
    Provider(BuildError),
}

impl fmt::Display for ConfigBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(problems) => lines(f, problems),
            Self::Host(error) => error.fmt(f),
            Self::Directory(error) => error.fmt(f),
            #[cfg(feature = "otel")]
            Self::Provider(error) => error.fmt(f),
        }
    }
}

impl Error for ConfigBuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // `Display` already includes the message of the wrapped error.
        match self {
            Self::Invalid(_) => None,
            Self::Host(error) => error.source(),
            Self::Directory(error) => error.source(),
            #[cfg(feature = "otel")]
            Self::Provider(error) => error.source(),
        }
    }
}
