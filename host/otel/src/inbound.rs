//! The choice of a tracer over the borders of the process, and whether the one that
//! comes in is followed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::Context;
use opentelemetry::trace::SpanContext;

use super::baggage;
use super::mark;
use super::otel_tracer::OtelTracer;
use spanmux_core::TracerRegistry;

/// What becomes of the choice of a tracer that comes in with a remote parent.
///
/// Who calls writes it, so following it is trust: a caller that may choose the
/// tracer sends its traces past every selector, to any tracer that is registered.
/// Follow it where all callers are your own.
///
/// A name that no tracer has is not followed: the selector is asked, and what it
/// chooses replaces the name. A root span that followed says so with
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
/// assert_eq!(provider.inbound().followed, 1);
/// assert_eq!(provider.registry().counts().total(), 0); // nobody was asked
/// # Ok::<(), spanmux::otel::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inbound {
    /// It is not followed: the selectors are asked, as for any root span.
    #[default]
    Select,
    /// The `tracestate` is followed: its member `spanmux=<name>`.
    FollowTracestate,
    /// The baggage is followed: its member `spanmux.tracer=<name>`.
    FollowBaggage,
    /// The `tracestate` is followed, and the baggage where that says nothing.
    FollowBoth,
}

/// Where the choice of a tracer is written when a context leaves the process.
///
/// Both go to whatever service the request goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outbound {
    /// Into the `tracestate`: its member `spanmux=<name>:…`.
    #[default]
    Tracestate,
    /// Into the baggage too, for ways on which the `tracestate` gets lost: its
    /// member `spanmux.tracer=<name>`.
    TracestateAndBaggage,
}

/// How often a choice came in where it is [followed](Inbound), and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboundCounts {
    /// Traces that went where the caller had chosen. No selector was asked.
    pub followed: u64,
    /// Traces for which selectors were asked, because no tracer has the name.
    pub unknown: u64,
}

/// The choice that came in and is followed.
pub(super) struct Followed {
    pub(super) name: String,
    pub(super) tracer: Arc<OtelTracer>,
    /// Which of the carriers said so.
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

    /// The encoded name that came in with a remote parent, and by which carrier.
    fn read<'a>(
        self,
        context: &'a Context,
        parent: &'a SpanContext,
    ) -> Option<(&'a str, &'static str)> {
        let state = self.follows_tracestate().then(|| parent.trace_state());
        if let Some(name) = state.and_then(mark::name) {
            return Some((name, "tracestate"));
        }
        let context = self.follows_baggage().then_some(context);
        context
            .and_then(baggage::tracer)
            .map(|name| (name, "baggage"))
    }

    /// The tracer that came in, if that is followed and the tracer is here.
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

/// The tracer whose name is encoded like this. A name that was cut is known by its
/// hash, so all names are encoded to find it.
pub(super) fn find(
    registry: &TracerRegistry<OtelTracer>,
    encoded: &str,
) -> Option<(String, Arc<OtelTracer>)> {
    if let Some(name) = mark::decode(encoded) {
        let tracer = registry.get(&name)?;
        return Some((name.into_owned(), tracer));
    }
    let mut all = registry.list().into_iter();
    all.find(|(name, _)| mark::encode(name) == encoded)
}
