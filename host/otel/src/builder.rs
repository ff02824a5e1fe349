//! The builder of a routing tracer provider.

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

/// A builder for [`RoutingTracerProvider`].
///
/// Tracers are registered in the order in which they are added. [`build`](Self::build)
/// reports errors, so calls can be chained.
///
/// # Examples
/// ```
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanmux::otel::{RoutingTracerProvider, TracerConfig};
///
/// let provider = RoutingTracerProvider::builder()
///     .service_name("shop")
///     .tracer("console", TracerConfig::console())
///     .tracer("langfuse", SdkTracerProvider::builder())
///     .default_tracer("langfuse")
///     .build()?;
/// let default = provider.registry().default_tracer();
/// assert_eq!(default.map(|(name, _)| name).as_deref(), Some("langfuse"));
///
/// let error = RoutingTracerProvider::builder()
///     .service_name("shop")
///     .tracer("console", TracerConfig::console())
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
    service: Option<String>,
    selectors: Chain,
    pub(super) settings: Settings,
}

/// The source of a tracer: a configuration, a provider builder, a ready-made provider, or
/// a tracer that is already registered under another name.
///
/// Prefer a builder over a ready-made provider: see [`OtelTracer`] for the difference in
/// cost.
#[derive(Debug)]
#[non_exhaustive]
pub enum TracerSource {
    /// A tracer built from a configuration.
    Config(Box<TracerConfig>),
    /// An existing tracer.
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
    /// Adds a tracer. The first one is the default tracer unless
    /// [`default_tracer`](Self::default_tracer) names another.
    pub fn tracer(mut self, name: impl Into<String>, tracer: impl Into<TracerSource>) -> Self {
        self.tracers.push((name.into(), tracer.into()));
        self
    }

    /// Sets the service name of all tracers that are built from a [`TracerConfig`], unless
    /// [`TracerConfig::service_name`] overrides it. Ready-made tracers keep their own.
    ///
    /// Without it, OpenTelemetry's default applies: `OTEL_SERVICE_NAME` if it is set, or
    /// `unknown_service`.
    pub fn service_name(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Sets the default tracer.
    pub fn default_tracer(mut self, name: impl Into<String>) -> Self {
        self.default = Some(name.into());
        self
    }

    /// Sets the fallback tracer, which receives traces with failed decisions. Defaults to
    /// the default tracer.
    pub fn fallback(mut self, name: impl Into<String>) -> Self {
        self.fallback = Some(name.into());
        self
    }

    /// Sets the selectors.
    pub fn selectors(mut self, chain: impl Into<Chain>) -> Self {
        self.selectors = chain.into();
        self
    }

    /// Builds the tracers, registers them, and sets the selectors.
    ///
    /// # Errors
    /// Returns an error for the first tracer that cannot be built or registered, or if
    /// the default or fallback tracer is not registered.
    pub fn build(self) -> Result<RoutingTracerProvider, BuildError> {
        let registry = TracerRegistry::new();
        for (name, source) in self.tracers {
            let tracer = match source {
                TracerSource::Tracer(tracer) => tracer,
                TracerSource::Config(config) => {
                    match config.or_service_name(self.service.as_deref()).build() {
                        Ok(tracer) => Arc::new(tracer),
                        Err(source) => return Err(BuildError::Tracer { name, source }),
                    }
                }
            };
            let registered = if self.default.as_ref() == Some(&name) {
                registry.register_default(name, tracer)
            } else {
                registry.register(name, tracer)
            };
            registered.map_err(BuildError::Register)?;
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

/// An error that occurs while building a [`RoutingTracerProvider`].
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A tracer cannot be built from its configuration.
    Tracer {
        /// The tracer's name.
        name: String,
        /// The underlying error.
        source: TracerConfigError,
    },
    /// A tracer cannot be registered.
    Register(RegisterError),
    /// The default tracer is not registered.
    Default(UnknownTracerError),
    /// The fallback tracer is not registered.
    Fallback(UnknownTracerError),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tracer { name, .. } => {
                write!(f, "failed to build tracer \"{}\"", name.escape_debug())
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
            // Our message already contains the complete message of these errors.
            Self::Register(_) | Self::Default(_) | Self::Fallback(_) => None,
        }
    }
}
