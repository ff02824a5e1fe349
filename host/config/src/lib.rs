//! Configuration: defines tracers and selectors in a `spanmux.toml` file, or in JSON with
//! the same structure.
//!
//! ```no_run
//! use opentelemetry_sdk::trace::SdkTracerProvider;
//! use spanmux::config::Config;
//! use spanmux::selector_fn;
//!
//! let provider = Config::from_file("spanmux.toml")?
//!     .builder()
//!     .tracer("own", SdkTracerProvider::builder())
//!     .native_selector(selector_fn("by-tenant", |context, tracers| {
//!         tracers.choose(context.text("tenant").unwrap_or("langfuse"))
//!     }))
//!     .build()?;
//! opentelemetry::global::set_tracer_provider(provider);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The file
//! Each key mirrors a builder in Rust. A tracer is a
//! [`TracerConfig`](spanmux_otel::TracerConfig), and an exporter is an
//! [`Exporter`](spanmux_export::exporters::Exporter) with its preset. An omitted key keeps the
//! builder's default.
//!
//! ```toml
#![doc = include_str!("annotated.toml")]
//! ```
//!
//! The exporter types are `console`, `file`, `discard`, `otlp`, `langfuse`,
//! `datadog-agent`, `datadog`, `phoenix`, `mlflow`, `braintrust`, `langsmith`, `arize`,
//! `honeycomb` and `grafana-cloud`. `spanmux init --exporter TYPE` and the JSON schema
//! ([`Config::schema`]) list the keys of each type.
//!
//! # Values from outside of the file
//! In a string, `${NAME}` is replaced with the value of an environment variable, and
//! `${file:PATH}` with the contents of a file without its final line break, such as a mounted
//! secret. A relative path is resolved against the directory of the configuration. An unset
//! variable or a missing file is an error. `${NAME:-default}` is `default` if the variable is
//! unset or empty, and `${file:PATH:-default}` if the file is missing or empty. `$${` is a literal
//! `${`.
//!
//! In place of a number or a boolean, write a string with a reference: `ratio = "${RATIO}"`. If
//! the value of an optional key is empty, the key counts as omitted. Nothing else is read from the
//! environment, except `OTEL_SDK_DISABLED` if the file sets `honour_sdk_disabled`. Errors and
//! `Debug` output never contain values from outside or secrets, and summaries never contain
//! secrets.
//!
//! # Features
//! - `otel` (default): tracers. Without it, the crate needs no OpenTelemetry: a file is checked whole,
//!   except for the addresses of exporters, and [`ConfigBuilder`] loads and watches its selectors.
//!
//! # Errors in a file
//! All mistakes are reported at once, each with its line, its key, the found and expected
//! values, and the nearest valid word:
//!
//! ```text
//! spanmux.toml:14:8: tracers.a.exporter.type: unknown type "langfues"; did you mean "langfuse"? …
//! ```

// Without tracers, the tables of a file are checked and not used.
#![cfg_attr(not(feature = "otel"), allow(dead_code, unused_imports))]

#[cfg(feature = "otel")]
mod addresses;
#[cfg(feature = "otel")]
mod ai;
mod builder;
mod chain;
mod check;
#[allow(clippy::module_inception)]
mod config;
mod destinations;
mod document;
#[cfg(feature = "otel")]
mod endpoints;
mod environment;
#[cfg(feature = "otel")]
mod exporter;
mod foreign;
mod interpolate;
mod json;
mod located;
mod names;
mod nearest;
mod problem;
#[cfg(feature = "otel")]
mod propagation;
#[cfg(feature = "otel")]
mod provider;
mod schema;
mod secret_file;
mod shape;
mod summary;
mod toml;
#[cfg(feature = "otel")]
mod tracer;
#[cfg(feature = "otel")]
mod tracer_summary;
mod values;
mod variants;

/// Parts that the command shares. Not covered by semantic versioning.
#[doc(hidden)]
pub mod internal {
    pub use crate::nearest::nearest;
}

pub use builder::{ConfigBuildError, ConfigBuilder};
pub use chain::LoadedSelectors;
pub use config::Config;
pub use problem::{ConfigError, Problem};
pub use summary::ContextSummary;
#[cfg(feature = "otel")]
pub use tracer_summary::{ExporterSummary, TracerSummary};
