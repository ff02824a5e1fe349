//! What a routing provider does with contexts beyond asking its selectors: each is
//! a plain value, so that a configuration can mirror it.

use super::builder::RoutingTracerProviderBuilder;
use super::copied::CopiedKeys;
use super::inbound::{Inbound, Outbound};

/// The settings of one routing provider. The default ones do nothing and cost
/// nothing.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    /// Keys that a root span's runtime context takes from the baggage.
    pub(super) baggage_keys: Vec<String>,
    /// Keys that are copied onto root spans alone.
    pub(super) root_keys: CopiedKeys,
    /// Keys that are copied onto every span.
    pub(super) span_keys: CopiedKeys,
}

impl Settings {
    /// How many attributes are copied onto a root span at most.
    pub(super) fn copied(&self) -> usize {
        self.root_keys.len() + self.span_keys.len()
    }

    /// Whether the propagator reads and writes baggage.
    pub(super) fn needs_baggage(&self) -> bool {
        self.outbound == Outbound::TracestateAndBaggage
            || self.inbound.follows_baggage()
            || !self.baggage_keys.is_empty()
    }
}

/// What crosses the borders of the process, and what is copied onto spans.
impl RoutingTracerProviderBuilder {
    /// Whether the choice that comes in with a remote parent is followed. It is not,
    /// unless this says so.
    pub fn inbound(mut self, inbound: Inbound) -> Self {
        self.settings.inbound = inbound;
        self
    }

    /// Where the [propagator](super::RoutingTracerProvider::propagator) writes the
    /// choice: into the `tracestate`, unless this says more.
    pub fn outbound(mut self, outbound: Outbound) -> Self {
        self.settings.outbound = outbound;
        self
    }

    /// Fills these keys of a root span's runtime context from the baggage of its
    /// parent context, as text. No other member of the baggage is seen.
    ///
    /// A key that the application set itself wins. Baggage is what a caller says of
    /// himself, so name no key by which a caller should not choose his tracer.
    ///
    /// # Cost
    /// Where the baggage holds one of the keys, the runtime context is copied for
    /// each root span, and for each span if [`copy_to_spans`](Self::copy_to_spans)
    /// names keys.
    ///
    /// # Examples
    /// ```
    /// use opentelemetry::baggage::BaggageExt;
    /// use opentelemetry::trace::{Tracer, TracerProvider};
    /// use opentelemetry::{Context, KeyValue};
    /// use opentelemetry_sdk::trace::SdkTracerProvider;
    /// use spanmux::otel::RoutingTracerProvider;
    /// use spanmux::{Chain, selector_fn};
    /// use std::sync::Arc;
    ///
    /// let provider = RoutingTracerProvider::builder()
    ///     .tracer("acme", SdkTracerProvider::builder())
    ///     .selectors(Chain::from(selector_fn("by-tenant", |context, tracers| {
    ///         tracers.choose(context.text("tenant").unwrap_or_default())
    ///     })))
    ///     .baggage_keys(["tenant"])
    ///     .build()?;
    /// let context = Context::new().with_baggage([KeyValue::new("tenant", "acme")]);
    /// provider.tracer("shop").in_span_with_context("answer", &context, |_context| {});
    /// assert_eq!(provider.registry().counts().chosen, 1);
    /// # Ok::<(), spanmux::otel::BuildError>(())
    /// ```
    pub fn baggage_keys(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.baggage_keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Copies these keys of the runtime context onto every span as attributes of the
    /// same name, as some backends want to have user and session. What a selector
    /// would be answered for the key is what is copied: `user.tier` finds `tier` in
    /// the object `user`, an array or an object becomes JSON text, and null and what
    /// is not there become nothing.
    ///
    /// An attribute that the span starts with wins. A child takes the values from
    /// the runtime context that is attached where it starts.
    ///
    /// # Cost
    /// One look-up and one attribute for each key and span. Without keys, nothing.
    ///
    /// # Examples
    /// ```
    /// use opentelemetry::trace::{Tracer, TracerProvider};
    /// use opentelemetry::Context;
    /// use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
    /// use spanmux::RuntimeContext;
    /// use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt};
    ///
    /// let spans = InMemorySpanExporter::default();
    /// let provider = RoutingTracerProvider::builder()
    ///     .tracer("only", SdkTracerProvider::builder().with_simple_exporter(spans.clone()))
    ///     .copy_to_spans(["session.id"])
    ///     .build()?;
    /// let run = RuntimeContext::builder().set("session.id", "s-1").build()?;
    /// let context = Context::new().with_runtime_context(run);
    /// provider.tracer("shop").in_span_with_context("answer", &context, |_context| {});
    /// let span = &spans.get_finished_spans()?[0];
    /// assert!(span.attributes.iter().any(|kv| kv.key.as_str() == "session.id"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn copy_to_spans(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.span_keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// [`copy_to_spans`](Self::copy_to_spans) onto root spans alone.
    pub fn copy_to_root_spans(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.root_keys = keys.into_iter().map(Into::into).collect();
        self
    }
}
