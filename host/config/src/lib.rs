//! Configuration: tracers and selectors from a file, `spanmux.toml`, or JSON of the
//! same shape.
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
//! Each key mirrors a builder in Rust: a tracer is a
//! [`TracerConfig`](spanmux_otel::TracerConfig), an exporter an
//! [`Exporter`](spanmux_export::exporters::Exporter) with its preset. A key that is left out is
//! as the builder has it.
//!
//! ```toml
#![doc = include_str!("annotated.toml")]
//! ```
//!
//! The exporters have the types `console`, `file`, `discard`, `otlp`, `langfuse`,
//! `datadog-agent`, `datadog`, `phoenix`, `mlflow`, `braintrust`, `langsmith`, `arize`,
//! `honeycomb` and `grafana-cloud`. What each needs is said by `spanmux init --exporter
//! TYPE`, and by the JSON schema: [`Config::schema`].
//!
//! # Values from the environment
//! `${NAME}` in a text is the value of an environment variable, and one that is not set
//! is an error. `${NAME:-else}` is `else` if it is not set or empty. `$${` stands for
//! the two characters `${`. Nothing else of the environment is read. No error, no
//! `Debug` and no summary shows a value that came from there, or a key that holds a
//! secret.
//!
//! # What is wrong with a file
//! All of it is said at once, each mistake with its line, its key, what was found,
//! what may be there, and the nearest right word:
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
