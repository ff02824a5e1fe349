//! Tracers and selectors from a configuration file: `spanmux.toml`, or JSON of the same shape.
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
//! Each key corresponds to a builder in Rust: a tracer is a
//! [`TracerConfig`](spanmux_otel::TracerConfig), an exporter an
//! [`Exporter`](spanmux_export::exporters::Exporter) with its preset. A missing key has the
//! default of the builder.
//!
//! ```toml
#![doc = include_str!("annotated.toml")]
//! ```
//!
//! The types of exporters are `console`, `file`, `discard`, `otlp`, `langfuse`,
//! `datadog-agent`, `datadog`, `phoenix`, `mlflow`, `braintrust`, `langsmith`, `arize`,
//! `honeycomb` and `grafana-cloud`. `spanmux init --exporter TYPE` and the JSON schema
//! ([`Config::schema`]) list the settings of each.
//!
//! # Values from the environment
//! `${NAME}` in a text is the value of an environment variable. A variable that is not set is
//! an error. `${NAME:-else}` is `else` if it is not set or empty. `$${` stands for the two
//! characters `${`. Nothing else is read from the environment. No error, no `Debug` output and
//! no summary shows a value from the environment or of a key that holds a secret.
//!
//! # Mistakes
//! All mistakes of a file are reported at once, each with its line, its key, the value that was
//! found, the expected values, and the nearest valid word:
//!
//! ```text
//! spanmux.toml:14:8: tracers.a.exporter.type: "langfues" is unknown; did you mean "langfuse"? …
//! ```

mod builder;
mod chain;
mod check;
#[allow(clippy::module_inception)]
mod config;
mod document;
mod environment;
mod exporter;
mod interpolate;
mod json;
mod names;
mod nearest;
mod problem;
mod schema;
mod shape;
mod summary;
mod toml;
mod tracer;
mod values;
mod variants;

pub use builder::{ConfigBuildError, ConfigBuilder};
pub use chain::LoadedSelectors;
pub use config::Config;
pub use problem::{ConfigError, Problem};
pub use summary::{ExporterSummary, TracerSummary};
