//! Builds a provider from a configuration and the tracers that code provides.

use std::collections::BTreeMap;
use std::error::Error;

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use super::builder::{ConfigBuildError, ConfigBuilder};
use super::chain::LoadedSelectors;
use super::check::join;
use super::nearest::hint;
use super::problem::Problem;
use super::shape::{SamplingName, TracerTable};
use super::tracer::tracer;
use spanmux_component::{SelectorsDirectory, WatchedDirectory};
use spanmux_core::Chain;
use spanmux_otel::{RoutingTracerProvider, RoutingTracerProviderBuilder};
use spanmux_otel::{Sampling, TracerConfig, TracerSource};

/// The parts of a provider that code adds to a file.
#[derive(Debug, Default)]
pub(super) struct Provided {
    tracers: Vec<(String, TracerSource)>,
    samplings: BTreeMap<String, Sampling>,
    resource: Vec<KeyValue>,
}

impl ConfigBuilder {
    /// Adds a tracer. If the file names it, with the type `provided`, it takes that position.
    /// Otherwise it comes after the tracers of the file.
    pub fn tracer(mut self, name: impl Into<String>, tracer: impl Into<TracerSource>) -> Self {
        self.provided.tracers.push((name.into(), tracer.into()));
        self
    }

    /// Adds a sampling, which the file references as `{ custom = "NAME" }`.
    pub fn sampling(mut self, name: impl Into<String>, sampling: Sampling) -> Self {
        self.provided.samplings.insert(name.into(), sampling);
        self
    }

    /// Adds attributes to the resource of each tracer of the file. An attribute of the file takes
    /// precedence.
    pub fn resource(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        self.provided.resource.extend(attributes);
        self
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
            config, provided, ..
        } = self;
        let Provided {
            tracers: mut provided,
            samplings,
            resource,
        } = provided;
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
            let provided = self.provided.tracers.iter().any(|(given, _)| given == name);
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
        if self.provided.samplings.contains_key(name) {
            return None;
        }
        let message = format!(
            "sampling {name:?} is not registered; call `sampling({name:?}, …)` before \
             `build`{}",
            hint(name, self.provided.samplings.keys().map(String::as_str))
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
