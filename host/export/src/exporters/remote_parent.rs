//! Parents in other processes.

use opentelemetry::trace::{Link, SpanContext, SpanId, TraceFlags, TraceState};
use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::trace::SpanData;

/// The handling of a local root: the first span of this process in a trace that another process
/// began.
///
/// A backend that receives only this part of the trace never gets the parent of the local root. It
/// then shows no root, or drops the span.
///
/// An inbound selection that was followed leads both parts of the trace to the same tracer, so
/// those spans always keep their parent, as do late signals and runs that were paused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemoteParent {
    /// Keeps the parent. The default for general backends, which receive the other part of the
    /// trace too.
    #[default]
    Keep,
    /// Removes the parent and adds a link to it, with the attribute `spanmux.link` =
    /// `remote_parent`. The span is then a root of the same trace. The default for LLM backends:
    /// Langfuse, LangSmith, Phoenix, MLflow, Braintrust, Arize and Datadog LLM Observability.
    Link,
}

/// The attribute of a link with its meaning.
const LINK: &str = "spanmux.link";

/// Attributes of a local root for which the selectors were asked.
const SELECTED: [Key; 2] = [
    Key::from_static_str("spanmux.selector"),
    Key::from_static_str("spanmux.fallback"),
];

/// The attribute of a local root that the routing provider started.
const ROUTED: Key = Key::from_static_str("spanmux.tracer");

impl RemoteParent {
    /// Applies the setting to a span that is about to be exported. `is_followed` tells whether
    /// the remote parent went to the same tracer.
    pub(crate) fn apply(self, span: &mut SpanData, is_followed: impl FnOnce() -> bool) {
        if self == Self::Link && span.parent_span_is_remote && !is_followed() {
            link(span);
        }
    }
}

/// Returns `true` if the parent went to the same tracer: no selector was asked for a span that
/// the routing provider started.
pub(crate) fn shares_its_tracer(span: &SpanData) -> bool {
    let has = |key: &Key| span.attributes.iter().any(|of| of.key == *key);
    has(&ROUTED) && !SELECTED.iter().any(has)
}

fn link(span: &mut SpanData) {
    let parent = SpanContext::new(
        span.span_context.trace_id(),
        span.parent_span_id,
        TraceFlags::default(),
        true,
        TraceState::NONE,
    );
    let meaning = vec![KeyValue::new(LINK, "remote_parent")];
    span.links.links.push(Link::new(parent, meaning, 0));
    span.parent_span_id = SpanId::INVALID;
    span.parent_span_is_remote = false;
}
