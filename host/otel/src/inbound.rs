//! Propagation of the selected tracer across process boundaries, and the setting that
//! determines whether an inbound selection is followed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use opentelemetry::Context;
use opentelemetry::trace::SpanContext;

use super::baggage;
use super::otel_tracer::OtelTracer;
use super::tracestate;
use spanmux_core::{TracerNames, TracerRegistry};

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
        names: &TruncatedNames,
        counters: &InboundCounters,
        context: &Context,
        parent: &SpanContext,
    ) -> Option<Followed> {
        if self == Self::Select || !parent.is_valid() || !parent.is_remote() {
            return None;
        }
        let (encoded, carrier) = self.read(context, parent)?;
        let found = names.find(registry, encoded);
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

/// The registered names that are truncated when they are encoded, by their encoding.
///
/// A truncated name can be identified only by its hash. Callers write the header, so a
/// look-up must not depend on the number of tracers: the names are encoded again only
/// after the registry has changed.
#[derive(Debug, Default)]
pub(super) struct TruncatedNames {
    index: ArcSwapOption<Index>,
}

#[derive(Debug)]
struct Index {
    /// The list that was indexed.
    names: TracerNames,
    by_encoding: HashMap<String, String>,
}

impl TruncatedNames {
    /// Returns the tracer with this encoded name.
    pub(super) fn find(
        &self,
        registry: &TracerRegistry<OtelTracer>,
        encoded: &str,
    ) -> Option<(String, Arc<OtelTracer>)> {
        let name = if tracestate::is_truncated(encoded) {
            self.name(registry.names(), encoded)?
        } else {
            tracestate::decode(encoded)?.into_owned()
        };
        let tracer = registry.get(&name)?;
        Some((name, tracer))
    }

    fn name(&self, names: TracerNames, encoded: &str) -> Option<String> {
        let index = self.index.load();
        let known = index.as_deref();
        if let Some(index) = known.filter(|index| index.names == names) {
            return index.by_encoding.get(encoded).cloned();
        }
        let index = Index::of(names);
        let name = index.by_encoding.get(encoded).cloned();
        self.index.store(Some(Arc::new(index)));
        name
    }
}

impl Index {
    fn of(names: TracerNames) -> Self {
        let all = names.iter();
        let encoded = all.map(|name| (tracestate::encode(name), name.to_owned()));
        let truncated = encoded.filter(|(encoded, _)| tracestate::is_truncated(encoded));
        let by_encoding = truncated.collect();
        Self { names, by_encoding }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// Returns the address of the index, which is new after each change.
    fn index(names: &TruncatedNames) -> Option<usize> {
        let index = names.index.load_full();
        index.map(|index| Arc::as_ptr(&index).addr())
    }

    #[test]
    fn truncated_names_are_encoded_once_for_each_change_of_the_registry() {
        let registry = TracerRegistry::new();
        let tracer = Arc::new(OtelTracer::new(SdkTracerProvider::default()));
        let long = |number: usize| format!("{}{number}", "ü".repeat(100));
        for number in 0..50 {
            registry.register(long(number), tracer.clone()).unwrap();
            registry
                .register(number.to_string(), tracer.clone())
                .unwrap();
        }
        let names = TruncatedNames::default();
        for unknown in ["x~y", "~", "x~0123456789abcdef", "nobody", ""] {
            assert!(names.find(&registry, unknown).is_none());
        }
        assert_eq!(
            index(&names),
            None,
            "nothing has the form of a truncated name"
        );
        let find = |number| names.find(&registry, &tracestate::encode(&long(number)));
        assert_eq!(find(7).map(|(name, _)| name), Some(long(7)));
        let first = index(&names);
        assert!(first.is_some());
        for number in 0..1_000 {
            assert_eq!(find(number).is_some(), number < 50);
            assert_eq!(
                names.find(&registry, &number.to_string()).is_some(),
                number < 50
            );
        }
        assert_eq!(index(&names), first, "one index for 2,000 look-ups");
        registry.register(long(50), tracer).unwrap();
        assert!(find(50).is_some());
        assert_ne!(index(&names), first);
        assert!(registry.unregister(&long(50)));
        assert!(find(50).is_none());
    }
}
