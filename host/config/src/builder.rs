//! Builds a provider from a configuration and the parts that code provides.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use super::chain::{Candidates, LoadedSelectors};
use super::check::join;
use super::config::Config;
use super::nearest::hint;
use super::problem::{Problem, lines};
use super::shape::{SamplingName, TracerTable};
use super::tracer::tracer;
use spanmux_component::{CompileCache, HostError, Limits, SelectorEvent, SelectorHost};
use spanmux_component::{
    DirectoryError, LoadReport, LoadedFile, SelectorsDirectory, WatchedDirectory,
};
use spanmux_core::{Chain, Selector};
use spanmux_otel::{BuildError, RoutingTracerProvider, RoutingTracerProviderBuilder};
use spanmux_otel::{Sampling, TracerConfig, TracerSource};

/// Builds a provider from a configuration. Code can add its own tracers, native selectors
/// and samplings.
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
    config: Config,
    tracers: Vec<(String, TracerSource)>,
    samplings: BTreeMap<String, Sampling>,
    natives: Vec<Arc<dyn Selector>>,
    cache: Option<Option<CompileCache>>,
    on_event: Option<OnEvent>,
    small: Option<bool>,
    resource: Vec<KeyValue>,
}

type OnEvent = Arc<dyn Fn(&SelectorEvent) + Send + Sync>;

impl ConfigBuilder {
    pub(super) fn new(config: Config) -> Self {
        Self {
            small: config.selectors.small,
            config,
            tracers: Vec::new(),
            samplings: BTreeMap::new(),
            natives: Vec::new(),
            cache: None,
            on_event: None,
            resource: Vec::new(),
        }
    }

    /// Adds a tracer. If the file names it, with the type `provided`, it takes that position.
    /// Otherwise it comes after the tracers of the file.
    pub fn tracer(mut self, name: impl Into<String>, tracer: impl Into<TracerSource>) -> Self {
        self.tracers.push((name.into(), tracer.into()));
        self
    }

