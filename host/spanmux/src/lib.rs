//! Decide, trace by trace, **which tracer receives a trace**.
//!
//! A [`TracerRegistry`] holds named tracers; the first one is the default. When a root span
//! starts, a chain of selectors runs: each receives the run's [`RuntimeContext`] and the names of
//! the available tracers, and returns a name or abstains. Child spans inherit their root's tracer,
//! so a trace is never torn. A wrong name, an error, a trap or a timeout never reaches the caller:
//! the trace goes to the default tracer, and the [`Selection`] has the reason.
//!
//! A selector is a native function ([`selector_fn`]) or a WebAssembly component, written in any
//! language and dropped as a file into a directory. A component has no authority: it can query the
//! context and return an answer.
//!
//! # Reading order
//! 1. [`RuntimeContext`] and [`ContextView`]: the facts about a run, and the questions of a
//!    selector.
//! 2. [`Decision`], [`Fallback`]: the answer of a selector, as plain values.
//! 3. [`Selector`], [`selector_fn`], [`Chain`]: native code and components behind one trait.
#![cfg_attr(
    feature = "components",
    doc = "4. [`SelectorHost`], [`Limits`]: components, with a sandbox for each decision."
)]
#![cfg_attr(
    feature = "components",
    doc = "5. [`SelectorsDirectory`]: the files, loaded into a report and a chain."
)]
//! 6. [`TracerRegistry`], [`Selection`]: the tracers, and the selected one.
#![cfg_attr(
    feature = "otel",
    doc = "7. [`otel`]: a tracer provider for OpenTelemetry that routes each trace."
)]
#![cfg_attr(
    feature = "otel",
    doc = "8. [`genai`]: typed spans for agents, models, tools and workflows."
)]
#![cfg_attr(
    feature = "config",
    doc = "9. [`config`]: all of this from a file, `spanmux.toml`."
)]
//!
//! # Features
//! - `components` (default): selectors as WebAssembly components, on wasmtime.
//! - `otel` (default): the routing tracer provider for OpenTelemetry, and AI spans.
//! - `otlp` (default): exporters for backends, over OTLP as protobuf over HTTP.
//! - `config` (default, with the three above): tracers and selectors from a file.
//! - `explain` (default): the rules of a selector as text, JSON, Mermaid and SVG.
//! - `grpc`: OTLP over gRPC as well.
//! - `layer`: a layer for `tracing-subscriber` that routes `tracing` spans.
//!
//! Without features, the crate contains the registry and native selectors, and has few
//! dependencies.
//!
//! # A quiet guest
//! The library prints nothing, keeps no process-wide state and reads nothing from the
//! environment. Its events go through the `tracing` crate.

#[cfg(feature = "config")]
pub use spanmux_config as config;
#[cfg(feature = "explain")]
pub use spanmux_explain as explain;
#[cfg(feature = "otel")]
pub use spanmux_export::{delivery, exporters, redaction};
#[cfg(feature = "otel")]
pub use spanmux_genai as genai;
#[cfg(feature = "otel")]
pub use spanmux_otel as otel;

pub use spanmux_core::explanation;
pub use spanmux_core::{
    AllowedTracers, Budget, Cause, Chain, Choice, ContextError, ContextLimits, ContextSource,
    ContextView, Decision, Fallback, Lifecycle, LifecycleError, LifecycleFailure, LifecycleReport,
    MAX_NAME_BYTES, MAX_TRACER_BYTES, MAX_TRACERS, Origin, PatternError, PendingSelection, Reason,
    RegisterError, RootSpan, RunCost, RuntimeContext, RuntimeContextBuilder, Selection,
    SelectionCounts, SelectionOutcome, Selector, SpanAttributes, Suspension, TracerIndex,
    TracerNames, TracerRegistry, Undelivered, UnknownTracerError, Value, selector_fn,
};

#[cfg(all(feature = "components", spanmux_mutations))]
#[doc(hidden)]
pub use spanmux_component::Forget;
#[cfg(feature = "components")]
pub use spanmux_component::{
    ActiveSelector, CacheState, CompileCache, CompileStatus, CompileTier, ComponentSelector,
    DirectoryError, HostError, Limits, LoadError, LoadReport, LoadedFile, LockError, Mode, Refusal,
    SelectorEvent, SelectorHost, SelectorHostBuilder, SelectorsDirectory, SelectorsLock,
    WatchSettings, WatchStatus, WatchedDirectory, WatchedFile,
};
