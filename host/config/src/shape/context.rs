//! The shape of `[context]`.

use schemars::JsonSchema;
use serde::Deserialize;

use spanmux_otel::{Inbound, Outbound, RoutingTracerProviderBuilder};

/// Propagation between processes, and keys that are copied onto spans.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContextTable {
    /// The inbound choice of a tracer that is followed. The caller writes it, so follow it only if
    /// all callers are trusted. Defaults to "select".
    #[serde(default)]
    inbound: InboundName,
    /// The carrier of the choice when a context leaves the process. Defaults to "tracestate".
    #[serde(default)]
    outbound: OutboundName,
    /// Keys that a root span's runtime context takes from the baggage, which the caller writes.
    #[serde(default)]
    baggage_keys: Vec<String>,
    /// Keys of the runtime context that become attributes of every span.
    #[serde(default)]
    copy_to_spans: Vec<String>,
    /// Keys of the runtime context that become attributes of root spans.
    #[serde(default)]
    copy_to_root_spans: Vec<String>,
}

impl ContextTable {
    pub(crate) fn apply(
        self,
        builder: RoutingTracerProviderBuilder,
    ) -> RoutingTracerProviderBuilder {
        builder
            .inbound(self.inbound.into())
            .outbound(self.outbound.into())
            .baggage_keys(self.baggage_keys)
            .copy_to_spans(self.copy_to_spans)
            .copy_to_root_spans(self.copy_to_root_spans)
    }
}

/// The inbound choice of a tracer that is followed.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum InboundName {
    /// None: the selectors run as for any root span.
    #[default]
    Select,
    /// The choice in the `tracestate`.
    Tracestate,
    /// The choice in the baggage.
    Baggage,
    /// The choice in the `tracestate`, or otherwise the one in the baggage.
    Both,
}

impl From<InboundName> for Inbound {
    fn from(name: InboundName) -> Self {
        match name {
            InboundName::Select => Self::Select,
            InboundName::Tracestate => Self::FollowTracestate,
            InboundName::Baggage => Self::FollowBaggage,
            InboundName::Both => Self::FollowBoth,
        }
    }
}

/// The carrier of the choice when a context leaves the process.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OutboundName {
    /// The `tracestate`.
    #[default]
    Tracestate,
    /// The `tracestate` and the baggage.
    Both,
}

impl From<OutboundName> for Outbound {
    fn from(name: OutboundName) -> Self {
        match name {
            OutboundName::Tracestate => Self::Tracestate,
            OutboundName::Both => Self::TracestateAndBaggage,
        }
    }
}