    /// Adds a sampling, which the file references as `{ custom = "NAME" }`.
    pub fn sampling(mut self, name: impl Into<String>, sampling: Sampling) -> Self {
        self.samplings.insert(name.into(), sampling);
        self
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

    /// Adds attributes to the resource of each tracer of the file. An attribute of the file takes
    /// precedence.
    pub fn resource(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        self.resource.extend(attributes);
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

    fn load(
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

    fn candidates<'a>(&'a self, files: &'a [LoadedFile]) -> Candidates<'a> {
        Candidates {
            config: &self.config,
            table: &self.config.selectors,
            natives: &self.natives,
            files,
        }
    }

    /// Returns the selectors directory if the file names one. Loads nothing.
    fn directory(&self) -> Result<Option<SelectorsDirectory>, ConfigBuildError> {
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
        Ok(Some(directory))
    }

    /// Creates the tracers, loads the selectors, and builds the provider.
    ///
    /// # Errors
    /// Returns [`ConfigBuildError`] if the file names a selector that does not exist or a part
    /// that code has not provided, or if creating a tracer or loading the selectors fails.
    ///
    /// # Cost
    /// Compiles each selector that is not in the cache, and opens files.
    pub fn build(self) -> Result<RoutingTracerProvider, ConfigBuildError> {
        let selectors = self.load_selectors();
        let mut problems = self.missing();
        if let Err(ConfigBuildError::Invalid(more)) = &selectors {
            problems.extend(more.iter().cloned());
        }
        if problems.is_empty() {
            self.build_with(selectors?)
        } else {
            Err(ConfigBuildError::Invalid(problems))
        }
    }

    /// Like [`build`](Self::build), and applies changes of the selectors directory while the
    /// service runs: see [`SelectorsDirectory::watch`]. The chain keeps the order of the file.
    /// Without a selectors directory, this is the same as `build`.
    ///
    /// # Errors
    /// Same as [`build`](Self::build). Files that fail to load later are reported by
    /// [`WatchedDirectory::status`].
    ///
    /// # Cost
    /// Same as [`build`](Self::build), plus one thread.
    ///
    /// # Examples
    /// ```no_run
    /// use spanmux::config::Config;
    ///
    /// let (provider, watched) = Config::from_file("spanmux.toml")?.builder().watch()?;
    /// opentelemetry::global::set_tracer_provider(provider);
    /// // Keep `watched` for as long as the service runs.
    /// # drop(watched);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn watch(
        self,
    ) -> Result<(RoutingTracerProvider, Option<WatchedDirectory>), ConfigBuildError> {
        let directory = self.directory()?;
        // The watch reports the files.
        let selectors = self.load(directory.as_ref(), SelectorsDirectory::load_unreported)?;
        let order = self.candidates(&[]).order();
        // The provider keeps the loaded selectors alive until the watch starts, so nothing
        // is compiled twice.
        let provider = self.build_with(selectors)?;
        let registry = provider.registry().clone();
        let watch = |directory: SelectorsDirectory| {
            directory
                .watch(move |files| registry.set_selectors(order.chain(files.selectors().cloned())))
        };
        let watched = directory.map(watch).transpose();
        Ok((provider, watched.map_err(ConfigBuildError::Directory)?))
    }

    /// Like [`build`](Self::build), with selectors that were [loaded](Self::load_selectors)
    /// before.
    ///
    /// # Errors
    /// Same as [`build`](Self::build).
    pub fn build_with(
        self,
        selectors: LoadedSelectors,
    ) -> Result<RoutingTracerProvider, ConfigBuildError> {
        let problems = self.missing();
        if !problems.is_empty() {
            return Err(ConfigBuildError::Invalid(problems));
        }
        self.assemble(selectors, |_, config| config.into())
            .build()
            .map_err(ConfigBuildError::Provider)
    }

    /// Creates the tracers without any selectors, for a program that decides elsewhere.
    ///
    /// # Errors
    /// Same as [`build`](Self::build), except for those that concern selectors.
    pub fn build_tracers(self) -> Result<RoutingTracerProvider, ConfigBuildError> {
        self.build_with(LoadedSelectors {
            chain: Chain::default(),
            report: None,
        })
    }

    /// Checks everything that [`build_with`](Self::build_with) checks, without creating tracers:
    /// opens no file and no disk buffer, starts no exporter, and sends nothing.
    ///
    /// Not covered: whether another process uses a disk buffer, and whether a directory is
    /// writable.
    ///
    /// # Errors
    /// Same as [`build`](Self::build), with every invalid tracer in
    /// [`Invalid`](ConfigBuildError::Invalid).
    ///
    /// # Examples
    /// ```
    /// use spanmux::config::Config;
    ///
    /// let text = "service = 'shop'\ntracers.a.exporter = { type = 'file', path = 'missing/a' }";
    /// let builder = Config::from_toml(text)?.builder();
    /// let selectors = builder.load_selectors()?;
    /// let error = builder.check_with(selectors).unwrap_err();
    /// assert!(error.to_string().contains("tracers.a: failed to open \"missing/a\""));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check_with(self, selectors: LoadedSelectors) -> Result<(), ConfigBuildError> {
        let mut problems = self.missing();
        let mut failed = Vec::new();
        let places = self.config.located.clone();
        let provider = self.assemble(selectors, |name, config| {
            if let Err(error) = config.check() {
                failed.push(places.problem(&join("tracers", name), with_causes(&error)));
            }
            SdkTracerProvider::builder().into()
        });
        problems.append(&mut failed);
        if !problems.is_empty() {
            return Err(ConfigBuildError::Invalid(problems));
        }
        // Its tracers have no exporters.
        provider
            .build()
            .map(drop)
            .map_err(ConfigBuildError::Provider)
    }

    /// Assembles the provider, with the sources that `source` makes of the tracers of the file. If
    /// the configuration is disabled, no tracer records anything.
    fn assemble(
        self,
        selectors: LoadedSelectors,
        mut source: impl FnMut(&str, TracerConfig) -> TracerSource,
    ) -> RoutingTracerProviderBuilder {
        let disabled = self.config.disabled;
        let chain = if disabled {
            Chain::default()
        } else {
            selectors.chain
        };
        let Self {
            config,
            tracers: mut provided,
            samplings,
            resource,
            ..
        } = self;
        let builder = RoutingTracerProvider::builder().selectors(chain);
        let mut builder = config.context.apply(builder);
        let service = config.service.unwrap_or_default();
        let mut sources = Vec::new();
        for (name, table) in config.tracers {
            let provided_place = provided.iter().position(|(given, _)| *given == name);
            let source = match provided_place {
                Some(place) => provided.remove(place).1,
                None => {
                    let sampling = sampling(table.sampling.as_ref(), &samplings);
                    let tracer = tracer(table, &service, sampling, &config.directory, &resource);
                    source(&name, tracer)
                }
            };
            sources.push((name, source));
        }
        sources.append(&mut provided);
        for (name, source) in sources {
            let source = if disabled { disabled_tracer() } else { source };
            builder = builder.tracer(name, source);
        }
        if let Some(name) = config.default {
            builder = builder.default_tracer(name);
        }
        if let Some(name) = config.fallback {
            builder = builder.fallback(name);
        }
        builder
    }

    /// Returns the mismatches between the file and the parts that code provides.
    fn missing(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, table) in &self.config.tracers {
            let key = join("tracers", name);
            let provided = self.tracers.iter().any(|(given, _)| given == name);
            match (table.kind.is_some(), provided) {
                (true, false) => problems.push(self.config.problem(&key, format!(
                    "code must provide this tracer; call `tracer({name:?}, …)` before `build`"
                ))),
                (false, true) => problems.push(self.config.problem(&key, format!(
                    "code provides a tracer {name:?} too; set `type = \"provided\"` here or rename \
                     one of them"
                ))),
                _ => {}
            }
            problems.extend(self.no_sampling(&key, table));
        }
        problems
    }

