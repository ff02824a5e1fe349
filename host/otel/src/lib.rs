//! OpenTelemetry: a tracer provider that sends each trace to the tracer that the
//! registry selects for it.
//!
//! [`RoutingTracerProvider`] stands where an application would put one
//! `SdkTracerProvider`. A root span asks the [registry](spanmux_core::TracerRegistry)
//! once, and its children follow it, however they find their parent: through the
//! current context, a context built by hand, another thread, an async task, or a
//! span context that was put aside.
//!
//! # How a child finds its tracer
//! All that a child is sure to have of its parent is a span context, so that
//! carries the choice.
//!
//! - **In the trace id**, where a trace begins here and its tracer's provider was
//!   built here: made from a [configuration](TracerConfig) or from a
//!   [builder](OtelTracer::from_builder). Such an id is as random as any other as
//!   far as samplers look at it, and its upper 48 bits tell this provider, and
//!   nobody else, where the trace is. A child costs hardly more than the SDK's own.
//! - **In the `tracestate`**, everywhere else: under a remote parent, whose trace id
//!   is not ours to choose, and with a ready-made `SdkTracerProvider`. The member is
//!   `spanmux=<name>:<provider>-<route>`, the name percent-encoded. The SDK copies a
//!   parent's `tracestate` several times into each child, so such a child costs two
//!   to three times the SDK's own, and the mark is seen in exported children. Other
//!   vendors' members stay.
//!
//! Where both are there, the mark counts. Either says which instance it was and not
//! only its name, so a name that was given to another tracer meanwhile does not move
//! an open trace.
//!
//! What a *remote* parent carries is the caller's, not ours, and is not followed
//! unless the builder [says so](RoutingTracerProviderBuilder::inbound). A span with a
//! remote parent is selected here, keeps its trace id, and its mark replaces the one
//! that came in. (The ids of an [external trace](ExternalTrace) that the application
//! names are another matter.) For the next process, the
//! [propagator](RoutingTracerProvider::propagator) writes the mark into requests. A
//! run that is [suspended](RoutingTracerProvider::suspend) and resumed elsewhere
//! keeps its tracer.
//!
//! # What holds
//! - A selector is asked once for each root span, and never for a child, sampled
//!   or not, whatever was registered, unregistered or loaded since.
//! - A selector is never asked where telemetry is suppressed, nor for spans that a
//!   selector itself starts while it decides; both get spans that do nothing.
//! - A fault of a selector never reaches the call that starts the span.
//! - A tracer that was unregistered receives the rest of its open traces. Once it
//!   is gone, their late children are spans that do nothing, and are
//!   [counted](LostSpans).
//! - Without a tracer, spans do nothing and carry their parent's context on. There
//!   is no choice to inherit then, so the next span below is asked for anew.
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
//!     .tracer("acme", TracerConfig::console_to("shop", std::io::sink()))
//!     .tracer("quarantine", opentelemetry_sdk::trace::SdkTracerProvider::builder())
//!     .selectors(Chain::from(by_tenant))
//!     .fallback("quarantine")
//!     .build()?;
//! opentelemetry::global::set_tracer_provider(provider.clone());
//!
//! let run = RuntimeContext::builder().set("tenant", "acme").build()?;
//! let context = opentelemetry::Context::new().with_runtime_context(run);
//! let tracer = opentelemetry::global::tracer("shop");
//! tracer.in_span_with_context("answer", &context, |_context| {
//!     tracer.in_span("look up", |_context| {}); // follows "answer" to acme
//! });
//!
//! assert_eq!(provider.registry().counts().total(), 1);
//! let report = provider.shutdown();
//! assert!(report.failed.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod attributes;
mod baggage;
mod builder;
mod config;
mod copied;
mod external;
mod external_root;
mod inbound;
mod inside;
#[cfg(feature = "layer")]
mod layer;
mod ledger;
mod list;
mod lost;
mod mark;
mod otel_tracer;
mod propagator;
mod provider;
mod reference;
mod rootless;
mod routes;
mod runtime_context;
mod sampling;
mod scope;
mod settings;
mod shared;
mod span;
mod telemetry;
mod texts;
mod trace_id;
mod tracer;

pub use builder::{BuildError, RoutingTracerProviderBuilder, TracerSource};
pub use config::{TracerConfig, TracerConfigError};
pub use external::{ExternalIdError, ExternalTrace, ExternalTraceExt, ExternalTraces};
pub use inbound::{Inbound, InboundCounts, Outbound};
#[cfg(feature = "layer")]
pub use layer::{RoutingFilter, RoutingLayer};
pub use ledger::TracerDelivery;
pub use lost::LostSpans;
pub use otel_tracer::OtelTracer;
pub use propagator::RoutingPropagator;
pub use provider::RoutingTracerProvider;
pub use reference::{NoSuchTrace, ReferenceError, SpanReference};
#[doc(hidden)]
pub use rootless::without_span;
pub use runtime_context::RuntimeContextExt;
pub use sampling::{Custom, Ratio, Sampling, SamplingError};
pub use span::RoutingSpan;
pub use tracer::RoutingTracer;
