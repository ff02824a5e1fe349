//! Settings of a routing provider that concern contexts rather than selectors. All are
//! plain values, so that a configuration file can mirror them.

use super::builder::RoutingTracerProviderBuilder;
use super::copied::CopiedKeys;
use super::inbound::{Inbound, Outbound};

/// The settings of one routing provider. The defaults do nothing and cost nothing.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    /// Keys that are copied from the baggage into the runtime context of a root span.
    pub(super) baggage_keys: Vec<String>,
    /// Keys that are copied onto root spans only.
    pub(super) root_keys: CopiedKeys,
    /// Keys that are copied onto every span.
    pub(super) span_keys: CopiedKeys,
}

impl Settings {
    /// Returns the maximum number of attributes that are copied onto a root span.
    pub(super) fn copied(&self) -> usize {
        self.root_keys.len() + self.span_keys.len()
    }

    /// Returns `true` if the propagator reads or writes baggage.
    pub(super) fn needs_baggage(&self) -> bool {
        self.outbound == Outbound::TracestateAndBaggage
            || self.inbound.follows_baggage()
            || !self.baggage_keys.is_empty()
    }
}

/// Settings for process boundaries and for attributes that are copied onto spans.
impl RoutingTracerProviderBuilder {
    /// Sets how the provider treats the tracer named by a remote parent. Defaults to
    /// [`Inbound::Select`], which ignores it.
    pub fn inbound(mut self, inbound: Inbound) -> Self {
        self.settings.inbound = inbound;
        self
    }

    /// Sets where the [propagator](super::RoutingTracerProvider::propagator) writes the
    /// selected tracer. Defaults to the `tracestate` only.
    pub fn outbound(mut self, outbound: Outbound) -> Self {
        self.settings.outbound = outbound;
        self
    }

    /// Copies these keys from the baggage of the parent context into the runtime context
    /// of a root span, as text. All other baggage entries are ignored.
    ///
    /// A key that the application set itself takes precedence. Callers control the
    /// baggage, so do not list a key that would let a caller choose its own tracer.
    ///
    /// # Cost
    /// If the baggage holds one of the keys, the runtime context is copied for each root
    /// span, or for every span if [`copy_to_spans`](Self::copy_to_spans) has keys.
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

    /// Copies these keys of the runtime context onto every span as attributes with the
    /// same name, as some backends require for users and sessions. The value is the
    /// answer that a selector would receive for the key: `user.tier` finds `tier` in the
    /// object `user`, and an array or object becomes JSON text. Null and missing values
    /// are skipped.
    ///
    /// An attribute that the span sets itself takes precedence, also if it is set later. A
    /// child reads the runtime context that is attached where the child starts. Samplers
    /// and the `on_start` of processors do not see the copied attributes.
    ///
    /// # Cost
    /// One lookup and one attribute per key and span. Nothing without keys.
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
    /// let run = RuntimeContext::builder().set("session.id", "s-1").build();
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

    /// Like [`copy_to_spans`](Self::copy_to_spans), but for root spans only.
    pub fn copy_to_root_spans(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.root_keys = keys.into_iter().map(Into::into).collect();
        self
    }
}
