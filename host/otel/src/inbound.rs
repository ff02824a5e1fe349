//! Propagation of the selected tracer across process boundaries, and the setting that
//! determines whether an inbound selection is followed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::Context;
use opentelemetry::trace::SpanContext;

use super::baggage;
use super::otel_tracer::OtelTracer;
use super::tracestate;
use spanmux_core::TracerRegistry;

/// The treatment of a selected tracer that a remote parent names.
///
/// The caller writes the name, so following it requires trust: the caller can bypass
/// every selector and send its traces to any registered tracer. Follow it only if all
/// callers are your own.
///
/// A name of an unknown tracer is not followed: the selectors run, and their selection
/// replaces the name. A root span that followed the name has the attribute
/// [`spanmux.inbound`](super::attributes::INBOUND).
///
/// # Examples
/// ```
/// use opentelemetry::propagation::TextMapPropagator;
/// use opentelemetry::trace::{Tracer, TracerProvider};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanmux::otel::{Inbound, RoutingTracerProvider};
/// use std::collections::HashMap;
///
/// let provider = RoutingTracerProvider::builder()
///     .tracer("console", SdkTracerProvider::builder())
///     .tracer("langfuse", SdkTracerProvider::builder())
///     .inbound(Inbound::FollowTracestate)
///     .build()?;
/// let request = HashMap::from([
///     ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
///     ("tracestate", "spanmux=langfuse,vendor=1"),
/// ]);
/// let request = request.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned()));
/// let context = provider.propagator().extract(&request.collect::<HashMap<_, _>>());
/// provider.tracer("shop").in_span_with_context("answer", &context, |_context| {});
///
/// assert_eq!(provider.inbound_counts().followed, 1);
/// assert_eq!(provider.registry().counts().total(), 0); // no selector ran
/// # Ok::<(), spanmux::otel::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inbound {
    /// Ignores the name and runs the selectors, as for any root span.
    #[default]
    Select,
    /// Follows the entry `spanmux=<name>` of the `tracestate`.
    FollowTracestate,
    /// Follows the entry `spanmux.tracer=<name>` of the baggage.
    FollowBaggage,
    /// Follows the `tracestate`, or the baggage if the `tracestate` has no entry.
    FollowBoth,
}

/// The carriers to which the selected tracer is written when a context leaves the
/// process.
///
/// Any service that receives the request can read them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outbound {
    /// The entry `spanmux=<name>:…` of the `tracestate`.
    #[default]
    Tracestate,
    /// Also the entry `spanmux.tracer=<name>` of the baggage, for paths that lose the
    /// `tracestate`.
    TracestateAndBaggage,
}

/// Counts of inbound selections, where they are [followed](Inbound).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboundCounts {
    /// Traces that went to the tracer named by the caller. No selector ran.
    pub followed: u64,
    /// Traces that named an unknown tracer. The selectors ran.
    pub unknown: u64,
}

/// An inbound selection that is followed.
pub(super) struct Followed {
    pub(super) name: String,
    pub(super) tracer: Arc<OtelTracer>,
    /// The carrier that named the tracer.
    pub(super) carrier: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct InboundCounters {
    followed: AtomicU64,
    unknown: AtomicU64,
}

impl Inbound {
    pub(super) fn follows_baggage(self) -> bool {
        matches!(self, Self::FollowBaggage | Self::FollowBoth)
    }

    fn follows_tracestate(self) -> bool {
        matches!(self, Self::FollowTracestate | Self::FollowBoth)
    }

    /// Returns the encoded name that a remote parent carries, and its carrier.
    fn read<'a>(
        self,
        context: &'a Context,
        parent: &'a SpanContext,
    ) -> Option<(&'a str, &'static str)> {
        let state = self.follows_tracestate().then(|| parent.trace_state());
        if let Some(name) = state.and_then(tracestate::name) {
            return Some((name, "tracestate"));
        }
        let context = self.follows_baggage().then_some(context);
        context
            .and_then(baggage::tracer)
            .map(|name| (name, "baggage"))
    }

    /// Returns the tracer that a remote parent names, if it is followed and registered
    /// here.
    pub(super) fn follow(
        self,
        registry: &TracerRegistry<OtelTracer>,
        counters: &InboundCounters,
        context: &Context,
        parent: &SpanContext,
    ) -> Option<Followed> {
        if self == Self::Select || !parent.is_valid() || !parent.is_remote() {
            return None;
        }
        let (encoded, carrier) = self.read(context, parent)?;
        let found = find(registry, encoded);
        let counter = match &found {
            Some(_) => &counters.followed,
            None => &counters.unknown,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found.map(|(name, tracer)| Followed {
            name,
            tracer,
            carrier,
        })
    }
}

impl InboundCounters {
    pub(super) fn read(&self) -> InboundCounts {
        InboundCounts {
            followed: self.followed.load(Ordering::Relaxed),
            unknown: self.unknown.load(Ordering::Relaxed),
        }
    }
}

/// Returns the tracer with this encoded name. A truncated name can be identified only by
/// its hash, so all registered names are encoded and compared.
pub(super) fn find(
    registry: &TracerRegistry<OtelTracer>,
    encoded: &str,
) -> Option<(String, Arc<OtelTracer>)> {
    if let Some(name) = tracestate::decode(encoded) {
        let tracer = registry.get(&name)?;
        return Some((name.into_owned(), tracer));
    }
    let mut all = registry.list().into_iter();
    all.find(|(name, _)| tracestate::encode(name) == encoded)
}
