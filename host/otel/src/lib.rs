//! OpenTelemetry integration: a tracer provider that sends each trace to the tracer that
//! the registry selects for it.
//!
//! [`RoutingTracerProvider`] replaces the `SdkTracerProvider` of an application. For each
//! root span it selects a tracer from the [registry](spanmux_core::TracerRegistry). Child spans
//! follow their root, no matter how they find their parent: through the current context,
//! a context built by hand, another thread, an async task, or a stored span context.
//!
//! # How a child finds its tracer
//! The only part of its parent that a child always has is the span context. The span
//! context therefore carries the selected tracer:
//!
//! - **In the trace id**, if the trace begins here and the tracer's provider was built
//!   here, from a [configuration](TracerConfig) or a [builder](OtelTracer::from_builder).
//!   Samplers see such an id as random as any other. Its upper 48 bits identify the
//!   route, and only this provider can read them. A child costs hardly more than one of
//!   the SDK.
//! - **In the `tracestate`** in all other cases: under a remote parent, whose trace id is
//!   already fixed, and with a ready-made `SdkTracerProvider`. The entry is
//!   `spanmux=<name>:<provider>-<route>` with a percent-encoded name. The SDK copies the
//!   parent's `tracestate` several times for each child, so such a child costs two to
//!   three times as much as one of the SDK, and the entry is visible in exported
//!   children. The entries of other vendors are preserved.
//!
//! If both are present, the `tracestate` entry takes precedence. Both identify the tracer
//! instance and not only its name. Giving the name to another tracer therefore does not
//! move open traces.
//!
//! A *remote* parent is controlled by the caller. Its `tracestate` entry is ignored
//! unless [`inbound`](RoutingTracerProviderBuilder::inbound) is configured: a tracer is
//! selected for the span, the span keeps its trace id, and the new entry replaces the
//! received one. (An [external trace](ExternalTrace), whose ids the application provides,
//! is handled differently.) The [propagator](RoutingTracerProvider::propagator) writes
//! the entry into requests to the next process. A run that is
//! [detached](RoutingTracerProvider::detach) and attached again in another process keeps
//! its tracer.
//!
//! # Guarantees
//! - The selectors run once for each root span and never for a child. This holds for
//!   unsampled traces and after any registration, removal, or reload.
//! - The selectors do not run while telemetry is suppressed, nor for spans that a
//!   selector starts during its own decision. Both get no-op spans.
//! - A failing selector never affects the call that starts the span.
//! - An unregistered tracer still receives the rest of its open traces. After it has been
//!   dropped, late children become no-op spans and are [counted](DroppedSpans).
//! - Without a tracer, spans are no-ops that propagate the context of their parent. Since
//!   no selection exists to inherit, the next span below selects again.
//!
//! # Examples
//! ```
//! use opentelemetry::trace::{Tracer, TracerProvider};
//! use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt, TracerConfig};
//! use spanmux::{Chain, RuntimeContext, selector_fn};
//! use std::sync::Arc;
//!
//! let by_tenant = selector_fn("by-tenant", |context, tracers| {
//!     tracers.choose(context.text("tenant").unwrap_or("quarantine"))
//! });
//! let provider = RoutingTracerProvider::builder()
//!     .service_name("shop")
//!     .tracer("acme", TracerConfig::console_to(std::io::sink()))
//!     .tracer("quarantine", opentelemetry_sdk::trace::SdkTracerProvider::builder())
//!     .selectors(Chain::from(by_tenant))
//!     .fallback("quarantine")
//!     .build()?;
//! opentelemetry::global::set_tracer_provider(provider.clone());
//!
//! let run = RuntimeContext::builder().set("tenant", "acme").build();
//! let context = opentelemetry::Context::new().with_runtime_context(run);
//! let tracer = opentelemetry::global::tracer("shop");
//! tracer.in_span_with_context("answer", &context, |_context| {
//!     tracer.in_span("look up", |_context| {}); // follows "answer" to acme
//! });
//!
//! assert_eq!(provider.registry().counts().total(), 1);
//! provider.shutdown().into_result()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod append_list;
mod attribute_list;
pub mod attributes;
mod baggage;
mod baggage_header;
mod builder;
mod config;
mod copied;
mod detached;
mod dropped;
mod external;
mod external_root;
mod foreign_spans;
mod inbound;
mod interner;
mod last_values;
#[cfg(feature = "layer")]
mod layer;
mod numbered_routes;
mod open_roots;
mod otel_tracer;
mod propagator;
mod provider;
mod provider_state;
mod recent;
mod reentrancy;
mod reference;
#[cfg(feature = "layer")]
mod reloadable_layer;
mod routes;
mod runtime_context;
mod sampling;
mod scope;
mod selector_names;
mod settings;
mod span;
mod started_span;
mod telemetry;
mod trace_id;
mod traceparent;
mod tracer;
mod tracer_stats;
mod tracestate;
mod tracestate_header;
mod user_code;

#[doc(hidden)]
pub use attribute_list::{AttributeList, keep_last};
pub use builder::{BuildError, RoutingTracerProviderBuilder, TracerSource};
pub use config::{TracerConfig, TracerConfigError};
#[doc(hidden)]
pub use detached::without_span;
pub use dropped::DroppedSpans;
pub use external::{ExternalIdError, ExternalTrace, ExternalTraceExt, ExternalTraces};
pub use inbound::{Inbound, InboundCounts, Outbound};
#[cfg(feature = "layer")]
pub use layer::{RoutingFilter, RoutingLayer};
pub use otel_tracer::OtelTracer;
pub use propagator::RoutingPropagator;
pub use provider::RoutingTracerProvider;
pub use reference::{NoSuchTrace, ReferenceError, SpanReference};
#[cfg(feature = "layer")]
pub use reloadable_layer::ReloadableLayer;
pub use runtime_context::RuntimeContextExt;
pub use sampling::{Custom, Ratio, Sampling, SamplingError};
pub use span::RoutingSpan;
pub use tracer::RoutingTracer;
pub use tracer_stats::TracerDelivery;

/// Parts that the other crates of Spanmux share. Not covered by semantic versioning.
#[doc(hidden)]
pub mod internal {
    pub use super::tracestate::encode as encode_tracer_name;
    pub use spanmux_export::internal::{kept_and_omitted, safe_end};
}
