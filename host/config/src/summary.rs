//! A summary of a configuration without its tracers.

use super::config::Config;
use spanmux_core::AllowedTracers;

/// A summary of the context propagation of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextSummary {
    /// The incoming choice that is followed: `select`, `tracestate`, `baggage` or `both`.
    pub inbound: &'static str,
    /// The carriers of the choice in outgoing contexts: `tracestate` or `both`.
    pub outbound: &'static str,
    /// The keys that are copied from the baggage into the runtime context.
    pub baggage_keys: Vec<String>,
    /// The keys of the runtime context that become attributes of every span.
    pub copy_to_spans: Vec<String>,
    /// The keys of the runtime context that become attributes of root spans.
    pub copy_to_root_spans: Vec<String>,
}

impl Config {
    /// Returns the allow-lists by the file name of their selector, such as `20-tenant.wasm`.
    pub fn allowed_tracers(&self) -> impl Iterator<Item = (&str, &AllowedTracers)> {
        let files = self.selectors.files.iter();
        files.map(|(file, settings)| (file.as_str(), &settings.tracers.0))
    }

    /// Returns a summary of the context propagation.
    pub fn context(&self) -> ContextSummary {
        self.context.summary()
    }

    /// Returns the tracer for traces on which all selectors abstain.
    pub fn default_tracer(&self) -> Option<&str> {
        let first = || self.tracers.first().map(|(name, _)| name.as_str());
        self.default.as_deref().or_else(first)
    }

    /// Returns the tracer for failed decisions.
    pub fn fallback_tracer(&self) -> Option<&str> {
        self.fallback.as_deref().or_else(|| self.default_tracer())
    }

    /// Returns the names of the native selectors that code must register.
    pub fn native_selectors(&self) -> &[String] {
        &self.selectors.native
    }
}