    fn no_sampling(&self, key: &str, table: &TracerTable) -> Option<Problem> {
        let Some(SamplingName::Custom(name)) = &table.sampling else {
            return None;
        };
        if self.samplings.contains_key(name) {
            return None;
        }
        let message = format!(
            "sampling {name:?} is not registered; call `sampling({name:?}, …)` before \
             `build`{}",
            hint(name, self.samplings.keys().map(String::as_str))
        );
        Some(
            self.config
                .problem(&format!("{key}.sampling.custom"), message),
        )
    }
}

/// Returns a tracer that records nothing.
fn disabled_tracer() -> TracerSource {
    SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOff)
        .into()
}

/// Returns the message of an error with those of its causes.
fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Returns the sampling of a name. Unregistered names were already reported as problems.
fn sampling(name: Option<&SamplingName>, custom: &BTreeMap<String, Sampling>) -> Sampling {
    match name {
        None | Some(SamplingName::Always) => Sampling::Always,
        Some(SamplingName::Never) => Sampling::Never,
        // The share was validated when the file was read.
        Some(SamplingName::Ratio(share)) => Sampling::ratio(*share).unwrap_or_default(),
        Some(SamplingName::Custom(name)) => custom.get(name).cloned().unwrap_or_default(),
    }
}

impl fmt::Debug for ConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigBuilder")
            .field("config", &self.config)
            .field("tracers", &self.tracers)
            .finish_non_exhaustive()
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
    Provider(BuildError),
}

impl fmt::Display for ConfigBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(problems) => lines(f, problems),
            Self::Host(error) => error.fmt(f),
            Self::Directory(error) => error.fmt(f),
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
            Self::Provider(error) => error.source(),
        }
    }
}
