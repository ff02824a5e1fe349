//! Building a routing tracer provider.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use opentelemetry_sdk::trace::{SdkTracerProvider, TracerProviderBuilder};

use super::config::{TracerConfig, TracerConfigError};
use super::otel_tracer::OtelTracer;
use super::provider::RoutingTracerProvider;
use super::settings::Settings;
use spanmux_core::Chain;
use spanmux_core::{RegisterError, TracerRegistry, UnknownTracerError};

/// Collects what a [`RoutingTracerProvider`] starts with.
///
/// Tracers are registered in the order in which they are given. What is wrong is
/// said by [`build`](Self::build), so that the calls can be chained.
///
/// # Examples
/// ```
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanmux::otel::{RoutingTracerProvider, TracerConfig};
///
/// let provider = RoutingTracerProvider::builder()
///     .tracer("console", TracerConfig::console("shop"))
///     .tracer("langfuse", SdkTracerProvider::builder())
///     .default_tracer("langfuse")
///     .build()?;
/// let default = provider.registry().default_tracer();
/// assert_eq!(default.map(|(name, _)| name).as_deref(), Some("langfuse"));
///
/// let error = RoutingTracerProvider::builder()
///     .tracer("console", TracerConfig::console("shop"))
///     .fallback("quarantine")
///     .build()
///     .unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the fallback tracer: no tracer is named \"quarantine\"; registered are: console"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
#[derive(Debug, Default)]
pub struct RoutingTracerProviderBuilder {
    tracers: Vec<(String, TracerSource)>,
    default: Option<String>,
    fallback: Option<String>,
    selectors: Chain,
    pub(super) settings: Settings,
}

/// Where a tracer comes from: a configuration, the builder of a provider, a
/// ready-made provider, or a tracer that is registered under another name already.
///
/// Hand in the builder where you can: see [`OtelTracer`] for what a ready-made
/// provider costs.
#[derive(Debug)]
#[non_exhaustive]
pub enum TracerSource {
    /// Made from a configuration.
    Config(Box<TracerConfig>),
    /// Made already.
    Tracer(Arc<OtelTracer>),
}

impl From<TracerConfig> for TracerSource {
    fn from(config: TracerConfig) -> Self {
        Self::Config(Box::new(config))
    }
}

impl From<SdkTracerProvider> for TracerSource {
    fn from(provider: SdkTracerProvider) -> Self {
        OtelTracer::new(provider).into()
    }
}

impl From<TracerProviderBuilder> for TracerSource {
    fn from(builder: TracerProviderBuilder) -> Self {
        OtelTracer::from_builder(builder).into()
    }
}

impl From<OtelTracer> for TracerSource {
    fn from(tracer: OtelTracer) -> Self {
        Arc::new(tracer).into()
    }
}

impl From<Arc<OtelTracer>> for TracerSource {
    fn from(tracer: Arc<OtelTracer>) -> Self {
        Self::Tracer(tracer)
    }
}

impl RoutingTracerProviderBuilder {
    /// Adds a tracer. The first one is the default unless another is named.
    pub fn tracer(mut self, name: impl Into<String>, tracer: impl Into<TracerSource>) -> Self {
        self.tracers.push((name.into(), tracer.into()));
        self
    }

    /// Names the default tracer.
    pub fn default_tracer(mut self, name: impl Into<String>) -> Self {
        self.default = Some(name.into());
        self
    }

    /// Names the tracer to which failed decisions go, in place of the default.
    pub fn fallback(mut self, name: impl Into<String>) -> Self {
        self.fallback = Some(name.into());
        self
    }

    /// The selectors to ask.
    pub fn selectors(mut self, chain: impl Into<Chain>) -> Self {
        self.selectors = chain.into();
        self
    }

    /// Makes the tracers, registers them and sets the selectors.
    ///
    /// # Errors
    /// The first tracer that cannot be made or registered, or a default or fallback
    /// that names no tracer.
    pub fn build(self) -> Result<RoutingTracerProvider, BuildError> {
        let registry = TracerRegistry::new();
        for (name, source) in self.tracers {
            let tracer = match source {
                TracerSource::Tracer(tracer) => tracer,
                TracerSource::Config(config) => match config.build() {
                    Ok(tracer) => Arc::new(tracer),
                    Err(source) => return Err(BuildError::Tracer { name, source }),
                },
            };
            match self.default.as_ref() == Some(&name) {
                true => registry.register_default(name, tracer),
                false => registry.register(name, tracer),
            }
            .map_err(BuildError::Register)?;
        }
        if let Some(name) = self.default.filter(|name| !registry.contains(name)) {
            let known = registry.names().as_slice().to_vec();
            return Err(BuildError::Default(UnknownTracerError { name, known }));
        }
        if self.fallback.is_some() {
            registry
                .set_fallback(self.fallback.as_deref())
                .map_err(BuildError::Fallback)?;
        }
        registry.set_selectors(self.selectors);
        let registry = Arc::new(registry);
        Ok(RoutingTracerProvider::with_settings(
            registry,
            self.settings,
        ))
    }
}

/// Why a [`RoutingTracerProvider`] was not built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A tracer cannot be made from its configuration.
    Tracer {
        /// The tracer's name.
        name: String,
        /// What is wrong.
        source: TracerConfigError,
    },
    /// A tracer cannot be registered.
    Register(RegisterError),
    /// The default names no tracer.
    Default(UnknownTracerError),
    /// The fallback names no tracer.
    Fallback(UnknownTracerError),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tracer { name, .. } => {
                write!(f, "tracer \"{}\" cannot be made", name.escape_debug())
            }
            Self::Register(error) => error.fmt(f),
            Self::Default(error) => write!(f, "the default tracer: {error}"),
            Self::Fallback(error) => write!(f, "the fallback tracer: {error}"),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Tracer { source, .. } => Some(source),
            // Their whole message is in ours.
            Self::Register(_) | Self::Default(_) | Self::Fallback(_) => None,
        }
    }
}
